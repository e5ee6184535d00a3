"""Page frames and page tables: which page is mapped, what reclaim knows of it, and how many frames are left."""

from math import isqrt
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from zsim.units import PAGE_SIZE

# A page-table entry, as the processor sees it. An access needs PRESENT, a write WRITABLE: 1 << (access & 1).
PRESENT = 1
WRITABLE = 2
ACCESSED = 4
DIRTY = 8

# A page's own flags: FRAME it holds a frame; SWAPCACHE that frame is in the swap cache (and has a slot); PG_DIRTY it
# differs from any copy below; WRITEBACK it is being written; RECLAIM it goes to the inactive tail when that ends;
# SEEN the page has been touched before. READAHEAD, it was brought in by readahead and has not been used, is RECLAIM by
# another name, as in the kernel: a page that is being written and is found in the swap cache counts as read ahead.
# LOCKED: it is being read for a fault, until it is mapped. UNFLUSHED: it is a file's, and dirty until flusher threads
# write it, where these are modelled.
FRAME = 1
SWAPCACHE = 2
PG_DIRTY = 4
WRITEBACK = 8
RECLAIM = 16
READAHEAD = RECLAIM
SEEN = 32
LOCKED = 64
UNFLUSHED = 128

BUFFER_HEAD_BYTES = 112
"""A filesystem's note on a page that was dirtied (struct buffer_head: 104), and by whom it is charged."""


class Watermarks(NamedTuple):
    """A zone's marks in pages: direct reclaim below `min`, kswapd from below `low` until `high`."""

    min: int
    low: int
    high: int


def watermarks(
    managed_pages: int, min_free_kbytes: int = -1, scale_factor: int = 10, modern: bool = True
) -> Watermarks:
    """The marks of one zone of `managed_pages`, after mm/page_alloc.c of 4.6 and later.

    `min_free_kbytes` -1 is the kernel's own choice, isqrt(16 * kB) within 128 .. 262144. In 3.11 the gap between the
    marks is a quarter of `min`, as here when that is the larger: write scale_factor 0 for it.
    """
    kbytes = managed_pages * (PAGE_SIZE // 1024)
    if min_free_kbytes < 0:
        min_free_kbytes = min(max(isqrt(16 * kbytes), 128), 262144)
    low = min_free_kbytes * 1024 // PAGE_SIZE
    gap = max(low // 4, managed_pages * scale_factor // 10000)
    return Watermarks(low, low + gap, low + 2 * gap)


class Places(Protocol):
    """Who follows which frame a page has."""

    def place(self, page: int) -> None:
        """A page gets a frame."""
        ...

    def leave(self, page: int) -> None:
        """A page gives up its frame."""
        ...


class Memory:
    """The page tables of every task and the count of frames their pages hold.

    Pages are numbered over all tasks. `pte` is one byte a page, 0 where the page is
    not mapped, shared with the hit loop; `flags` one byte a page;
    `slot` the swap slot a page's contents live in, -1 for none. `owner` and `numbers` are where the page is mapped:
    the task and its virtual page number; without, one task maps the pages one after the other.
    """

    def __init__(
        self,
        pages: int,
        owner: npt.NDArray[np.uint16] | None = None,
        numbers: npt.NDArray[np.uint64] | None = None,
    ) -> None:
        self.pages = pages
        self.owner = np.zeros(pages, dtype=np.uint16) if owner is None else owner
        self.numbers = np.arange(pages, dtype=np.uint64) if numbers is None else numbers
        self.pte = bytearray(pages)
        self.flags = bytearray(pages)
        self.slot = [-1] * pages
        self.frames = 0
        self.zones: Places | None = None
        self.lru_add: list[int] = []
        """Pages that have a frame and are on their way to reclaim's lists (a per-CPU batch of mm/swap.c)."""
        self.tables_bytes = 0
        """Page tables, page-cache nodes and buffer heads, where they are counted."""
        self._buffers: set[int] = set()

    def take_frame(self, page: int) -> None:
        """A page gets a frame."""
        self.frames += 1
        if self.zones is not None:
            self.zones.place(page)

    def give_frame(self, page: int) -> None:
        """A page gives up its frame."""
        if self.zones is not None:
            self.zones.leave(page)
        self.frames -= 1
        if page in self._buffers:
            self._buffers.remove(page)
            self.tables_bytes -= BUFFER_HEAD_BYTES

    def attach_buffers(self, page: int) -> None:
        """The filesystem needs a buffer head for the page, as long as it has a frame."""
        if page not in self._buffers:
            self._buffers.add(page)
            self.tables_bytes += BUFFER_HEAD_BYTES

    def buffer_pages(self) -> int:
        """Pages of buffer heads."""
        return -(-len(self._buffers) * BUFFER_HEAD_BYTES // PAGE_SIZE)

    def listed(self) -> int:
        """Pages that reclaim's lists know."""
        return self.frames - len(self.lru_add)

    def mapped(self) -> int:
        """Pages mapped into a task now."""
        return self.pages - self.pte.count(0)

    def validate(self) -> None:
        """Recount the frames; whatever is mapped, cached or being written holds one."""
        assert self.frames == sum(flag & FRAME for flag in self.flags)
        for bits, flag, slot in zip(self.pte, self.flags, self.slot, strict=True):
            assert not bits or (bits & PRESENT and flag & FRAME)
            assert not flag & (PG_DIRTY | UNFLUSHED | WRITEBACK | SWAPCACHE) or flag & FRAME
            assert not flag & SWAPCACHE or slot >= 0
