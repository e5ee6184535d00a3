"""Swap readahead: which pages a fault brings in besides its own (mm/swap_state.c)."""

from bisect import bisect_left
from typing import Protocol

import numpy as np

from zsim.memory import Memory
from zsim.swap import PrioritySlots, SwapSlots

PTRS_PER_PMD = 512
"""Pages under one page table: a window by address does not leave it, and a gap as long ends a VMA here."""

VMA_ORDER_MAX = 5
"""SWAP_RA_ORDER_CEILING: a window by address has 32 pages at most."""

VMA_HITS_MAX = 63
VMA_HITS_BEFORE = 4
"""Hits that a VMA is credited with before its first fault."""


class Readahead(Protocol):
    """A way to choose what is read ahead."""

    def window(self, page: int) -> list[int]:
        """For a fault on `page`: the pages to bring in, in this order, itself among them; some may be in memory."""
        ...

    def found(self, page: int, ahead: bool) -> None:
        """A fault found `page` in the swap cache; `ahead`: it had been read ahead and not been used."""
        ...


def window_pages(before: int, at: int, hits: int, max_pages: int, last_pages: int) -> int:
    """__swapin_nr_pages: hits + 2 rounded up to 4, 8, ..; without hits 2 next to the last fault, else 1.

    `before`, `at` are where the last fault and this one are; at most `max_pages`, at least half of the last window.
    """
    if hits:
        pages = 4
        while pages < hits + 2:
            pages *= 2
    else:
        pages = 2 if abs(at - before) == 1 else 1
    return max(min(pages, max_pages), last_pages // 2)


class NoReadahead:
    """vm.page-cluster 0: a fault brings in its own page."""

    def window(self, page: int) -> list[int]:
        """The page."""
        return [page]

    def found(self, page: int, ahead: bool) -> None:
        """Nothing follows."""


class BlockReadahead:
    """Always the whole aligned block of 2^page_cluster slots round the fault's (Linux to 3.13)."""

    def __init__(self, page_cluster: int, slot: list[int], slots: SwapSlots | PrioritySlots, disk_from: int) -> None:
        self.max_pages = 1 << page_cluster
        self.slot = slot
        self.slots = slots
        self.disk_from = disk_from

    def window(self, page: int) -> list[int]:
        """The pages whose slots are in the block; a page that is not on the disk comes alone."""
        at = self.slot[page] - self.disk_from
        pages = self._pages(at) if at >= 0 else 1
        first = at - at % pages + self.disk_from
        return [near for near in self.slots.page_at[first : first + pages] if near >= 0] if pages > 1 else [page]

    def _pages(self, at: int) -> int:
        return self.max_pages

    def found(self, page: int, ahead: bool) -> None:
        """Nobody counts."""


class ClusterReadahead(BlockReadahead):
    """An aligned block of slots, as large as what was read ahead before has been of use (3.14 and later)."""

    def __init__(self, page_cluster: int, slot: list[int], slots: SwapSlots | PrioritySlots, disk_from: int) -> None:
        super().__init__(page_cluster, slot, slots, disk_from)
        self.hits = self._last_pages = self._last_at = 0

    def _pages(self, at: int) -> int:
        """swapin_nr_pages, which forgets the hits."""
        pages = window_pages(self._last_at, at, self.hits, self.max_pages, self._last_pages)
        if not self.hits:
            self._last_at = at
        self._last_pages, self.hits = pages, 0
        return pages

    def found(self, page: int, ahead: bool) -> None:
        """What was read ahead was of use."""
        self.hits += ahead


class VmaReadahead:
    """Pages by virtual address round the fault, sized and directed by the VMA's last fault (4.14 and later).

    What a trace does not touch is unknown, so that a VMA is a run of a task's pages of one kind, without a gap of a
    whole page table. Pages in the slots before `disk_from` (of a store that is a device itself) are not read ahead.
    """

    def __init__(self, page_cluster: int, memory: Memory, is_file: bytes, disk_from: int) -> None:
        self.max_pages = 1 << min(page_cluster, VMA_ORDER_MAX)
        self.slot = memory.slot
        self.disk_from = disk_from
        kinds = np.frombuffer(is_file, np.uint8)
        order = np.lexsort((memory.numbers, kinds, memory.owner))
        owner, kind, number = memory.owner[order], kinds[order], memory.numbers[order].astype(np.int64)
        starts = np.ones(len(order), bool)
        starts[1:] = (np.diff(owner) != 0) | (np.diff(kind) != 0) | (np.diff(number) > PTRS_PER_PMD)
        vma = np.empty(len(order), np.intp)
        vma[order] = np.cumsum(starts) - 1
        self._vma: list[int] = vma.tolist()
        self._bounds: list[int] = np.append(np.flatnonzero(starts), len(order)).tolist()
        self._pages: list[int] = order.tolist()
        self._numbers: list[int] = number.tolist()
        self._number: list[int] = memory.numbers.astype(np.int64).tolist()
        self._info = dict.fromkeys(self._vma, (-2, 0, VMA_HITS_BEFORE))
        """swap_readahead_info: page number of the last fault, last window, hits since."""

    def window(self, page: int) -> list[int]:
        """swap_vma_ra_win: from the fault on, up to it, or round it, inside VMA and page table."""
        if self.slot[page] < self.disk_from:
            return [page]
        vma, at = self._vma[page], self._number[page]
        last, last_pages, hits = self._info[vma]
        pages = window_pages(last, at, hits, self.max_pages, last_pages)
        self._info[vma] = (at, pages, 0)
        if pages == 1:
            return [page]
        before = 0 if at == last + 1 else pages - 1 if at == last - 1 else (pages - 1) // 2
        return self._swapped(vma, page, at - before, at - before + pages)

    def _swapped(self, vma: int, page: int, start: int, stop: int) -> list[int]:
        table = self._number[page] // PTRS_PER_PMD * PTRS_PER_PMD
        first, end = self._bounds[vma], self._bounds[vma + 1]
        first = bisect_left(self._numbers, max(start, table), first, end)
        end = bisect_left(self._numbers, min(stop, table + PTRS_PER_PMD), first, end)
        return [near for near in self._pages[first:end] if self.slot[near] >= self.disk_from]

    def found(self, page: int, ahead: bool) -> None:
        """swap_cache_get_folio: where the task is, and that readahead was of use."""
        vma = self._vma[page]
        _, pages, hits = self._info[vma]
        self._info[vma] = (self._number[page], pages, min(hits + ahead, VMA_HITS_MAX))
