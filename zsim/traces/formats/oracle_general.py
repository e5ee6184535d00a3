"""libCacheSim's oracleGeneral: requests of a cache, 24 bytes each, plain or zstd.

Little-endian and packed: u32 time in seconds, u64 object, u32 size in bytes, i64 number of the object's next request,
counted from 1 (-1 or the largest value: never). Layout: libCacheSim, traceReader/customizedReader/oracle/
oracleGeneralBin.h and bin/traceUtils/traceConv.cpp.

Read: an object is a page of anonymous memory, whatever its size, as where libCacheSim ignores sizes; all accesses are
reads, for the format knows no writes. A clock that stands still over the first run of rows says nothing at this scale
and is left out. Written: an object is a page of 4096 bytes; a page of task t has the number t << 48 | page.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zsim.errors import TraceError, UsageError, ZsimError
from zsim.traces.columns import ROWS, Columns, Table
from zsim.traces.formats.accesses import Clock
from zsim.traces.numbering import Growing, PageNumbers
from zsim.traces.streams import open_bytes, pieces
from zsim.units import NS_PER_S, PAGE_SIZE

RECORD = np.dtype([("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")])
NEVER = -1
TASK_SHIFT = 48


def read(path: str, limit: int | None = None) -> Table:
    """libCacheSim's oracleGeneral, 24-byte records, plain or zstd: an object is a page that is read."""
    return Table(_chunks(path), {"imported": "oracleGeneral"}).limited(limit)


def _chunks(path: str) -> Iterator[Columns]:
    clock: Clock | None = None
    for number, records in enumerate(_records(path)):
        ticks = records["time"].astype(np.int64)
        clock = clock if number else Clock.that_moves(ticks, NS_PER_S)
        yield Columns(
            page=records["object"].astype(np.uint64),
            write=np.zeros(len(records), np.uint8),
            time_ns=clock.times_ns(ticks) if clock else None,
        )


def _records(path: str) -> Iterator[npt.NDArray[np.void]]:
    place = "stdin" if path == "-" else path
    rest, offset = b"", 0
    for piece in pieces(open_bytes(path), place):
        rest += piece
        whole = len(rest) - len(rest) % (RECORD.itemsize * ROWS)
        if whole:
            yield np.frombuffer(rest[:whole], RECORD)
            rest, offset = rest[whole:], offset + whole
    if over := len(rest) % RECORD.itemsize:
        at = offset + len(rest) - over
        raise TraceError(f"{place}: offset {at}: {over} bytes; expected a record of {RECORD.itemsize}, or the end")
    if rest:
        yield np.frombuffer(rest, RECORD)


class Writer:
    """oracleGeneral records, each with the number of the object's next request as soon as that is known."""

    def __init__(self, part: str, table: Table, name: str = "") -> None:
        if part == "-" or name.endswith(".gz"):
            raise UsageError(f"{name}: oracleGeneral is written to a file, plain or .zst; name one")
        self.part = Path(part)
        self.part.write_bytes(b"")
        self._compressed = name.endswith(".zst")
        self._rows = 0
        self._tasks: dict[str, int] = {}
        self._top = 0
        self._numbers = PageNumbers()
        self._last = Growing(np.int64)

    def write(self, run: Columns) -> None:
        """Append a run of rows."""
        records = np.zeros(len(run), RECORD)
        records["object"] = self._objects(run)
        records["size"] = PAGE_SIZE
        records["next"] = NEVER
        if run.time_ns is not None:
            records["time"] = np.minimum(run.time_ns // NS_PER_S, np.iinfo(np.uint32).max)
        with self.part.open("ab") as file:
            records.tofile(file)
        self._link(records["object"].astype(np.uint64))
        self._rows += len(run)

    def _objects(self, run: Columns) -> npt.NDArray[np.uint64]:
        if run.task is None:
            return run.page
        for code in np.unique(run.task.codes):
            self._tasks.setdefault(run.task.names[code], len(self._tasks))
        self._top = max(self._top, int(run.page.max(initial=0)))
        if len(self._tasks) > 1 and self._top >> TASK_SHIFT:
            raise ZsimError(f"page {self._top:#x} and several tasks; oracleGeneral has room for pages below 2^48")
        numbers = np.array([self._tasks.get(name, 0) for name in run.task.names], np.uint64)
        return run.page | numbers[run.task.codes] << np.uint64(TASK_SHIFT)

    def _link(self, objects: npt.NDArray[np.uint64]) -> None:
        """Tell the request before each of these, of the same object, that this is the next."""
        known = len(self._last)
        dense = self._numbers.number(objects)
        self._last.extend(np.full(len(self._numbers.pages) - known, NEVER))
        order = np.argsort(dense, kind="stable")
        page, at = dense[order], order + self._rows
        starts = np.r_[True, page[1:] != page[:-1]]
        before = np.r_[0, at[:-1]]
        before[starts] = self._last.data[page[starts]]
        self._last.data[page] = at
        again = before >= 0
        records = np.memmap(self.part, RECORD, "r+")
        records["next"][before[again]] = at[again] + 1
        records.flush()

    def close(self) -> None:
        """Compress the records where the name says so; before this, those yet to come may change them."""
        if not self._compressed:
            return
        import zstandard

        packed = self.part.with_suffix(".zst")
        try:
            with self.part.open("rb") as source, packed.open("wb") as target:
                zstandard.ZstdCompressor(write_content_size=False).copy_stream(source, target)
            packed.replace(self.part)
        finally:
            packed.unlink(missing_ok=True)
