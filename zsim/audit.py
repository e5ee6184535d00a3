"""The audit behind `--check`: every written page version is in one place, and what comes back is that version."""

import numpy as np
import numpy.typing as npt

from zsim.machine import Machine
from zsim.memory import FRAME, PG_DIRTY
from zsim.traces.trace import Trace


class Audit:
    """Follows page versions independently of the dirty bits: a page's version is the number of its writes so far.

    The trace alone says what a page's version is at any moment; the machine must never bring back another.
    """

    def __init__(self, trace: Trace, machine: Machine) -> None:
        self.machine = machine
        self._writes = [_writes_by_page(task.accesses) for task in trace.tasks]
        self._copies: dict[int, int] = {}

    def version(self, page: int) -> int:
        """Writes to `page` that have happened."""
        task = self.machine.owner[page]
        rows = self._writes[task].get(page)
        return 0 if rows is None else int(np.searchsorted(rows, self.machine.cursors[task]))

    def written(self, page: int) -> None:
        """The page is offered to the store or the device: the copy below is of this version."""
        self._copies[page] = self.version(page)

    def read(self, page: int) -> None:
        """The copy below is used: it must be of the page's present version."""
        copy, now = self._copies.get(page), self.version(page)
        assert copy == now, f"page {page}: version {now} was written, version {copy} came back"
        entry = self.machine.store.content_of(self.machine.memory.slot[page])
        assert entry is None or entry == self.machine.content(page), f"page {page}: other contents came back"

    def validate(self) -> None:
        """The machine recounts itself; every page touched is somewhere, a dropped one has a copy of its version."""
        machine, memory = self.machine, self.machine.memory
        machine.validate()
        for page, slot in enumerate(memory.slot):
            flags = memory.flags[page]
            if flags & FRAME or machine.is_file[page]:
                continue
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
