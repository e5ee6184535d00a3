"""What accesses recorded by others have in common: ranges of bytes, repeated hits, a clock of their own."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zsim.errors import TraceError
from zsim.traces.columns import Columns, Labels
from zsim.traces.trace import NO_CONTENT

PAGE_SHIFT = 12
MAX_PAGES = 1 << 20
"""Pages of one access, 4 GiB: a size beyond that is no size."""
Rows = npt.NDArray[np.intp] | slice


def pages_of(
    first_byte: npt.NDArray[np.uint64], size_bytes: npt.NDArray[np.uint64], place: Callable[[int], str]
) -> tuple[Rows, npt.NDArray[np.uint64]]:
    """(row, page) of every page that the ranges of bytes touch, in order; a size of 0 touches one."""
    first = first_byte >> np.uint64(PAGE_SHIFT)
    last = (first_byte + np.maximum(size_bytes, np.uint64(1)) - np.uint64(1)) >> np.uint64(PAGE_SHIFT)
    more = (last - first).astype(np.int64)
    if not more.any():
        return slice(None), first
    wrong = np.flatnonzero((more < 0) | (more >= MAX_PAGES))
    if wrong.size:
        row = int(wrong[0])
        raise TraceError(f"{place(row)}: a size of {size_bytes[row]} bytes; expected at most {MAX_PAGES} pages")
    rows = np.repeat(np.arange(len(first)), more + 1)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(more + 1) - more - 1, more + 1)
    return rows, first[rows] + within.astype(np.uint64)


def requests(  # noqa: PLR0913
    volume: Labels,
    write: npt.NDArray[np.uint8],
    time_ns: npt.NDArray[np.int64],
    first_byte: npt.NDArray[np.uint64],
    size_bytes: npt.NDArray[np.uint64],
    place: Callable[[int], str],
    image: npt.NDArray[np.int32] | None = None,
) -> Columns:
    """Requests to block devices as accesses to the page cache: a volume is a task and a file.

    image  what the first page of each request holds; not said of its other pages
    """
    rows, page = pages_of(first_byte, size_bytes, place)
    number = np.arange(len(volume.codes))[rows]
    who = Labels(volume.codes[rows], volume.names)
    content = None if image is None else image[number]
    if content is not None:
        content[1:][number[1:] == number[:-1]] = NO_CONTENT
    kind = np.ones(len(page), np.uint8)
    return Columns(page, write[rows], time_ns[rows], who, kind, content, who, place_of(number, place))


def place_of(rows: npt.NDArray[np.intp], place: Callable[[int], str]) -> Callable[[int], str]:
    """The places of some rows of a run, by their index among these."""
    return lambda row: place(int(rows[row]))


class Repeats:
    """Which accesses of a long sequence change anything: not those to the page that was just accessed.

    Of accesses to one page without another in between, the first stays, and the first write.
    """

    def __init__(self) -> None:
        self._page: int | None = None
        self._written = False

    def kept(self, page: npt.NDArray[np.uint64], write: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
        """The rows of a run that stay; the next run goes on where this one ends."""
        if not len(page):
            return np.empty(0, np.intp)
        starts = np.r_[self._page is None or int(page[0]) != self._page, page[1:] != page[:-1]]
        stretch = np.cumsum(starts)
        writes = np.flatnonzero(write)
        first_writes = writes[np.r_[True, stretch[writes[1:]] != stretch[writes[:-1]]][: len(writes)]]
        if self._written and len(first_writes) and stretch[first_writes[0]] == 0:
            first_writes = first_writes[1:]
        self._written = bool(write[stretch == stretch[-1]].any()) or (self._written and stretch[-1] == 0)
        self._page = int(page[-1])
        starts[first_writes] = True
        return np.flatnonzero(starts)


class Program:
    """Accesses of a program, whose clock is the instructions it has fetched, a nanosecond each."""

    def __init__(self) -> None:
        self._repeats = Repeats()
        self._instructions = 0

    def columns(  # noqa: PLR0913
        self,
        address: npt.NDArray[np.uint64],
        size_bytes: npt.NDArray[np.uint64],
        fetch: npt.NDArray[np.bool_],
        write: npt.NDArray[np.uint8],
        place: Callable[[int], str],
        task: Labels | None = None,
    ) -> Columns:
        """The pages of a run of accesses, without repeats."""
        time_ns = self._instructions + np.cumsum(fetch) - fetch
        self._instructions += int(np.count_nonzero(fetch))
        rows, page = pages_of(address, size_bytes, place)
        who = page if task is None else page | task.codes[rows].astype(np.uint64) << np.uint64(64 - PAGE_SHIFT)
        kept = self._repeats.kept(who, write[rows])
        number = np.arange(len(address))[rows][kept]
        return Columns(
            page=page[kept],
            write=write[number],
            time_ns=time_ns[number],
            task=None if task is None else Labels(task.codes[number], task.names),
            place=place_of(number, place),
        )


class Clock:
    """Times of a foreign clock, in units of `scale_ns`, as a trace has them: from the task's first row, never back."""

    def __init__(self, scale_ns: int) -> None:
        self.scale_ns = scale_ns
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def times_ns(self, ticks: npt.NDArray[np.int64], task: Labels | None = None) -> npt.NDArray[np.int64]:
        """The times of a run's rows."""
        if task is None:
            return self._of("", ticks)
        times_ns = np.empty(len(ticks), np.int64)
        for code in np.unique(task.codes):
            rows = task.codes == code
            times_ns[rows] = self._of(task.names[code], ticks[rows])
        return times_ns

    @classmethod
    def that_moves(cls, ticks: npt.NDArray[np.int64], scale_ns: int) -> "Clock | None":
        """A clock, unless it stands still over a first run of rows: then it says nothing at the scale of accesses."""
        return cls(scale_ns) if len(ticks) and ticks[0] != ticks[-1] else None

    def _of(self, name: str, ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        if not len(ticks):
            return ticks
        since = ticks - self._first.setdefault(name, int(ticks[0]))
        since = np.maximum(np.maximum.accumulate(since), self._last.get(name, 0))
        self._last[name] = int(since[-1])
        return since * self.scale_ns
