"""Dirty pages of files and the flusher threads that write them (mm/page-writeback.c, fs/fs-writeback.c)."""

from collections.abc import Sequence

from zsim.audit import Audit
from zsim.machine import Machine
from zsim.memory import DIRTY, RECLAIM, UNFLUSHED, WRITABLE, WRITEBACK
from zsim.tlb import Tlb

FIRST_PAUSE_PAGES = 32
"""A task looks at how much is dirty after so many pages of its own; later as often as that is near the limit."""


class DirtyPages:
    """Pages of files mapped shared, as 6.1 and 6.12 keep account of those that are dirty.

    The first write to a clean page faults (page_mkwrite). Reclaim activates a dirty page and does not write it. Where
    more than `file.dirty_background_ratio` percent of what could be dirty (free pages and those of files) is, flusher
    threads write it all; in a cgroup, whose own pages then count, from half-way to `file.dirty_ratio` on. What they
    write is mapped read-only again (folio_mkclean) and gone from the TLB. Left out: that who dirties pages is made to
    sleep, kswapd's own writes, pages written because they are 30 s old; reclaim wakes the flusher threads only when it
    has freed nothing.

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

    def _balance(self) -> None:
        """balance_dirty_pages: wake the flusher threads where too much is dirty; when to look again."""
        machine, room = self.machine, self.machine.room
        free_pages = max(room.frames_left() - max(room.marks.high, 0), 0)
        background, thresh = (ratio * (free_pages + machine.file_frames()) // 100 for ratio in self._ratios)
        background = background if background < thresh else thresh // 2
        dirty = len(self.pages) + len(machine.writes.from_flusher)
        if dirty > (background + thresh) // 2 if room.is_memcg else len(self.pages) > background:
            self.flush()
        self._dirtied, self._pause = 0, _poll_interval(dirty, thresh)

    def flush(self) -> None:
        """wakeup_flusher_threads: start to write what is dirty and not under way already."""
        machine, flags = self.machine, self.machine.memory.flags
        for page in sorted(self.pages, key=lambda page: machine.file_block[page]):
            if not flags[page] & WRITEBACK:
                self._write(page)
        machine.flush_writes()
        for tlb in self.tlbs:
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
