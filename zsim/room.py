"""How much memory there is: a machine's RAM with its watermarks, or a cgroup's limit."""

from typing import Protocol, runtime_checkable

from zsim.config import MemoryConfig, ReclaimConfig
from zsim.errors import UsageError
from zsim.memory import FRAME, Memory, Watermarks, watermarks
from zsim.units import PAGE_SIZE, parse_bytes
from zsim.zones import Zone, Zones, parse_zones

SMALLEST_PAGES = 8
"""Less memory than this cannot hold what a single fault needs."""

NO_RESERVE = Watermarks(0, -1, 0)
"""The last frame may be taken without waking kswapd."""


class Pool(Protocol):
    """What a store takes of the memory."""

    @property
    def pages(self) -> int:
        """Page frames of its pool."""
        ...

    @property
    def compressed_bytes(self) -> int:
        """What is charged to a cgroup for it."""
        ...

    @property
    def metadata_bytes(self) -> int:
        """Slab memory beside the pool."""
        ...


@runtime_checkable
class Uncharged(Protocol):
    """A pool of which a part is charged to nobody."""

    @property
    def uncharged_bytes(self) -> int:
        """That part of its compressed bytes."""
        ...


class AtOnce:
    """Frames are free as soon as reclaim has evicted their page, or its charge is gone."""

    def begin_batch(self) -> None:
        """A batch of reclaim begins."""

    def suspend_batch(self) -> None:
        """Who reclaims has lost the processor."""

    def resume_batch(self) -> None:
        """And has it back."""

    def end_batch(self) -> None:
        """The batch has come to its end."""


class Ram:
    """A machine's RAM: pages, pool and metadata share its frames; watermarks decide who reclaims.

    A task reclaims by itself when no more than `marks.min` frames are left, kswapd runs from `marks.low` to above
    `marks.high`.
    """

    is_memcg = False

    def __init__(self, size_pages: int, marks: Watermarks, page_table_bytes: int, memory: Memory, pool: Pool) -> None:
        self.size_pages = size_pages
        self.marks = marks
        self.page_table_bytes = page_table_bytes
        self.memory = memory
        self.pool = pool
        self.batches: AtOnce | Zones = AtOnce()

    def frames_left(self) -> int:
        """Free page frames."""
        metadata_bytes = self.pool.metadata_bytes + self.page_table_bytes + self.memory.tables_bytes
        return self.size_pages - self.memory.frames - self.pool.pages + -metadata_bytes // PAGE_SIZE

    def free_pages(self) -> int:
        """MemFree: without what a batch of reclaim has yet to free."""
        return self.frames_left()

    def may_grow(self, pages: int) -> bool:
        """Whether a pool may take so many frames: reclaim may use the reserves, to the last frame."""
        return self.frames_left() >= pages

    def may_spare(self, pages: int) -> bool:
        """Whether so many frames can be had one by one without touching the reserve (__GFP_NOMEMALLOC)."""
        return self.frames_left() - pages >= self.marks.min

    def validate(self) -> None:
        """The pool kept to what there is; buffer heads come out of whatever reserve there is, or none."""
        assert self.frames_left() >= -self.memory.buffer_pages()

    def wants_kswapd(self, left: int) -> bool:
        """Whether an allocation wakes kswapd, with so many frames left."""
        return left <= self.marks.low

    def grants(self, left: int) -> bool:
        """Whether a task gets a frame without reclaiming itself."""
        return left > self.marks.min

    def balanced(self, coming: int = 0) -> bool:
        """Whether kswapd may sleep, now or when `coming` frames have come back."""
        return self.frames_left() + coming > self.marks.high

    def above_high(self, margin: int) -> bool:
        """Whether every zone is above its high mark by more than so many pages."""
        return self.frames_left() > self.marks.high + margin


class ZonedRam(Ram):
    """RAM of several zones: kswapd is woken when all are low and sleeps when one is above its high mark."""

    def __init__(  # noqa: PLR0913
        self,
        zones: list[Zone],
        size_pages: int,
        marks: Watermarks,
        page_table_bytes: int,
        memory: Memory,
        pool: Pool,
        free_batch: int,
    ) -> None:
        super().__init__(size_pages, marks, page_table_bytes, memory, pool)
        self.zones = self.batches = Zones(zones, memory.pages, free_batch)
        memory.zones = self

    def place(self, page: int) -> None:
        """A page gets a frame."""
        self.zones.place(page)

    def leave(self, page: int) -> None:
        """A page gives up its frame; what the pool took for it came first."""
        self._settle()
        self.zones.leave(page)

    def free_pages(self) -> int:
        """Free in all zones."""
        self._settle()
        return sum(self.zones.free)

    def validate(self) -> None:
        """The zones' books agree with the pages and the pool."""
        self._settle()
        pages = [page for page, flags in enumerate(self.memory.flags) if flags & FRAME]
        self.zones.validate(pages, self.size_pages - self.memory.frames - self.frames_left())

    def _settle(self) -> None:
        """Let the zones see what the pool took or gave back."""
        self.zones.resize_pool(self.size_pages - self.memory.frames - self.frames_left())

    def wants_kswapd(self, left: int) -> bool:
        """Every zone is at its low mark."""
        self._settle()
        return self.zones.all_low()

    def grants(self, left: int) -> bool:
        """One zone is above its min mark."""
        self._settle()
        return self.zones.any_above_min()

    def balanced(self, coming: int = 0) -> bool:
        """One zone is above its high mark."""
        self._settle()
        return self.zones.balanced(coming)

    def above_high(self, margin: int) -> bool:
        """Every zone is above its high mark by more than so many pages."""
        self._settle()
        return self.zones.all_above_high(margin)


