"""An allocator alone over a sequence of allocs, frees, compactions and reclaims."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from zsim.allocators import EAGAIN, EINVAL, ENOMEM, ENOSPC, Allocator, make_allocator
from zsim.errors import TraceError
from zsim.kernels import DEBATE_2013, split_version
from zsim.pack.result import PackResult, Reclaim, final
from zsim.pack.sequence import Row
from zsim.units import PAGE_SIZE

CHUNK_ROWS = 1 << 13
KERNEL = "6.1"
"""The kernel of an allocator's bare name."""
MAP_PAGES = 64
"""Pools up to this size keep where each object lies, for the map."""
DENSITY_BYTES = range(32, PAGE_SIZE + 1, 32)
DENSITY_OBJECTS = 1024
"""Enough for a zspage that is not full to matter little."""
ALLOCATOR, ENTRY_LRU = "allocator", "entry-lru"
ERRNO = {ENOMEM: "ENOMEM", EINVAL: "EINVAL", ENOSPC: "ENOSPC", EAGAIN: "EAGAIN"}


class PackRun:
    """One allocator being run over rows as they come.

    name: NAME or NAME@KERNEL; every: rows between checkpoints; place: what errors call the sequence.
    reclaim_by: what an `r` row does: "allocator" asks it, "entry-lru" evicts the oldest objects; "auto" what zswap
    of that kernel did: its own entries in LRU order in 2013 (where the allocator could not) and since 6.5.
    """

    def __init__(
        self, name: str, every: int = 500, chain_size: int = 0, reclaim_by: str = "auto", place: str = "sequence"
    ) -> None:
        self.name = full_name(name)
        self.allocator: Allocator = make_allocator(self.name, chain_size=chain_size)
        self.every = every
        self.place = place
        self.reclaimed = Reclaim(self._reclaim_by() if reclaim_by == "auto" else reclaim_by)
        self.rows = self.refused = self.live_bytes = self.peak_pages = 0
        self.refused_by: Counter[str] = Counter()
        self.compactions: list[dict[str, int]] = []
        self.checkpoints: list[tuple[int, int, int, int]] = []
        self._objects: OrderedDict[int, tuple[int, int]] = OrderedDict()  # id -> handle, bytes; oldest first
        self._ids: dict[int, int] = {}
        self._gone: set[int] = set()  # refused or evicted: a free of these does nothing
        self._steps = {"a": self._alloc, "f": self._free, "c": self._compact, "r": self._reclaim}

    def feed(self, rows: Iterable[Row]) -> None:
        """Do the rows; one that cannot be done (an id freed twice) is a `TraceError`."""
        allocator, steps = self.allocator, self._steps
        for row in rows:
            steps[row.op](row)
            self.rows += 1
            if allocator.pages > self.peak_pages:
                self.peak_pages = allocator.pages
            if not self.rows % self.every:
                self._checkpoint()

    def result(self) -> PackResult:
        """The run so far; the last row is always a checkpoint."""
        if not self.checkpoints or self.checkpoints[-1][0] < self.rows:
            self._checkpoint()
        small = self.allocator.pages <= MAP_PAGES
        ops, pages, live, live_bytes = (list(column) for column in zip(*self.checkpoints, strict=True))
        return PackResult(
            allocator=self.name,
            ops=ops,
            pages=pages,
            live=live,
            live_bytes=live_bytes,
            refused=self.refused,
            refused_by=dict(sorted(self.refused_by.items())),
            final=final(self.allocator, len(self._objects), self.live_bytes) | {"peak_pages": self.peak_pages},
            occupancy=[row._asdict() for row in self.allocator.occupancy()],
            compactions=self.compactions,
            reclaim=self.reclaimed if self.reclaimed.evicted else None,
            extents=sorted(self.allocator.extents()) if small else [],
            group_pages=getattr(self.allocator, "group_pages", dict)() if small else {},
        )

    def _reclaim_by(self) -> str:
        _, kernel = split_version(self.name, KERNEL)
        own = kernel >= (6, 5) or (kernel == DEBATE_2013 and not self.allocator.can_reclaim)
        return ENTRY_LRU if own else ALLOCATOR

    def _checkpoint(self) -> None:
        self.checkpoints.append((self.rows, self.allocator.pages, len(self._objects), self.live_bytes))

    def _alloc(self, row: Row) -> None:
        if row.id in self._objects:
            raise self._wrong(row, "allocated already; expected a new id, or one that was freed")
        self._gone.discard(row.id)
        handle = self.allocator.alloc(row.size_bytes)
        if handle < 0:
            self.refused += 1
            self.refused_by[ERRNO.get(handle, str(handle))] += 1
            self._gone.add(row.id)
            return
        self._objects[row.id] = (handle, row.size_bytes)
        self._ids[handle] = row.id
        self.live_bytes += row.size_bytes

    def _free(self, row: Row) -> None:
        if row.id in self._objects:
            self._drop(row.id)
        elif row.id in self._gone:
            self._gone.remove(row.id)
        else:
            raise self._wrong(row, "not allocated; expected the id of an object")

    def _drop(self, number: int) -> None:
        handle, size_bytes = self._objects.pop(number)
        del self._ids[handle]
        self.allocator.free(handle)
        self.live_bytes -= size_bytes

    def _compact(self, row: Row) -> None:
        before = self.allocator.pages
        self.allocator.compact()
        self.compactions.append({"op": self.rows + 1, "before": before, "after": self.allocator.pages})

    def _reclaim(self, row: Row) -> None:
        before = self.allocator.pages
        evicted: list[int] = []

        def evict(handle: int) -> bool:
            evicted.append(self._ids[handle])
            self._gone.add(evicted[-1])
            self._drop(evicted[-1])
            return True

        if self.reclaimed.by == ALLOCATOR:
            status = self.allocator.reclaim(evict)
        else:
            while self._objects and self.allocator.pages >= before:
                evict(next(iter(self._objects.values()))[0])
            status = before - self.allocator.pages or EINVAL
        if status < 0:
            self.reclaimed.errors[ERRNO.get(status, str(status))] += 1
        self.reclaimed.evicted.append(tuple(evicted))
        self.reclaimed.freed_pages.append(before - self.allocator.pages)

    def _wrong(self, row: Row, what: str) -> TraceError:
        return TraceError(f"{self.place}:{row.line}: column 'id': {row.id} is {what}")


def pack(rows: Iterable[Row], runs: Sequence[PackRun]) -> list[PackResult]:
    """Every run over the same rows, which are read once."""
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        for run in runs:
            run.feed(chunk)
    return [run.result() for run in runs]


def full_name(name: str) -> str:
    """NAME@KERNEL, also of a bare name."""
    return name if "@" in name else f"{name}@{KERNEL}"


def density_by_size(names: Iterable[str], sizes: Sequence[int] = DENSITY_BYTES) -> dict[str, list[tuple[int, float]]]:
    """Per allocator (size, objects per page frame) of pools filled with objects of one size; none where refused."""
    return {full_name(name): list(_densities(full_name(name), sizes)) for name in names}


def _densities(name: str, sizes: Iterable[int]) -> Iterator[tuple[int, float]]:
    for size_bytes in sizes:
        allocator = make_allocator(name)
        if all(allocator.alloc(size_bytes) > 0 for _ in range(DENSITY_OBJECTS)):
            yield size_bytes, DENSITY_OBJECTS / allocator.pages
