"""Accessed bits by the page table: the walk of the aging, the look around of the eviction (mm/vmscan.c, 6.1 to 6.12).

A page table has 512 entries; the filter of the kernel (a Bloom filter, exact at these numbers) says which are worth a
walk. What a task maps beside the trace's pages is unknown: a table counts from its first to its last page in the trace.
"""

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

from zsim.memory import ACCESSED, Memory

PTRS_PER_PTE = 512
WINDOW = 64
"""MIN_LRU_BATCH entries are looked at around an accessed page."""

PTES_PER_CACHELINE = 8


class PageWalk:
    """Finds accessed pages and clears their bits.

    Tables are numbered by task, kind of memory and address. Two filters take turns: the one this walk goes by, which
    look_around adds to, and the one it makes for the next walk.
    """

    def __init__(self, memory: Memory, is_file: bytes) -> None:
        self.memory = memory
        self._pte = np.frombuffer(memory.pte, dtype=np.uint8)
        kinds = self._kinds = np.frombuffer(is_file, dtype=np.uint8)
        order = np.lexsort((memory.numbers, kinds, memory.owner))
        owner, kind, number = memory.owner[order], kinds[order], memory.numbers[order].astype(np.int64)
        table = number // PTRS_PER_PTE
        starts = np.ones(len(order), dtype=bool)
        starts[1:] = (np.diff(owner) != 0) | (np.diff(kind) != 0) | (np.diff(table) != 0)
        self._table = np.empty(len(order), dtype=np.intp)
        self._table[order] = np.cumsum(starts) - 1
        firsts = np.flatnonzero(starts)
        lasts = np.append(firsts[1:], len(order)) - 1
        self._entries = number[lasts] - number[firsts] + 1
        self._owner = owner[firsts].astype(np.intp)
        self._bounds: list[int] = np.append(firsts, len(order)).tolist()
        self._pages: list[int] = order.tolist()
        self._numbers: list[int] = number.tolist()
        self._filter = np.ones(len(firsts), dtype=bool)
        self._other_filter = np.ones(len(firsts), dtype=bool)
        self._new_task = np.ones(int(self._owner.max(initial=0)) + 1, dtype=bool)

    def walk(self, kinds: tuple[int, ...], switched: bool = False) -> npt.NDArray[np.intp]:
        """try_to_inc_max_seq's walk of all page tables: the accessed pages; tables with few are skipped the next time.

        Only memory of these kinds is looked at. A task's first walk looks everywhere; a task that has not been switched
        to since the last walk is passed over (lru_gen_use_mm), and where that is so of all tasks the filter is not made
        anew. Who has accessed nothing since then has not run, unless all have been `switched` to.
        """
        young = np.flatnonzero(self._pte & ACCESSED)
        tables = self._table[young]
        ran = self._owner[tables]
        walked = self._filter[tables] | self._new_task[ran]
        self._new_task[ran] = False
        walked &= np.isin(self._kinds[young], kinds)
        young, tables = young[walked], tables[walked]
        self._pte[young] &= ~ACCESSED & 0xFF
        if len(ran) or switched:
            found = np.bincount(tables, minlength=len(self._entries))
            self._other_filter = found * PTES_PER_CACHELINE >= self._entries
        self._filter, self._other_filter = self._other_filter, self._filter
        return young

    def look_around(self, page: int) -> list[int]:
        """lru_gen_look_around: the accessed pages around an accessed one (the bit of which is cleared as well)."""
        pte = self.memory.pte
        window, entries = self._window(page)
        pte[page] &= ~ACCESSED
        young = [near for near in window if pte[near] & ACCESSED]
        for near in young:
            pte[near] &= ~ACCESSED
        if (len(young) + 1) * PTES_PER_CACHELINE >= entries:
            self._filter[self._table[page]] = True
        return young

    def _window(self, page: int) -> tuple[list[int], int]:
        """The pages within 64 entries around a page in its table, and how many entries that is."""
        table = int(self._table[page])
        first, end = self._bounds[table], self._bounds[table + 1]
        start, stop = self._numbers[first], self._numbers[end - 1] + 1
        at = int(self.memory.numbers[page])
        if stop - start > WINDOW:
            start = min(max(at - WINDOW // 2, start), stop - WINDOW)
            stop = start + WINDOW
        first = bisect_left(self._numbers, start, first, end)
        return self._pages[first : bisect_left(self._numbers, stop, first, end)], stop - start
