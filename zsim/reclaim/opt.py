"""Belady's OPT: what no policy can beat (Belady, "A study of replacement algorithms", IBM Systems Journal, 1966)."""

from array import array
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from zsim.config import ReclaimConfig
from zsim.memory import PRESENT, Memory
from zsim.metrics import Counters
from zsim.reclaim.lru import ascending
from zsim.reclaim.victims import Victims
from zsim.traces.trace import TaskTrace

NEVER = 1 << 61


class Future(NamedTuple):
    """A task's pages; when each of its accesses starts if nothing stalls, and NEVER after them; its stamps' shift."""

    pages: npt.NDArray[np.int64]
    times_ns: npt.NDArray[np.int64]
    shift: int


class Opt(Victims):
    """The page whose next use is farthest away leaves: a bound, for it reads the future in the trace.

    A stamp is (row of the page's next use << shift) + the task's offset, its stalls so far. With one task the order of
    rows is all that counts and the result is Belady's minimum. With several it is approximate, because stalls that are
    still to come shift the tasks' futures against each other. It minimizes misses; dirty pages cost no more than clean
    ones. Finding a victim looks at every page of the trace.
    """

    def __init__(self, config: ReclaimConfig, memory: Memory, is_file: bytes, counters: Counters) -> None:
        super().__init__(config, memory, is_file, counters)
        self.stamp = array("q", bytes(8 * memory.pages))
        self.owner = np.zeros(memory.pages, dtype=np.uint16)
        self.futures: list[Future] = []
        self.offsets_ns: list[int] = []
        self._waiting = np.zeros(memory.pages, dtype=np.bool_)
        self._written: OrderedDict[int, None] = OrderedDict()

    def stamp_values(self, task: TaskTrace, access_ns: int) -> npt.NDArray[np.int64]:
        """The row of the next use of each access's page, or the task's length, shifted up."""
        pages = task.accesses >> 1
        rows = len(pages)
        self.owner[pages] = len(self.futures)
        times_ns = np.arange(rows, dtype=np.int64) * access_ns if task.times_ns is None else ascending(task.times_ns)
        shift = 62 - rows.bit_length()
        self.futures.append(Future(np.unique(pages).astype(np.int64), np.append(times_ns, NEVER), shift))
        self.offsets_ns.append(0)
        return next_uses(pages) << shift

    def insert(self, page: int, refault: bool) -> None:
        """Of no consequence but for what its stamp says of its task's stalls."""
        self._waiting[page] = True
        task = int(self.owner[page])
        offset_ns = self.stamp[page] & ((1 << self.futures[task].shift) - 1)
        self.offsets_ns[task] = max(self.offsets_ns[task], offset_ns)

    def remove(self, page: int) -> None:
        """Gone."""
        self._waiting[page] = False
        self._written.pop(page, None)

    def activate(self, page: int) -> None:
        """Wanted or not, its next use is known."""
        self.counters.pgactivate += 1

    def rotate(self, page: int) -> bool:
        """Before all others, unless it is accessed first."""
        if not self._waiting[page]:
            return False
        self._waiting[page] = False
        self._written[page] = None
        self.counters.pgrotated += 1
        return True

    def _victims(self) -> Iterator[int]:
        while self._written:
            page = self._written.popitem(last=False)[0]
            if self.memory.pte[page] & PRESENT:
                self._waiting[page] = True
            else:
                yield page
        next_use_ns = self._next_uses_ns()
        while next_use_ns[page := int(next_use_ns.argmax())] >= 0:
            next_use_ns[page] = -1
            self._waiting[page] = False
            yield page

    def _next_uses_ns(self) -> npt.NDArray[np.int64]:
        """When each page is used next, as far as can be known now; -1 for those without a frame."""
        stamps = np.frombuffer(self.stamp, dtype=np.int64)
        uses_ns = np.empty(len(stamps), dtype=np.int64)
        for future, offset_ns in zip(self.futures, self.offsets_ns, strict=True):
            uses_ns[future.pages] = future.times_ns[stamps[future.pages] >> future.shift] + offset_ns
        uses_ns[~self._waiting] = -1
        return uses_ns

    def _spare(self, page: int) -> None:
        self._waiting[page] = True

    def validate(self) -> None:
        """Every page with a frame waits once."""
        self._check([*np.flatnonzero(self._waiting).tolist(), *self._written])


def next_uses(pages: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """For each access the row of the next access to the same page; the number of rows where there is none."""
    order = np.argsort(pages, kind="stable")
    again = pages[order[1:]] == pages[order[:-1]]
    following = np.full(len(pages), len(pages), dtype=np.int64)
    following[order[:-1][again]] = order[1:][again]
    return following