class Cgroup:
    """A cgroup's memory.max in a machine with plenty: charged with pages and compressed bytes, not with pool pages.

    Tasks reclaim by themselves; kswapd looks after the machine and has nothing to do.
    """

    is_memcg = True
    marks = Watermarks(0, -(1 << 60), -(1 << 60))

    def __init__(self, limit_bytes: int, page_table_bytes: int, memory: Memory, pool: Pool) -> None:
        self.limit_bytes = limit_bytes
        self.page_table_bytes = page_table_bytes
        self.memory = memory
        self.pool = pool
        self.batches = AtOnce()
        self.partly = pool if isinstance(pool, Uncharged) else None

    def charged_bytes(self) -> int:
        """memory.current."""
        stored_bytes = self.pool.compressed_bytes - (self.partly.uncharged_bytes if self.partly else 0)
        return self.memory.frames * PAGE_SIZE + stored_bytes + self.page_table_bytes + self.memory.tables_bytes

    def frames_left(self) -> int:
        """Pages that can be charged before the limit; below 0 where compressed bytes went over it."""
        return (self.limit_bytes - self.charged_bytes()) // PAGE_SIZE

    def free_pages(self) -> int:
        """As many as can be charged."""
        return self.frames_left()

    def may_grow(self, pages: int) -> bool:
        """The machine has frames enough; a store is charged whatever the limit says, as reclaim must not fail."""
        return True

    def may_spare(self, pages: int) -> bool:
        """The machine has frames enough."""
        return True

    def validate(self) -> None:
        """A charge may be over its limit."""

    def wants_kswapd(self, left: int) -> bool:
        """kswapd looks after the machine."""
        return False

    def grants(self, left: int) -> bool:
        """Whether one more page can be charged."""
        return left > 0

    def balanced(self, coming: int = 0) -> bool:
        """The machine has frames enough."""
        return True

    def above_high(self, margin: int) -> bool:
        """The machine has frames enough."""
        return True


Room = Ram | Cgroup


def make_room(config: MemoryConfig, reclaim: ReclaimConfig, footprint_bytes: int, memory: Memory, pool: Pool) -> Room:
    """The memory that `config` describes; with reclaim one page at a time (a batch of 1) nothing is kept in reserve."""
    size_bytes = parse_bytes(config.size, footprint_bytes)
    if size_bytes < SMALLEST_PAGES * PAGE_SIZE:
        raise UsageError(
            f"memory.size: {config.size!r} is {size_bytes} bytes; at least {SMALLEST_PAGES} pages of {PAGE_SIZE} bytes"
        )
    if config.mode == "memcg":
        return Cgroup(size_bytes, config.page_table_bytes, memory, pool)
    size_pages = size_bytes // PAGE_SIZE
    if config.zones and reclaim.batch > 1:
        zones, marks = _zones(config.zones, size_pages)
    else:
        zones, marks = [], NO_RESERVE if reclaim.batch == 1 else _marks(config, size_pages)
    if marks.high >= size_pages:
        raise UsageError(f"memory.size: the high watermark ({marks.high} pages) leaves nothing of {size_pages} pages")
    if zones:
        return ZonedRam(zones, size_pages, marks, config.page_table_bytes, memory, pool, reclaim.free_batch)
    return Ram(size_pages, marks, config.page_table_bytes, memory, pool)


def _zones(text: str, size_pages: int) -> tuple[list[Zone], Watermarks]:
    zones = parse_zones(text)
    if sum(zone.size for zone in zones) != size_pages:
        raise UsageError(f"memory.zones: {text!r} are not the {size_pages} pages of memory.size")
    return zones, Watermarks(*(sum(zone[mark] for zone in zones) for mark in (1, 2, 3)))


def _marks(config: MemoryConfig, size_pages: int) -> Watermarks:
    computed = watermarks(size_pages, config.min_free_kbytes, config.watermark_scale_factor)
    given = (config.watermark_min_pages, config.watermark_low_pages, config.watermark_high_pages)
    low, mid, high = (own if own >= 0 else kernel for own, kernel in zip(given, computed, strict=True))
    if not low <= mid <= high:
        raise UsageError(f"memory: watermarks must rise: min {low}, low {mid}, high {high} pages")
    return Watermarks(low, mid, high)
