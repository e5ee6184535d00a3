"""The content log while a trace is read: rows and image ids per task, sorted by page when all are in."""

import tempfile
from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from zsim.traces.trace import ContentLog

SPOOL_BYTES = 16 << 20
STEP = 1 << 19
ENTRY = np.dtype([("row", np.uint32), ("id", np.int32)])


class LogWriter:
    """(row, image id) of one task in row order; beyond a few MB it waits in a temporary file, not in memory."""

    def __init__(self) -> None:
        self.entries = 0
        self._file = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - lives until the trace is built

    def add(self, ids: npt.NDArray[np.int32], first_row: int) -> None:
        """Note the rows that name an image; the first of `ids` belongs to `first_row`."""
        rows = np.flatnonzero(ids >= 0)
        entries = np.empty(len(rows), ENTRY)
        entries["row"] = rows + first_row
        entries["id"] = ids[rows]
        self._file.write(entries.tobytes())
        self.entries += len(entries)

    def parts(self) -> Iterator[npt.NDArray[np.void]]:
        """What was noted, from the start, in parts."""
        self._file.seek(0)
        while data := self._file.read(STEP * ENTRY.itemsize):
            yield np.frombuffer(data, ENTRY)

    def close(self) -> None:
        """Give the temporary file back."""
        self._file.close()


def content_log(logs: list[LogWriter], accesses: list[npt.NDArray[np.uint32]], pages: int) -> ContentLog | None:
    """The log of all tasks by page (the accesses name the page of each row); None where no row names an image."""
    if not any(log.entries for log in logs):
        return None
    counts = np.zeros(pages + 1, np.uint32)
    for log, own in zip(logs, accesses, strict=True):
        for part in log.parts():
            page, times = np.unique(own[part["row"]] >> 1, return_counts=True)
            counts[page + 1] += times.astype(np.uint32)
    total = sum(log.entries for log in logs)
    starts, rows, ids = array("I", [0]) * (pages + 1), array("I", [0]) * total, array("i", [0]) * total
    np.frombuffer(starts, np.uint32)[:] = np.cumsum(counts)
    cursor = np.frombuffer(starts, np.uint32)[:-1].astype(np.int64)
    for log, own in zip(logs, accesses, strict=True):
        for part in log.parts():
            _scatter(part, own[part["row"]] >> 1, cursor, np.frombuffer(rows, np.uint32), np.frombuffer(ids, np.int32))
        log.close()
    return ContentLog(starts, rows, ids)


def _scatter(
    part: npt.NDArray[np.void],
    pages: npt.NDArray[np.uint32],
    cursor: npt.NDArray[np.int64],
    rows: npt.NDArray[np.uint32],
    ids: npt.NDArray[np.int32],
) -> None:
    """Put a part's entries behind those of the same page already there, in row order."""
    order = np.argsort(pages, kind="stable")
    page = pages[order]
    first = np.r_[True, page[1:] != page[:-1]]
    begins = np.flatnonzero(first)
    at = cursor[page] + np.arange(len(page)) - np.repeat(begins, np.diff(np.r_[begins, len(page)]))
    rows[at] = part["row"][order]
    ids[at] = part["id"][order]
    cursor[page] = at + 1
