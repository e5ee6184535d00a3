"""One task's rows -> its accesses over densely numbered pages, with times, remaps and contents beside them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from zsim.errors import TraceError
from zsim.traces.columns import Columns
from zsim.traces.contentlog import LogWriter
from zsim.traces.numbering import Growing, PageNumbers
from zsim.traces.trace import TaskTrace

MAX_PAGES = 1 << 31
STEP = 1 << 20


class TaskBuilder:
    """One task's accesses as they come: numbered by first touch, kinds and contents noted beside them."""

    def __init__(self, name: str, starts_after: tuple[int, int] | None) -> None:
        self.name = name
        self.starts_after = starts_after
        self.numbers = PageNumbers()
        self.accesses = Growing(np.uint32)
        self.times_ns: Growing | None = None
        self.first_kinds = Growing(np.uint8)
        self.kinds = Growing(np.uint8)
        self.changes: list[tuple[int, int, int]] = []
        self.files: Growing | None = None
        self.changed_files: list[int] = []
        self.log = LogWriter()

    def add(self, run: Columns, rows: npt.NDArray[np.intp] | slice) -> None:
        """Append the given rows of a run, all of them this task's."""
        pages = self.numbers.number(run.page[rows])
        first_row = len(self.accesses)
        if len(self.numbers.pages) > MAX_PAGES:
            raise TraceError(f"{run.place(0)}: more than {MAX_PAGES} distinct pages in a task")
        self._note_kinds(pages, None if run.kind is None else run.kind[rows], first_row)
        if run.file is not None:
            self._note_files(pages, run.file.codes[rows], first_row)
        if run.time_ns is not None:
            self._note_times(run, run.time_ns[rows], rows)
        if run.content is not None:
            self.log.add(run.content[rows], first_row)
        self.accesses.extend(pages.astype(np.uint32) << np.uint32(1) | run.write[rows])

    def _note_times(self, run: Columns, times_ns: npt.NDArray[np.int64], rows: npt.NDArray[np.intp] | slice) -> None:
        if self.times_ns is None:
            self.times_ns = Growing(np.int64)
        last = self.times_ns.data[-1:] if len(self.times_ns) else np.zeros(1, np.int64)
        back = np.flatnonzero(np.diff(times_ns, prepend=last) < 0)
        if back.size:
            row = int(back[0])
            before = times_ns[row - 1] if row else last[0]
            place = run.place(int(np.arange(len(run))[rows][row]))
            raise TraceError(
                f"{place}: column 'time': {times_ns[row]} ns after {before} ns; "
                f"expected times that do not go back within task {self.name!r}"
            )
        self.times_ns.extend(times_ns)

    def _note_files(self, pages: npt.NDArray[np.int32], files: npt.NDArray[np.int32], first_row: int) -> None:
        """The file of each new page, by its first row, and of each page that came back as another kind of memory."""
        if self.files is None:
            self.files = Growing(np.int32)
        known = len(self.files)
        fresh = np.full(len(self.numbers.pages) - known, -1, np.int32)
        new = np.flatnonzero(pages >= known)[::-1]
        fresh[pages[new] - known] = files[new]
        self.files.extend(fresh)
        changed = self.changes[len(self.changed_files) :]
        self.changed_files += [int(files[row - first_row]) for row, _, _ in changed]

    def _note_kinds(self, pages: npt.NDArray[np.int32], kinds: npt.NDArray[np.uint8] | None, first_row: int) -> None:
        known = len(self.kinds)
        fresh = np.zeros(len(self.numbers.pages) - known, np.uint8)
        if kinds is not None and len(fresh):
            new = np.flatnonzero(pages >= known)[::-1]
            fresh[pages[new] - known] = kinds[new]  # backwards, so that a page's first row is the one that stays
        self.first_kinds.extend(fresh)
        self.kinds.extend(fresh)
        if kinds is not None:
            self._note_changes(pages, kinds, first_row)

    def _note_changes(self, pages: npt.NDArray[np.int32], kinds: npt.NDArray[np.uint8], first_row: int) -> None:
        """Where a page comes back as the other kind of memory: (row, page, kind) in the order of rows."""
        changed = pages[kinds != self.kinds.data[pages]]
        if not changed.size:
            return
        rows = np.flatnonzero(np.isin(pages, changed))
        rows = rows[np.argsort(pages[rows], kind="stable")]
        page, kind = pages[rows], kinds[rows]
        before = np.r_[kind[:1], kind[:-1]]
        starts = np.r_[True, page[1:] != page[:-1]]
        before[starts] = self.kinds.data[page[starts]]
        self.kinds.data[page] = kind
        at = np.flatnonzero(kind != before)
        self.changes += sorted((first_row + int(rows[i]), int(page[i]), int(kind[i])) for i in at)

    def finish(self, first_page: int) -> TaskTrace:
        """The task's part of the trace, its pages numbered from `first_page`."""
        accesses: Any = self.accesses.data
        remaps = self._renumber(accesses) if self.changes else []
        if first_page:
            accesses += np.uint32(first_page << 1)
        times: Any = None if self.times_ns is None else self.times_ns.data
        moved = [(row, page + first_page) for row, page in remaps]
        return TaskTrace(self.name, accesses, times, self.starts_after, moved)

    def _renumber(self, accesses: npt.NDArray[np.uint32]) -> list[tuple[int, int]]:
        """Give each change of kind its own page, numbered after all others; (row, page it replaces) in row order."""
        pages = len(self.numbers.pages)
        order = sorted(range(len(self.changes)), key=lambda i: self.changes[i][1])  # stable: by page, then row
        keys = np.array([self.changes[i][1] << 32 | self.changes[i][0] for i in order], np.uint64)
        affected = np.zeros(pages, bool)
        affected[(keys >> np.uint64(32)).astype(np.int64)] = True
        for start in range(0, len(accesses), STEP):
            part = accesses[start : start + STEP]
            rows = np.flatnonzero(affected[part >> 1])
            page = part[rows].astype(np.uint64) >> np.uint64(1)
            last = np.searchsorted(keys, page << np.uint64(32) | (rows + start).astype(np.uint64), "right") - 1
            moved = (last >= 0) & (keys[last] >> np.uint64(32) == page)
            fresh = np.array(order, np.uint32)[last[moved]] + np.uint32(pages)
            part[rows[moved]] = fresh << np.uint32(1) | part[rows[moved]] & np.uint32(1)
        current: dict[int, int] = {}
        remaps = []
        for i, (row, slot, _) in enumerate(self.changes):
            remaps.append((row, current.get(slot, slot)))
            current[slot] = pages + i
        return remaps

    @property
    def pages(self) -> int:
        """Pages, each change of kind counted as one more."""
        return len(self.numbers.pages) + len(self.changes)

    def page_numbers(self) -> npt.NDArray[np.uint64]:
        """The page number of each of the task's pages."""
        numbers: Any = self.numbers.pages.data
        again = [page for _, page, _ in self.changes]
        return np.concatenate((numbers, numbers[again])) if again else np.array(numbers)

    def file_codes(self) -> npt.NDArray[np.int32]:
        """The code of the file that each of the task's pages was named by, -1 for none."""
        codes: Any = np.full(len(self.numbers.pages), -1, np.int32) if self.files is None else self.files.data
        return np.concatenate((codes, np.array(self.changed_files or [-1] * len(self.changes), np.int32)))

    def is_file(self) -> npt.NDArray[np.uint8]:
        """1 for each of the task's pages that is page cache."""
        kinds: Any = self.first_kinds.data
        return np.concatenate((kinds, np.array([kind for _, _, kind in self.changes], np.uint8)))
