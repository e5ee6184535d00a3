"""zram: a swap device in memory, a table of sectors over an allocator (drivers/block/zram)."""

from dataclasses import asdict

import simpy

from zsim.allocators import make_allocator
from zsim.config import Config
from zsim.contents import Contents
from zsim.errors import UsageError
from zsim.stores import ABSENT, ACCEPTED, FAILED, LOADED, READ, TO_DEVICE, Mm
from zsim.stores.codec import Codec
from zsim.stores.compaction import Compaction
from zsim.stores.zram_backing import Backing
from zsim.stores.zram_sector import MmStat, Sector, ZramCounters
from zsim.stores.zram_userspace import Userspace
from zsim.units import PAGE_SIZE, pages_for, parse_bytes
from zsim.writeback import Steps, Work

HANDLE_BYTES = 8
"""zsmalloc's handles are slab objects of their own."""


class Zram:
    """zram as the swap device of highest priority: pages leave it when they are swapped in, or by userspace's hand.

    6.1, with recompression as in 6.2; what older kernels did is in `zram.*`. A write that fails leaves its page dirty
    in memory. An object is freed after the one that replaces it was allocated (3.8: before). Left out: discards, the
    sleeping second try of an allocation (reclaimers use the reserves at once), more than one second algorithm, batched
    writeback (6.18), and, until 4.14, reading by way of the swap cache and readahead.
    """

    keeps_copy = keeps_slot = False

    def __init__(self, config: Config, contents: Contents, mm: Mm) -> None:
        zram = self.config = config.zram
        self.contents = contents
        self.mm = mm
        self.disksize_pages = _disksize_pages(zram.disksize, mm.footprint_bytes)
        self.table_bytes = self.disksize_pages * zram.table_entry_bytes
        if self.table_bytes >= mm.total_pages * PAGE_SIZE:
            raise UsageError(f"zram.disksize: the table of {self.disksize_pages} pages alone takes all of the RAM")
        self.limit_pages = 0 if zram.mem_limit == "none" else _limit_pages(zram.mem_limit, mm.total_pages)
        self.allocator = make_allocator(config.allocator, config.era, config.chain_size, mm.may_grow)
        self.huge_bytes = zram.huge_bytes or getattr(self.allocator, "huge_class_size", self.allocator.max_size + 1)
        self.table: list[Sector | None] = [None] * self.disksize_pages
        self.count = ZramCounters()
        self.stored = self.stored_peak = self.pages_peak = 0
        self.compressed_bytes = self.same_filled = 0
        self.backing = Backing(config, mm, self.count) if zram.backing_device != "none" else None
        self.compaction = Compaction(self.allocator) if config.memory.mode == "machine" else None
        self.userspace = Userspace(self, zram)
        self.codec = Codec(config.compressor, mm, config.cost)
        self.second = None if zram.recomp_algorithm == "none" else Codec(zram.recomp_algorithm, mm)

    @property
    def pages(self) -> int:
        """Page frames of the pool."""
        return self.allocator.pages

    @property
    def metadata_bytes(self) -> int:
        """The table, taken when disksize is set, and the slab of handles at its largest."""
        return self.table_bytes + self.stored_peak * HANDLE_BYTES

    @property
    def uncharged_bytes(self) -> int:
        """All of the data: zram's memory is the machine's, no cgroup is charged for it."""
        return self.compressed_bytes

    def statistics(self) -> dict[str, int | float | None]:
        """What is counted here alone, by metric name."""
        limit_pages = self.limit_pages or None
        over = None if limit_pages is None else max(self.pages_peak - limit_pages, 0)
        return asdict(self.count) | {"pool_limit_pages": limit_pages, "pool_pages_over_limit_peak": over}

    @property
    def mm_stat(self) -> MmStat:
        """What the device says of its memory."""
        count = self.count
        return MmStat(
            orig_data_size=(self.stored + count.bd_count) * PAGE_SIZE,
            compr_data_size=self.compressed_bytes,
            mem_used_total=self.allocator.pages * PAGE_SIZE,
            mem_limit=self.limit_pages * PAGE_SIZE,
            mem_used_max=self.pages_peak * PAGE_SIZE,
            same_pages=self.same_filled,
            pages_compacted=count.pages_compacted,
            huge_pages=count.huge_pages,
            huge_pages_since=count.huge_pages_since,
        )

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """What userspace has the device do now and then, if anything."""
        return self.userspace.process(env, work)

    # Writing.

    def store(self, slot: int, page: int, content: int) -> int:
        """Write a sector; FAILED where memory or mem_limit does not allow it. Slots above disksize are the disk's."""
        if slot >= self.disksize_pages:
            return TO_DEVICE
        sector = self._write(content)
        if sector is None:
            self.count.failed_writes += 1
            self.mm.counters.rejected_stores += 1
            return FAILED
        self._free(slot)
        self.table[slot] = sector
        self._count(sector, 1)
        self.mm.counters.zswpout += 1
        self.count.huge_pages_since += sector.huge
        self.stored_peak = max(self.stored_peak, self.stored)
        return ACCEPTED

    def _write(self, content: int) -> Sector | None:
        contents, mm = self.contents, self.mm
        same_filled = contents.same_filled if self.config.same_element else contents.zero_filled
        now_ns = mm.now_ns + mm.spent_ns
        if same_filled[content]:
            return Sector(0, 0, content, now_ns, huge=False)
        self.codec.compress()
        size_bytes = contents.size_bytes[content]
        huge = size_bytes >= self.huge_bytes
        if huge:
            size_bytes = PAGE_SIZE
        handle = self._allocate(size_bytes)
        return Sector(handle, size_bytes, content, now_ns, huge) if handle > 0 else None

    def _allocate(self, size_bytes: int) -> int:
        """A handle, 0 where mem_limit is passed by it, or an errno; mem_used_max has seen it in any case."""
        handle = self.allocator.alloc(size_bytes)
        self.pages_peak = max(self.pages_peak, self.allocator.pages)
        if handle > 0 and self.limit_pages and self.allocator.pages > self.limit_pages:
            self.allocator.free(handle)
            return 0
        return handle

    def _count(self, sector: Sector, by: int) -> None:
        """A sector's page joins (1) or leaves (-1) memory."""
        self.stored += by
        self.same_filled += by * (not sector.handle)
        self.compressed_bytes += by * sector.size_bytes
        self.count.huge_pages += by * sector.huge

    # Reading and freeing.

    def load(self, slot: int) -> int:
        """Read a sector: LOADED from memory, READ from the backing device, ABSENT where the slot is the disk's."""
        if slot >= self.disksize_pages:
            return ABSENT
        sector = self.sector(slot)
        sector.accessed_ns = self.mm.now_ns + self.mm.spent_ns
        if self.backing and sector.block >= 0:
            self.backing.read(sector.block)
            return READ
        self.mm.counters.zswpin += 1
        self.decompress(sector)
        return LOADED

    def sector(self, slot: int) -> Sector:
        """A sector in use."""
        sector = self.table[slot]
        assert sector is not None, f"sector {slot} was never written"
        return sector

    def decompress(self, sector: Sector) -> None:
        """Same-filled and huge pages cost nothing worth mentioning."""
        if sector.handle and not sector.huge:
            codec = self.second if self.second and sector.recompressed else self.codec
            codec.decompress()

    def content_of(self, slot: int) -> int | None:
        """The content id stored for a slot; None where nothing is."""
        sector = self._in_use(slot)
        return sector.content if sector else None

    def holds(self, slot: int) -> bool:
        """Whether the sector has an object."""
        sector = self._in_use(slot)
        return sector is not None and sector.handle > 0

    def _in_use(self, slot: int) -> Sector | None:
        return self.table[slot] if 0 <= slot < self.disksize_pages else None

    def invalidate(self, slot: int) -> None:
        """zram_slot_free_notify: swap gave the slot up."""
        if slot < self.disksize_pages and self.table[slot]:
            self.count.notify_free += 1
            self._free(slot)

    def _free(self, slot: int) -> None:
        sector, self.table[slot] = self.table[slot], None
        if sector is None:
            return
        if self.backing and sector.block >= 0:
            self.backing.free(sector.block)
            self.count.bd_count -= 1
            return
        self._count(sector, -1)
        if sector.handle:
            self.allocator.free(sector.handle)

    # What userspace asks for.

    def recompress(self, slot: int) -> None:
        """zram_recompress: by the second algorithm, kept where the object falls into a lower size class."""
        sector = self.sector(slot)
        assert self.second
        self.decompress(sector)
        self.second.compress()
        size_bytes = self.contents.recompressed_bytes[sector.content]
        if self._class_index(size_bytes) >= self._class_index(sector.size_bytes):
            sector.incompressible = True
            return
        if self.config.recompress_threshold and size_bytes >= self.config.recompress_threshold:
            return
        handle = self.allocator.alloc(size_bytes)
        if handle < 0:
            return
        self._count(sector, -1)
        self.allocator.free(sector.handle)
        sector.handle, sector.size_bytes, sector.huge, sector.recompressed = handle, size_bytes, False, True
        self._count(sector, 1)
        self.count.recompressed_pages += 1

    def _class_index(self, size_bytes: int) -> int:
        """zs_lookup_class_index; allocators without size classes are asked for fewer bytes."""
        lookup = getattr(self.allocator, "class_index", None)
        return lookup(size_bytes) if lookup else size_bytes

    def write_back(self, slot: int, block: int) -> int:
        """Read a sector and submit it to the backing device as a page of its own; when that will be written, in ns."""
        assert self.backing
        self.decompress(self.sector(slot))
        return self.backing.write(block)

    def written_back(self, slot: int, block: int) -> None:
        """The write has ended: the object goes, the block is where the page is."""
        assert self.backing
        self.backing.keep()
        sector = self.sector(slot)
        self._count(sector, -1)
        self.allocator.free(sector.handle)
        sector.handle, sector.size_bytes, sector.huge, sector.block = 0, 0, False, block
        self.mm.note_slot_written(slot)
        self.count.bd_count += 1
        self.mm.counters.written_back_pages += 1

    def compact(self) -> int:
        """The compact attribute: frames freed."""
        freed = self.allocator.compact()
        self.count.pages_compacted += freed
        return freed

    def shrink(self, priority: int) -> None:
        """A pass of reclaim has ended: the turn of zsmalloc's shrinker, which pressure in a cgroup does not reach."""
        if self.compaction:
            before = self.allocator.pages
            self.compaction.shrink(priority)
            self.count.pages_compacted += before - self.allocator.pages

    def validate(self) -> None:
        """Recount everything from the table; allocator and backing device audit themselves."""
        sectors = [sector for sector in self.table if sector]
        inside = [sector for sector in sectors if sector.block < 0]
        assert self.stored == len(inside)
        assert self.same_filled == sum(not sector.handle for sector in inside)
        assert self.compressed_bytes == sum(sector.size_bytes for sector in inside)
        assert self.count.huge_pages == sum(sector.huge for sector in sectors)
        assert self.count.bd_count == len(sectors) - len(inside)
        assert {e.handle for e in self.allocator.extents()} == {s.handle for s in inside if s.handle}
        self.allocator.validate()
        if self.backing:
            self.backing.validate({sector.block for sector in sectors if sector.block >= 0}, self.userspace.block)


def _disksize_pages(disksize: str, footprint_bytes: int) -> int:
    return pages_for(footprint_bytes if disksize == "auto" else parse_bytes(disksize, footprint_bytes))


def _limit_pages(mem_limit: str, total_pages: int) -> int:
    return pages_for(parse_bytes(mem_limit, total_pages * PAGE_SIZE))
