"""The audit behind `--check`: every written page version is in one place, and what comes back is that version."""

import numpy as np
import numpy.typing as npt

from zsim.machine import Machine
from zsim.memory import FRAME, PG_DIRTY, SWAPCACHE
from zsim.traces.trace import Trace


class Audit:
    """Follows page versions independently of the dirty bits: a page's version is the number of its writes so far.

    The trace alone says what a page's version is at any moment; the machine must never bring back another.
    """

    def __init__(self, trace: Trace, machine: Machine) -> None:
        self.machine = machine
        self._writes = [_writes_by_page(task.accesses) for task in trace.tasks]
        self._copies: dict[int, int] = {}
        self._contents: dict[int, int] = {}

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
        entry = self.machine.store.content_of(self.machine.memory.slot[page])
        assert entry is None or entry == self._contents[page], f"page {page}: other contents came back"

    def validate(self) -> None:
        """The machine recounts itself; every page touched is somewhere, and the store has copies of nothing else."""
        self.machine.validate()
        for page, slot in enumerate(self.machine.memory.slot):
            if self.machine.memory.flags[page] & FRAME:
                cached = self.machine.memory.flags[page] & SWAPCACHE
                assert slot < 0 or cached, f"page {page}: has a slot and is not in the swap cache"
            elif self.machine.is_file[page]:
                assert self._copies.get(page, 0) == self.version(page), f"page {page}: its file was not written"
            else:
                self._validate_evicted(page, slot)
        waiting = set(self.machine.returned)
        for slot, page in enumerate(self.machine.slots.page_at):
            if page < 0 and slot not in waiting:
                assert self.machine.store.content_of(slot) is None, f"slot {slot}: free, and stored"

    def _validate_evicted(self, page: int, slot: int) -> None:
        """A page without a frame was never touched, or there is a copy of its version below."""
        flags = self.machine.memory.flags[page]
        if slot < 0:
            assert not flags, f"page {page}: lost"
        else:
            assert self._copies[page] == self.version(page), f"page {page}: only a stale copy is left"
            assert not flags & PG_DIRTY


def _writes_by_page(accesses: npt.NDArray[np.uint32]) -> dict[int, npt.NDArray[np.int64]]:
    """Page -> rows that write it, ascending."""
    rows = np.flatnonzero(accesses & 1)
    pages = accesses[rows] >> 1
    order = np.argsort(pages, kind="stable")
    distinct, first = np.unique(pages[order], return_index=True)
    groups = np.split(rows[order], first[1:])
    return dict(zip(distinct.tolist(), groups, strict=True)) if len(rows) else {}
