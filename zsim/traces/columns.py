"""What every trace format is read into: runs of consecutive rows, column by column."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

ROWS = 1 << 18
"""Rows of a run: enough for array operations to pay, few enough that a run's temporaries stay below 30 MB."""

KINDS = {"anon": 0, "file": 1, "": 0, "0": 0, "1": 1}
SCALES_NS = {"time_ns": 1, "t_us": 1000, "time_us": 1000}
COLUMNS = ["page", "op", *SCALES_NS, "task", "kind", "content", "file"]
OPS = {"R": 0, "W": 1, "r": 0, "w": 1, "0": 0, "1": 1}


@dataclass
class Labels:
    """A column of text: codes index into names."""

    codes: npt.NDArray[np.int32]
    names: list[str]


@dataclass
class Columns:
    """Consecutive rows of a trace; a column that the trace does not have is None.

    page     uint64 page numbers; write: uint8, 1 = write
    time_ns  int64, from the task's own start; kind: uint8, 1 = file; content: int32 image ids, -1 = none
    task, file  who made the access, and the page-cache object it went to
    place    "trace.csv:17" for row i of this run, for messages
    """

    page: npt.NDArray[np.uint64]
    write: npt.NDArray[np.uint8]
    time_ns: npt.NDArray[np.int64] | None = None
    task: Labels | None = None
    kind: npt.NDArray[np.uint8] | None = None
    content: npt.NDArray[np.int32] | None = None
    file: Labels | None = None
    place: Callable[[int], str] = "row {}".format

    def __len__(self) -> int:
        return len(self.page)

    def cut(self, rows: int) -> "Columns":
        """The first `rows` rows."""
        return self.take(slice(rows))

    def take(self, rows: slice | npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Columns":
        """Some of the rows; places are still those of the whole run."""
        return Columns(
            self.page[rows],
            self.write[rows],
            None if self.time_ns is None else self.time_ns[rows],
            None if self.task is None else Labels(self.task.codes[rows], self.task.names),
            None if self.kind is None else self.kind[rows],
            None if self.content is None else self.content[rows],
            None if self.file is None else Labels(self.file.codes[rows], self.file.names),
            self.place,
        )


def joined(one: Columns, other: Columns) -> Columns:
    """The rows of two runs with the same columns, whose labels mean the same."""

    def column(name: str) -> Any:
        first, then = getattr(one, name), getattr(other, name)
        if isinstance(first, Labels):
            return Labels(np.concatenate((first.codes, then.codes)), then.names)
        return None if first is None else np.concatenate((first, then))

    names = ("page", "write", "time_ns", "task", "kind", "content", "file")
    return Columns(**{name: column(name) for name in names})


@dataclass
class Table:
    """A trace being read: what its header says, and its rows run by run.

    time  the name, and so the unit, that the column of times has in the file: "time_ns" or "t_us"
    """

    chunks: Iterator[Columns]
    header: dict[str, Any] = field(default_factory=dict)
    time: str = "time_ns"

    def limited(self, rows: int | None) -> "Table":
        """The same table cut after `rows` rows; the rest is not read."""
        return self if rows is None else Table(_first(self.chunks, rows), self.header, self.time)


def _first(chunks: Iterator[Columns], rows: int) -> Iterator[Columns]:
    for chunk in chunks:
        yield chunk.cut(rows)
        rows -= len(chunk)
        if rows <= 0:
            return
