"""First touches in batches of K distinct pages, and which version of a page's contents each row keeps."""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from zsim.traces.recording import BATCHES_IN_MEMORY
from zsim.units import PAGE_SIZE

SMALLEST_K = 128


@dataclass(slots=True)
class Row:
    """One access as the trace will have it; `data` is what the page holds at the end of the row's batch."""

    time_ns: int
    task: str
    page: int
    write: bool
    file: str | None
    data: bytes | None = None


class Sink(Protocol):
    """Where rows go once nothing about them can change."""

    def write(self, row: Row) -> None:
        """Take the next row."""
        ...


@dataclass(frozen=True)
class Limit:
    """How many distinct pages a batch holds, by the smallest memory that the trace is to be valid for.

    min_memory_bytes  that memory; 0: not fixed, but `share` of the pages seen so far
    """

    min_memory_bytes: int = 0
    share: float = 0.25

    def k(self, footprint_pages: int) -> int:
        """K after so many distinct pages."""
        if self.min_memory_bytes:
            return max(self.min_memory_bytes // PAGE_SIZE // BATCHES_IN_MEMORY, 1)
        return max(int(footprint_pages * self.share / BATCHES_IN_MEMORY), SMALLEST_K)


class Journal:
    """Rows in the order of accesses: within a batch a page's first touch, and its first write after a read.

    A version of a page is kept only where the page could leave a valid memory: one that is touched again within
    as many rows as that memory has pages could not. So the newest rows wait here, and versions move on with their page
    until it rests.
    """

    def __init__(self, sink: Sink, limit: Limit) -> None:
        self.sink = sink
        self.limit = limit
        self.k = self.largest_k = limit.k(0)
        self.rows = self.writes = self.batches = self.captured = 0
        self.footprint: set[tuple[int, str]] = set()
        self.file_pages = 0
        self.times_ns: dict[str, int] = {}
        self.batch: dict[tuple[int, str], Row] = {}
        self._waiting: deque[Row] = deque()
        self._latest: dict[tuple[int, str], tuple[int, Row]] = {}
        self._last: Row | None = None

    def access(self, time_ns: int, task: str, page: int, write: bool, file: str | None = None) -> None:
        """Note an access, unless this batch has it; `file` is None for swap-backed memory."""
        key = (page, task)
        row = self.batch.get(key)
        if row is None or (write and not row.write):
            self._append(key, Row(time_ns, task, page, write, file))

    def was_write(self, page: int, task: str) -> bool:
        """Call the last row a write, if it is this page's; for an instruction that was seen as a read at first."""
        row = self._last
        if row is None or row.write or row.page != page or row.task != task:
            return False
        row.write = True
        self.writes += 1
        return True

    def _append(self, key: tuple[int, str], row: Row) -> None:
        before = self._latest.get(key)
        if before is not None and self.rows - before[0] <= self.thinning_rows:
            row.data, before[1].data = before[1].data, None
        if key not in self.footprint:
            self.footprint.add(key)
            self.file_pages += row.file is not None
        self.batch[key] = self._last = row
        self.times_ns[row.task] = row.time_ns
        self._latest[key] = self.rows, row
        self._waiting.append(row)
        self.rows += 1
        self.writes += row.write

    @property
    def full(self) -> bool:
        """Whether the batch has K distinct pages."""
        return len(self.batch) >= self.k

    @property
    def min_memory_pages(self) -> int:
        """The smallest memory that what is recorded is valid for."""
        return BATCHES_IN_MEMORY * self.largest_k

    @property
    def thinning_rows(self) -> int:
        """Within so many rows a page that is touched again keeps no version: no valid memory could have lost it."""
        return BATCHES_IN_MEMORY * self.k

    def holds(self, page: int, task: str, data: bytes) -> None:
        """Note what a page of this batch holds at its end."""
        if (row := self.batch.get((page, task))) is not None:
            row.data = data
            self.captured += 1

    def next_batch(self) -> None:
        """Begin a batch; rows that nothing can change any more go to the sink."""
        self.largest_k = max(self.largest_k, len(self.batch))
        self.batch = {}
        self._last = None
        self.batches += 1
        self.k = self.limit.k(len(self.footprint))
        self._give(self.thinning_rows)

    def close(self) -> None:
        """Give the sink all rows that are left."""
        self.next_batch()
        self._give(0)

    def _give(self, keep: int) -> None:
        waiting, latest = self._waiting, self._latest
        first = self.rows - len(waiting)
        while len(waiting) > keep:
            row = waiting.popleft()
            key = (row.page, row.task)
            if latest[key][0] == first:
                del latest[key]
            self.sink.write(row)
            first += 1
