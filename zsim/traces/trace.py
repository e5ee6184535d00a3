"""A trace in memory: columns of accesses per task over densely numbered pages, and what the pages hold."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

NO_CONTENT = -1


@dataclass
class TaskTrace:
    """The accesses of one task, in its own order.

    accesses   uint32, one an access: dense page number << 1 | write
    times_ns   int64, the access's time in the task with no memory stall, from the task's own start; None: no times
    starts_after  (task index, row of that task) whose replay starts this task; None: it starts at time 0
    remaps     (row, page): before this row the task unmaps `page` (its address came back as another kind of memory)
    switches   rows before which another process had the task's processor
    """

    name: str
    accesses: npt.NDArray[np.uint32]
    times_ns: npt.NDArray[np.int64] | None = None
    starts_after: tuple[int, int] | None = None
    remaps: list[tuple[int, int]] = field(default_factory=list)
    switches: list[int] = field(default_factory=list)


@dataclass
class ContentLog:
    """Which image a page holds after which access: per page its rows (of its task) in order, as one flat table.

    The rows of page p are rows[starts[p]:starts[p + 1]], ascending; ids has the image at each.
    """

    starts: Sequence[int]
    rows: Sequence[int]
    ids: Sequence[int]

    def at(self, page: int, row: int) -> int:
        """The image of `page` once its task has replayed `row`: the last logged, else the next, else NO_CONTENT."""
        first, end = self.starts[page], self.starts[page + 1]
        if first == end:
            return NO_CONTENT
        return self.ids[max(bisect_right(self.rows, row, first, end) - 1, first)]


@dataclass
class Images:
    """The distinct page images of a recording; arrays are indexed by content id.

    sizes_bytes  codec name ("lz4", "zstd") -> compressed size of each image at that codec's default level
    same_filled  1 where every machine word of the image is equal; zero_filled: all zero (None: not recorded)
    slots        index of the image in the page file, -1 where only sizes are kept
    pages_path   the zstd-framed page file, None where there is none
    """

    count: int
    sizes_bytes: dict[str, npt.NDArray[np.int64]]
    same_filled: npt.NDArray[np.uint8]
    slots: npt.NDArray[np.int64]
    pages_path: Path | None = None
    zero_filled: npt.NDArray[np.uint8] | None = None


@dataclass
class Trace:
    """A recording: every task's accesses, with pages numbered 0 .. pages-1 over all tasks.

    owner      task index of each page; is_file: 1 where the page is page cache; numbers: its virtual page number
    footprint_pages  distinct (task, page number) pairs; `pages` is larger where an address was remapped
    digest     of the accesses and contents, hexadecimal: names the trace in results and caches
    header     what the recorder said: k, min_memory_pages, ...
    objects    where the trace names files: the page-cache object of each page, -1 for anonymous ones
    """

    name: str
    digest: str
    tasks: list[TaskTrace]
    pages: int
    footprint_pages: int
    owner: npt.NDArray[np.uint16]
    is_file: npt.NDArray[np.uint8]
    numbers: npt.NDArray[np.uint64]
    content: ContentLog | None = None
    images: Images | None = None
    header: dict[str, Any] = field(default_factory=dict)
    objects: npt.NDArray[np.int32] | None = None

    @property
    def accesses(self) -> int:
        """Accesses of all tasks together."""
        return sum(len(task.accesses) for task in self.tasks)
