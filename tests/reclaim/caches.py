"""Caches of one object a page, written the obvious way: what a replay's misses are held to."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np

from zsim.engine import Engine
from zsim.traces.trace import TaskTrace, Trace


def steps(trace: Trace) -> Iterator[tuple[list[int], int]]:
    """(pages given up before it, page) of every access, for tasks that run one after the other."""
    for task in trace.tasks:
        gone: dict[int, list[int]] = {}
        for row, page in task.remaps:
            gone.setdefault(row, []).append(page)
        for row, page in enumerate((task.accesses >> 1).tolist()):
            yield gone.get(row, []), page


def queue_misses(trace: Trace, frames: int, on_hit: str) -> int:
    """Misses of a queue that a hit moves to the end (`lru`), marks for a second chance (`clock`) or leaves (`fifo`)."""
    queue: OrderedDict[int, bool] = OrderedDict()
    misses = 0
    for gone, page in steps(trace):
        for other in gone:
            queue.pop(other, None)
        if page in queue:
            queue[page] = True
            if on_hit == "lru":
                queue.move_to_end(page)
            continue
        misses += 1
        if len(queue) == frames:
            _evict(queue, on_hit)
        queue[page] = True
    return misses


def _evict(queue: OrderedDict[int, bool], on_hit: str) -> None:
    while True:
        page, accessed = queue.popitem(last=False)
        if on_hit != "clock" or not accessed:
            return
        queue[page] = False


def belady_misses(trace: Trace, frames: int) -> int:
    """Misses where the page used farthest in the future leaves, by looking through the future for each."""
    accesses = list(steps(trace))
    rows: dict[int, list[int]] = {}
    for row, (_, page) in enumerate(accesses):
        rows.setdefault(page, []).append(row)
    resident: set[int] = set()
    misses = 0
    for row, (gone, page) in enumerate(accesses):
        resident -= set(gone)
        if page in resident:
            continue
        misses += 1
        if len(resident) == frames:
            resident.remove(max(resident, key=lambda other: _next_use(rows[other], row)))
        resident.add(page)
    return misses


def _next_use(rows: list[int], now: int) -> float:
    after = bisect_right(rows, now)
    return rows[after] if after < len(rows) else float("inf")


def engine_misses(engine: Engine) -> int:
    """First touches and major faults; a minor fault on a page that has a frame is a hit to a cache."""
    first = sum(len(np.unique(task.accesses)) for task in map(_reads_only, engine.trace.tasks))
    return first + engine.machine.counters.major_store + engine.machine.counters.major_device


def _reads_only(task: TaskTrace) -> TaskTrace:
    return TaskTrace(task.name, task.accesses >> 1)
