"""Dirty pages of files and the flusher threads that write them (mm/page-writeback.c, fs/fs-writeback.c)."""

from bisect import bisect_left
from collections.abc import Sequence

from zsim.audit import Audit
from zsim.machine import Machine
from zsim.memory import DIRTY, RECLAIM, UNFLUSHED, WRITABLE, WRITEBACK
from zsim.tlb import Tlb

FIRST_PAUSE_PAGES = 32
"""A task looks at how much is dirty after so many pages; later as often as that is near the limit."""
MIN_WRITEBACK_PAGES = 1024
"""A flusher thread writes so many pages before it looks whether that is enough."""


class DirtyPages:
    """Pages of files mapped shared, as 6.1 and 6.12 keep account of those that are dirty.

    The first write to a clean page faults (page_mkwrite). Reclaim activates a dirty page and does not write it. Where
    more than `file.dirty_background_ratio` percent of what could be dirty (free pages and those of files) is, flusher
    threads write, going round the files, until it is less; in a cgroup, whose own pages then count, they begin half-way
    to `file.dirty_ratio`. What they write is mapped read-only again (folio_mkclean) and gone from the TLB; what a
    device fails stays dirty. Left out: that who dirties pages is made to sleep, and looks by its own count (all tasks
    have one); kswapd's own writes, pages written because they are 30 s old; reclaim wakes the flusher threads only when
    it has freed nothing.

    pages   those that are dirty
    tlbs    of the tasks
    """

    def __init__(self, machine: Machine, audit: Audit | None) -> None:
        self.machine = machine
        self.audit = audit
        self.pages: set[int] = set()
        self.tlbs: Sequence[Tlb] = ()
        self._ratios = machine.config.file.dirty_background_ratio, machine.config.file.dirty_ratio
        self._has_buffers = machine.config.memory.tables
        self._dirtied, self._pause = 0, FIRST_PAUSE_PAGES
        self._next_block = 0
        """Where the flusher threads go on (range_cyclic)."""

    def mark(self, page: int) -> None:
        """folio_mark_dirty: a task may write to the page from now on. Others may be flushed before."""
        memory = self.machine.memory
        if not memory.flags[page] & UNFLUSHED:
            self._dirtied += 1
            if self._dirtied >= self._pause:
                self._balance()
            self.pages.add(page)
            if self._has_buffers:
                memory.attach_buffers(page)
        memory.flags[page] = memory.flags[page] & ~RECLAIM | UNFLUSHED

    def forget(self, page: int) -> None:
        """The page is gone."""
        self.pages.discard(page)
        self.machine.writes.failed.discard(page)

    def _balance(self) -> None:
        """balance_dirty_pages: wake the flusher threads where too much is dirty; when to look again."""
        machine, room = self.machine, self.machine.room
        free_pages = max(room.frames_left() - max(room.marks.high, 0), 0)
        background, thresh = (ratio * (free_pages + machine.file_frames()) // 100 for ratio in self._ratios)
        background = background if background < thresh else thresh // 2
        dirty = len(self.pages) + len(machine.writes.from_flusher)
        if len(self.pages) > background and (not room.is_memcg or dirty > (background + thresh) // 2):
            self._write_until(background)
        self._dirtied, self._pause = 0, _poll_interval(dirty, thresh)

    def flush(self) -> None:
        """wakeup_flusher_threads: start to write whatever is dirty and not under way already."""
        self._write_until(0)

    def _write_until(self, enough: int) -> None:
        machine, flags = self.machine, self.machine.memory.flags
        self.pages |= machine.writes.failed
        machine.writes.failed.clear()
        blocks = sorted((machine.file_block[page], page) for page in self.pages if not flags[page] & WRITEBACK)
        first = bisect_left(blocks, (self._next_block, -1))
        for number, (block, page) in enumerate(blocks[first:] + blocks[:first]):
            if number % MIN_WRITEBACK_PAGES == 0 and len(self.pages) <= enough:
                break
            self._write(page)
            self._next_block = block + 1
        machine.flush_writes()
        for tlb in self.tlbs if blocks else ():
            tlb.flush()

    def _write(self, page: int) -> None:
        """folio_clear_dirty_for_io, and off it goes; from a page table it comes dirty once more, and so unmarked."""
        machine, pte = self.machine, self.machine.memory.pte
        machine.memory.flags[page] &= ~(UNFLUSHED | RECLAIM) if pte[page] & WRITABLE else ~UNFLUSHED
        machine.versions[page] += pte[page] & DIRTY > 0
        pte[page] &= ~(WRITABLE | DIRTY)
        machine.unmapped_tasks.add(machine.owner[page])
        self.pages.discard(page)
        if self.audit:
            self.audit.written(page)
        if machine.plug_is_full(page):
            machine.flush_writes()
        machine.flush_page(page)


def _poll_interval(dirty: int, thresh: int) -> int:
    """dirty_poll_interval: a power of two near the root of what is left to the limit."""
    return 1 << ((thresh - dirty).bit_length() - 1 >> 1) if thresh > dirty else 1
