"""The audit behind `--check`: every written page version is in one place, and what comes back is that version."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zsim.machine import Machine
from zsim.memory import FRAME, PG_DIRTY, SWAPCACHE
from zsim.stores import Cleancache
from zsim.traces.trace import Trace
from zsim.writes import Write


class Audit:
    """Follows page versions independently of the dirty bits: a page's version is the number of its writes so far.

    The trace alone says what a page's version is at any moment; the machine must never bring back another. What is on
    the swap device is what was submitted to it.
    """

    def __init__(self, trace: Trace, machine: Machine) -> None:
        self.machine = machine
        self._writes = [_writes_by_page(task.accesses) for task in trace.tasks]
        self._remaps = [task.remaps for task in trace.tasks]
        self._copies: dict[int, int] = {}
        self._contents: dict[int, int] = {}
        self._on_device: dict[int, tuple[int, int]] = {}
        machine.writes.watch = self._submitted
        self.cleancache = CheckedCleancache(machine.cleancache, self.version) if machine.cleancache else None
        machine.cleancache = self.cleancache

    def version(self, page: int) -> int:
        """Writes to `page` that have happened."""
        task = self.machine.owner[page]
        rows = self._writes[task].get(page)
        return 0 if rows is None else int(np.searchsorted(rows, self.machine.cursors[task]))

    def written(self, page: int) -> None:
        """The page is offered to the store or the device: the copy below is of this version."""
        self._copies[page] = self.version(page)
        self._contents[page] = self.machine.content(page)

    def read(self, page: int) -> None:
        """The copy below is used: it must be of the page's present version."""
        copy, now = self._copies.get(page), self.version(page)
        assert copy == now, f"page {page}: version {now} was written, version {copy} came back"
        machine, slot = self.machine, self.machine.memory.slot[page]
        kept = machine.store.content_of(slot)
        if page in machine.zero_pages:
            assert kept is None, f"page {page}: in the zero map and in the store"
            assert machine.contents.zero_filled[self._contents[page]], f"page {page}: zeros came back"
        elif kept is None:
            assert self._on_device.get(slot) == (page, now), f"page {page}: not in the store, nor on the device"
        else:
            assert kept == self._contents[page], f"page {page}: other contents came back"

    def _submitted(self, write: Write) -> None:
        """What is written is on the device from now on, or nowhere if the device fails it."""
        for page in write.pages:
            if write.failed:
                self._copies.pop(page, None)
            elif (slot := self.machine.memory.slot[page]) >= 0:
                self._on_device[slot] = page, self._copies[page]

    def validate(self) -> None:
        """The machine recounts itself; every page touched is somewhere, and the store has copies of nothing else."""
        self.machine.validate()
        for page, slot in enumerate(self.machine.memory.slot):
            if self.machine.is_file[page]:
                self._validate_file_page(page)
            elif self.machine.memory.flags[page] & FRAME:
                cached = self.machine.memory.flags[page] & SWAPCACHE
                assert slot < 0 or cached, f"page {page}: has a slot and is not in the swap cache"
            else:
                self._validate_evicted(page, slot)
        waiting = set(self.machine.returned)
        for slot, page in enumerate(self.machine.slots.page_at):
            if page < 0 and slot not in waiting:
                assert self.machine.store.content_of(slot) is None, f"slot {slot}: free, and stored"

    def _validate_file_page(self, page: int) -> None:
        """A page of a file is in the page cache, or its file is up to date and the store has that or nothing."""
        in_memory = self.machine.memory.flags[page] & FRAME
        written = self._copies.get(page, 0) == self.version(page)
        assert in_memory or written or self._is_mapped_anew(page), f"page {page}: its file was not written"
        if self.cleancache:
            self.cleancache.validate(page)
            assert not in_memory or self.cleancache.content_of_file(page) is None, f"page {page}: in two places"

    def _is_mapped_anew(self, page: int) -> bool:
        """Whether the page was unmapped, with all that had been written to it, and not written since."""
        task = self.machine.owner[page]
        row = max(
            (row for row, other in self._remaps[task] if other == page and row <= self.machine.cursors[task]),
            default=-1,
        )
        return row >= 0 and int(np.searchsorted(self._writes[task][page], row)) == self.version(page)

    def _validate_evicted(self, page: int, slot: int) -> None:
        """A page without a frame was never touched, or there is a copy of its version below."""
        flags = self.machine.memory.flags[page]
        if slot < 0:
            assert not flags, f"page {page}: lost"
        else:
            self.read(page)
            assert not flags & PG_DIRTY


class CheckedCleancache:
    """A store's cleancache operations; each get must give what was put last, and that must still be the file's."""

    def __init__(self, cleancache: Cleancache, version: Callable[[int], int]) -> None:
        self.cleancache = cleancache
        self.version = version
        self._puts: dict[int, tuple[int, int]] = {}

    def put_page(self, page: int, content: int) -> None:
        """Pass it on, and know what it was."""
        self._puts[page] = self.version(page), content
        self.cleancache.put_page(page, content)

    def get_page(self, page: int) -> bool:
        """Pass it on, if it may be read."""
        self.validate(page)
        return self.cleancache.get_page(page)

    def invalidate_page(self, page: int) -> None:
        """Pass it on: nothing may come back."""
        self._puts.pop(page, None)
        self.cleancache.invalidate_page(page)

    def content_of_file(self, page: int) -> int | None:
        """What is kept of the page."""
        return self.cleancache.content_of_file(page)

    def validate(self, page: int) -> None:
        """What is kept of the page, if anything, is what was put last, and the file has not changed since."""
        kept = self.content_of_file(page)
        assert kept is None or self._puts.get(page) == (self.version(page), kept), f"page {page}: a stale page is kept"


def _writes_by_page(accesses: npt.NDArray[np.uint32]) -> dict[int, npt.NDArray[np.int64]]:
    """Page -> rows that write it, ascending."""
    rows = np.flatnonzero(accesses & 1)
    pages = accesses[rows] >> 1
    order = np.argsort(pages, kind="stable")
    distinct, first = np.unique(pages[order], return_index=True)
    groups = np.split(rows[order], first[1:])
    return dict(zip(distinct.tolist(), groups, strict=True)) if len(rows) else {}
