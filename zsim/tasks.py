"""Tasks: how far each is in its trace, and what time it is for it."""

from bisect import bisect_left
from typing import Any

import numpy as np

from zsim.config import Config
from zsim.traces.trace import TaskTrace, Trace

FOREVER = float("inf")


class Task:
    """Where a task is in its trace and in time.

    `row` is its next access, everything before is done; `fault_ns` is when that access first faulted if the task is
    `waiting`. `offset_ns` is its start plus all its stalls: access `row` starts at times[row] + offset_ns, or at
    row * access_ns + offset_ns. No access of row .. scanned-1 faults as pages stand now. `stops` are rows that need
    more than the hit loop, ascending from `next_stop` on.
    """

    def __init__(self, number: int, trace: TaskTrace, stops: list[int], access_ns: int) -> None:
        self.number = number
        self.trace = trace
        self.accesses: Any = trace.accesses
        self.times: Any = None if trace.times_ns is None else trace.times_ns.data
        self.length = len(trace.accesses)
        self.access_ns = access_ns
        self.row = 0
        self.scanned = 0
        self.offset_ns = 0
        self.end_ns = 0
        self.fault_ns = -1
        self.waiting = False
        self._stops = iter([*stops, self.length])
        self.next_stop = next(self._stops)

    def start_ns(self, row: int) -> int:
        """When access `row` starts, if the task is not stalled any more before it."""
        return int(self.times[row] if self.times else row * self.access_ns) + self.offset_ns

    def row_at(self, time_ns: float) -> int:
        """The first access that starts at `time_ns` or later."""
        if time_ns == FOREVER:
            return self.length
        if self.times:
            return bisect_left(self.times, time_ns - self.offset_ns, self.row)
        return min(max(-int(-(time_ns - self.offset_ns) // self.access_ns), self.row), self.length)

    def pass_stop(self) -> None:
        """The stop at `row` has been dealt with."""
        while self.next_stop < self.row:
            self.next_stop = next(self._stops)


def unlimited_runtime_ns(trace: Trace, config: Config) -> int:
    """Runtime of the trace where memory is never short: only first touches fault."""
    minor_ns, access_ns = config.cost.minor_fault_ns, config.cost.access_ns
    starts_ns = [0] * len(trace.tasks)

    def end_ns(number: int, row: int) -> int:
        task = trace.tasks[number]
        pages = task.accesses[: row + 1] >> 1
        first_touches = len(np.unique(pages)) + sum(int(page in pages[at:]) for at, page in task.remaps if at <= row)
        nominal_ns = row * access_ns if task.times_ns is None else int(task.times_ns[row])
        return starts_ns[number] + nominal_ns + first_touches * minor_ns + access_ns

    for number, task in enumerate(trace.tasks):
        if task.starts_after:
            starts_ns[number] = end_ns(*task.starts_after)
    return max(end_ns(number, len(task.accesses) - 1) for number, task in enumerate(trace.tasks))
