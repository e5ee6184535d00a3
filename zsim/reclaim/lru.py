"""Exact LRU, which no kernel can afford and every cache simulator has."""

from array import array
from collections import OrderedDict
from collections.abc import Iterator
from heapq import heappop, heappush

import numpy as np
import numpy.typing as npt

from zsim.config import ReclaimConfig
from zsim.memory import PRESENT, Memory
from zsim.metrics import Counters
from zsim.reclaim.victims import Victims
from zsim.traces.trace import TaskTrace

ABSENT = -1
STEP = 1 << 20
"""Accesses at a time, so that what is worked out of them takes little memory beside them."""


class Lru(Victims):
    """The page whose last access is longest ago leaves.

    The hit loop leaves each access's start time in `stamp`. Pages wait in a heap by the stamp they had when they were
    last looked at; one that has been used since goes back with its new stamp, for stamps only grow. Accesses of a task
    at the same time are told apart by 1 ns each, of several tasks by the task's number.
    """

    def __init__(self, config: ReclaimConfig, memory: Memory, is_file: bytes, counters: Counters) -> None:
        super().__init__(config, memory, is_file, counters)
        self.stamp = array("q", bytes(8 * memory.pages))
        self.owner = np.zeros(memory.pages, dtype=np.uint16)
        self.tasks = 0
        self.newest = 0
        self._heap: list[tuple[int, int, int]] = []
        self._waits_as = array("q", [ABSENT]) * memory.pages
        self._written: OrderedDict[int, None] = OrderedDict()

    def stamp_values(self, task: TaskTrace, access_ns: int) -> npt.NDArray[np.int64]:
        """The times of the task's accesses, made strictly ascending."""
        if self.tasks:
            self.owner[task.accesses >> 1] = self.tasks
        self.tasks += 1
        return ascending(task.times_ns) if task.times_ns is not None else np.empty(0, dtype=np.int64)

    def insert(self, page: int, refault: bool) -> None:
        """The newest page; one that nobody accessed (readahead, writeback) as new as the last that was."""
        self.newest = self.stamp[page] = max(self.stamp[page], self.newest)
        self._push(page)

    def _push(self, page: int) -> None:
        stamp = self._waits_as[page] = self.stamp[page]
        heappush(self._heap, (stamp, int(self.owner[page]), page))

    def remove(self, page: int) -> None:
        """What is left of it in the heap is passed over later."""
        self._waits_as[page] = ABSENT
        self._written.pop(page, None)

    def activate(self, page: int) -> None:
        """As if it were accessed with the page that came in last."""
        self.remove(page)
        self._spare(page)
        self.counters.pgactivate += 1

    def rotate(self, page: int) -> bool:
        """Before all others, unless it is accessed first."""
        if self._waits_as[page] == ABSENT:
            return False
        self._waits_as[page] = ABSENT
        self._written[page] = None
        self.counters.pgrotated += 1
        return True

    def _victims(self) -> Iterator[int]:
        while self._written:
            page = self._written.popitem(last=False)[0]
            if self.memory.pte[page] & PRESENT:
                self._push(page)
            else:
                yield page
        while self._heap:
            stamp, _, page = heappop(self._heap)
            if stamp != self._waits_as[page]:
                continue
            if stamp != self.stamp[page]:
                self._push(page)
            else:
                self._waits_as[page] = ABSENT
                yield page

    def _spare(self, page: int) -> None:
        self.stamp[page] = max(self.stamp[page], self.newest)
        self._push(page)

    def validate(self) -> None:
        """Every page with a frame waits once, in the heap or because its write has ended."""
        waiting = [page for page, stamp in enumerate(self._waits_as) if stamp != ABSENT]
        self._check(waiting + list(self._written))
        heap = {(stamp, page) for stamp, _, page in self._heap}
        assert all((self._waits_as[page], page) in heap for page in waiting)


def ascending(times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Times of accesses in order, with 1 ns added to each that is not later than the one before."""
    if bool(np.all(times_ns[1:] > times_ns[:-1])):
        return times_ns
    later = times_ns.copy()
    for first in range(0, len(later), STEP):
        part = later[first : first + STEP]
        rows = np.arange(len(part), dtype=np.int64)
        part -= rows
        if first:
            part[0] = max(part[0], later[first - 1] + 1)
        np.maximum.accumulate(part, out=part)
        part += rows
    return later
