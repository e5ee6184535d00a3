"""What the simple policies share: one order of all pages, anonymous and file alike, and one victim after another."""

from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from zsim.config import ReclaimConfig
from zsim.memory import FRAME, Memory
from zsim.metrics import Counters
from zsim.reclaim import FREED, PageOut
from zsim.reclaim.balance import Pressure
from zsim.traces.trace import TaskTrace


class Victims:
    """A policy that only says which page is next; no priorities, no shares, no memory of evicted pages.

    A page that could not be freed, or whose write has been started, goes where a page just used would be, and is not
    tried again in the same pass; when its write ends `rotate` makes it the next victim.
    """

    stamp: "array[int]" = array("q")

    def __init__(self, config: ReclaimConfig, memory: Memory, is_file: bytes, counters: Counters) -> None:
        self.memory = memory
        self.counters = counters

    def stamp_values(self, task: TaskTrace, access_ns: int) -> npt.NDArray[np.int64]:
        """None."""
        return np.empty(0, dtype=np.int64)

    def shrink(self, pressure: Pressure, pageout: PageOut) -> Iterator[int]:
        """Evict until `pressure` is satisfied or every page has been tried: one batch."""
        freed, spared = 0, []
        if not pressure.satisfied:
            for page in self._victims():
                self.counters.pgscan += 1
                if pageout(page) == FREED:
                    freed += 1
                else:
                    spared.append(page)
                if pressure.satisfied:
                    break
        for page in spared:
            self._spare(page)
        yield freed

    def _victims(self) -> Iterator[int]:
        """Take the pages out of the order one by one, the next to leave first."""
        raise NotImplementedError

    def _spare(self, page: int) -> None:
        """Put a page taken out by `_victims` back."""
        raise NotImplementedError

    def snapshot_refaults(self) -> None:
        """Nothing is remembered between reclaims."""

    def try_harder(self) -> bool:
        """Every page has been tried already."""
        return False

    def _check(self, pages: list[int]) -> None:
        """`pages` are those with a frame, each once."""
        assert len(pages) == len(set(pages)) == self.memory.listed()
        assert all(self.memory.flags[page] & FRAME for page in pages)
