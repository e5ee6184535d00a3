"""zswap: a compressed cache of swap pages in front of the device (mm/zswap.c)."""

from functools import partial

import simpy

from zsim.allocators import EAGAIN, ENOMEM, ENOSPC, ObjectPool, make_allocator
from zsim.config import Config
from zsim.contents import Contents
from zsim.kernels import Kernel, parse_kernel, split_version
from zsim.shrinker import STOP
from zsim.stores import ACCEPTED, KEEP, TO_DEVICE, Mm
from zsim.stores.codec import Codec
from zsim.stores.compaction import Compaction
from zsim.stores.entry_lru import BUSY, EMPTY, ROTATED, WRITTEN
from zsim.stores.memcgs import Memcg, Memcgs
from zsim.stores.pool_limit import FULL, OPEN, PoolLimit
from zsim.stores.subpools import SubPools
from zsim.stores.zswap_flush import Flush
from zsim.units import PAGE_SIZE
from zsim.writeback import Steps, Work, make_writeback

Entry = tuple[int, int, int, int]
"""(handle, compressed length, content, page) of a stored page; handle and length 0: same-filled."""


ENTRY_BYTES: dict[Kernel, int] = {(6, 5): 80, (5, 19): 64, (4, 3): 56, (3, 8): 48}
"""struct zswap_entry from each kernel on: with a list of its own, with who is charged, with its pool, at first."""
HANDLES: Kernel = (4, 1)
"""From here on zsmalloc's handles are slab objects."""
HANDLE_BYTES = 16
"""One, and a page's share of its zspage's descriptor."""
XARRAY: Kernel = (6, 10)
"""From here on the entries are in an xarray, whose nodes take memory too; before, in a tree by their own pointers."""
XARRAY_ENTRY_BYTES = 95


def entry_bytes(config: Config) -> int:
    """Slab memory per stored page, as slab counters grew in recorded runs: 6.1 with zbud 61 to 64, with zsmalloc 77 to
    83, 6.12 with zsmalloc 95. Other kernels' entries by their size in the source.
    """
    if config.memory.entry_bytes >= 0:
        return config.memory.entry_bytes
    kernel = parse_kernel(config.era)
    if kernel >= XARRAY:
        return XARRAY_ENTRY_BYTES
    has_handles = split_version(config.allocator, config.era)[0] == "zsmalloc" and kernel >= HANDLES
    return next(size for since, size in ENTRY_BYTES.items() if kernel >= since) + HANDLE_BYTES * has_handles


class Zswap:
    """zswap of 2013 to 6.19, by the values of `zswap.*`; the writeback is a policy of its own.

    One pool (of one or more sub-pools), one swap device. Left out: memory.zswap.max, switching pools at run time,
    large folios.
    """

    def __init__(self, config: Config, contents: Contents, mm: Mm) -> None:
        self.config = config.zswap
        self.contents = contents
        self.mm = mm
        self.keeps_copy = not self.config.exclusive_loads
        self.keeps_slot = True
        self.limit = PoolLimit(self.config, mm.total_pages)
        self.allocator = self._make_pool(config)
        self.writeback = make_writeback(config, self)
        self.shrinks = self.config.shrinker_enabled or config.writeback == "shrinker"
        self.compaction = Compaction(self.allocator) if config.memory.mode == "machine" else None
        self.refused = KEEP if config.writeback == "none" else TO_DEVICE
        self.entries: dict[int, Entry] = {}
        self.slot_of: dict[int, int] = {}
        owners = mm.owner if config.memory.cgroups == "task" else ()
        self.memcgs = Memcgs(owners, self.config.second_chance, self.config.skips_empty_memcgs)
        self.compressed_bytes = self.same_filled = self.incompressible = self.duplicates = 0
        self.stored_peak = self.pages_peak = 0
        self.header_bytes = self.config.header_bytes if self.allocator.can_reclaim else 0
        self.entry_bytes = entry_bytes(config)
        self.codec = Codec(config.compressor, mm, config.cost)
        self.pages_seen = 0
        """The pool's size as it was when an entry was last stored or freed (to 6.9): reclaim frees its frame later."""
        self._flush = Flush(self.config, mm)
        self._evicting_ns = 0

    def _make_pool(self, config: Config) -> ObjectPool:
        make = partial(make_allocator, config.allocator, config.era, config.chain_size, self._may_grow)
        return SubPools(make, self.config.nr_zpools, config.seed) if self.config.nr_zpools > 1 else make()

    @property
    def pages(self) -> int:
        """Page frames of the pool."""
        return self.allocator.pages

    @property
    def stored(self) -> int:
        """Pages stored, same-filled ones included."""
        return len(self.entries)

    @property
    def metadata_bytes(self) -> int:
        """Slab memory of entries, handles and tree nodes: what the most entries ever took, for slabs are kept."""
        return self.stored_peak * self.entry_bytes

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """What its writeback runs in the background."""
        return self.writeback.process(env, work)

    # Store.

    def store(self, slot: int, page: int, content: int) -> int:
        """zswap_store: limit, same-filled, compress, allocate, insert."""
        if self._store(slot, page, content):
            return ACCEPTED
        self.mm.counters.rejected_stores += 1
        return self.refused

    def _store(self, slot: int, page: int, content: int) -> bool:
        if slot in self.entries:
            self.duplicates += 1
            self.invalidate(slot)
        verdict = self.limit.look(self.pages_seen if self.limit.test == "above" else self.allocator.pages)
        if verdict != OPEN and not (verdict == FULL and self._make_room()):
            self.mm.counters.pool_limit_hit = self.limit.hits
            self.mm.counters.reject_pool_limit += 1
            return False
        if self.config.same_filled_pages_enabled and self.contents.same_filled[content]:
            self.same_filled += 1
            self._insert(slot, (0, 0, content, page))
            return True
        return self._compress(slot, page, content)

    def _make_room(self) -> bool:
        """The pool is full: writeback decides whether the store may go on."""
        self.mm.counters.pool_limit_hit = self.limit.hits
        return self.writeback.pool_full()

    def _may_grow(self, pages: int) -> bool:
        """The allocator wants frames; in 2013 that is where the limit is."""
        if self.limit.test == "allocator" and self.allocator.pages + pages > self.limit.limit_pages:
            self.limit.hits += 1
            return False
        return self.mm.may_grow(pages)

    def _compress(self, slot: int, page: int, content: int) -> bool:
        counters = self.mm.counters
        self.codec.compress()
        size = self.contents.size_bytes[content]
        raw = self.config.raw_incompressible and size >= PAGE_SIZE and self.refused != KEEP
        if raw:
            size = PAGE_SIZE
        if size > PAGE_SIZE:
            fits = self.config.buffer_pages > 1
            counters.reject_compress_poor += fits
            counters.reject_compress_fail += not fits
            return False
        if 100 * size // PAGE_SIZE > self.config.max_compression_percent:
            counters.reject_compress_poor += 1
            return False
        handle = self._allocate(size + self.header_bytes)
        if handle < 0:
            if handle == ENOSPC:
                counters.reject_compress_poor += 1
            elif handle != EAGAIN:
                counters.reject_alloc_fail += 1
            return False
        self.slot_of[handle] = slot
        self.compressed_bytes += size
        self.incompressible += raw
        memcg = self.memcgs.of(page)
        memcg.lru.add(slot, counters.pageout)
        memcg.compressed_bytes += size
        self.pages_peak = max(self.pages_peak, self.allocator.pages)
        self._insert(slot, (handle, size, content, page))
        return True

    def _allocate(self, size_bytes: int) -> int:
        """A handle or errno; where the limit is in the allocator (2013), writeback may make room for a second try."""
        handle = self.allocator.alloc(size_bytes)
        if handle != ENOMEM or self.limit.test != "allocator":
            return handle
        without_buffer = self.mm.counters.reject_tmppage_fail
        if not self._make_room():
            return ENOMEM if self.mm.counters.reject_tmppage_fail == without_buffer else EAGAIN
        handle = self.allocator.alloc(size_bytes)
        self.mm.counters.saved_by_flush += handle > 0
        return handle

    def _insert(self, slot: int, entry: Entry) -> None:
        self.entries[slot] = entry
        self.pages_seen = self.allocator.pages
        self.memcgs.of(entry[3]).stored += 1
        self.mm.counters.zswpout += 1
        if len(self.entries) > self.stored_peak:
            self.stored_peak = len(self.entries)
        self.writeback.stored()

    # Load and invalidate.

    def load(self, slot: int) -> bool:
        """zswap_load: decompress; the entry stays, but where loads are exclusive."""
        entry = self.entries.get(slot)
        if entry is None:
            self.memcgs.of(self.mm.page_at(slot)).disk_swapins += 1
            return False
        self.mm.counters.zswpin += 1
        if entry[0]:
            self.codec.decompress()
        if self.config.exclusive_loads:
            self.invalidate(slot)
        elif self.config.load_refreshes and entry[0]:
            self.memcgs.of(entry[3]).lru.refresh(slot, self.mm.counters.pageout)
        return True

    def content_of(self, slot: int) -> int | None:
        """The content id stored for a slot; None where nothing is."""
        entry = self.entries.get(slot)
        return entry[2] if entry else None

    def holds(self, slot: int) -> bool:
        """Whether the entry has an object."""
        entry = self.entries.get(slot)
        return entry is not None and entry[0] > 0

    def invalidate(self, slot: int) -> None:
        """Drop the slot's entry and its object, if there is one."""
        entry = self.entries.pop(slot, None)
        if entry is None:
            return
        handle, size, _, page = entry
        memcg = self.memcgs.of(page)
        memcg.stored -= 1
        if not handle:
            self.same_filled -= 1
            self.pages_seen = self.allocator.pages
            return
        memcg.lru.remove(slot)
        memcg.compressed_bytes -= size
        del self.slot_of[handle]
        self.compressed_bytes -= size
        self.incompressible -= self.config.raw_incompressible and size == PAGE_SIZE
        self.allocator.free(handle)
        self.pages_seen = self.allocator.pages

    # Writing back.

    def acceptable(self) -> bool:
        """Whether the pool is small enough for stores to be accepted again."""
        return self.limit.acceptable(self.allocator.pages)

    def next_is_written(self) -> bool:
        """Whether the next eviction takes a page for what it writes; else it only passes an entry over."""
        return self.config.evicts == "allocator" or not self.memcgs.has_chance()

    def evict(self) -> bool:
        """Write back one unit: a page of the allocator's choosing, or the oldest entry; False where that failed."""
        if self.config.evicts == "allocator":
            return self.reclaim_page()
        memcg = self.memcgs.next()
        return memcg is not None and self.evict_entry(memcg) == WRITTEN

    def evict_oldest(self) -> bool:
        """The same of the oldest entry that has had its second chance, whosever turn it is."""
        if self.config.evicts == "allocator":
            return self.reclaim_page()
        fate = ROTATED
        while fate == ROTATED:
            fate = self._evict_first()
        return fate == WRITTEN

    def reclaim_page(self) -> bool:
        """zpool_shrink(1) of zswap_pool_last_get(): one frame (or zspage) of the allocator's choosing.

        False counts reject_reclaim_fail.
        """
        counters = self.mm.counters
        counters.free_page_calls += 1
        started_ns = self.mm.spent_ns
        freed = 0
        if not self.config.older_pool_left:
            freed = self.allocator.reclaim(lambda handle: self._write_back(self.slot_of[handle]))
        if freed <= 0:
            counters.reject_reclaim_fail += 1
            return False
        counters.freed_pool_pages += freed
        self.mm.latency["free_page"].record(self.mm.spent_ns - started_ns)
        return True

    def evict_entry(self, memcg: Memcg) -> int:
        """shrink_memcg_cb on a cgroup's oldest entry: WRITTEN, ROTATED, BUSY or EMPTY."""
        slot = memcg.lru.oldest()
        if slot < 0:
            return EMPTY
        memcg.lru.rotate(slot)
        if memcg.lru.takes_chance(slot):
            return ROTATED
        pages, started_ns = self.allocator.pages, self.mm.spent_ns
        if not self._write_back(slot):
            self._not_written(memcg, slot)
            return BUSY
        self._evicting_ns += self.mm.spent_ns - started_ns
        if self.allocator.pages < pages:
            self.mm.counters.free_page_calls += 1
            self.mm.counters.freed_pool_pages += pages - self.allocator.pages
            self.mm.latency["free_page"].record(self._evicting_ns)
            self._evicting_ns = 0
        return WRITTEN

    def _not_written(self, memcg: Memcg, slot: int) -> None:
        """The page is in the swap cache (2013: set aside until it is loaded), or had no frame (2013: tried again)."""
        if self.limit.test != "allocator":
            self.mm.counters.reject_reclaim_fail += 1
        elif self.mm.has_frame(self.entries[slot][3]):
            memcg.lru.remove(slot)
        else:
            memcg.lru.put_back(slot)

    def flush(self) -> bool:
        """The store path of 2013; True: try again."""
        return self._flush.run(self._evict_first)

    def _evict_first(self) -> int:
        """The same of the oldest entry of all."""
        memcg = self.memcgs.oldest()
        return EMPTY if memcg is None else self.evict_entry(memcg)

    def _write_back(self, slot: int) -> bool:
        """zswap_writeback_entry: decompress into the swap cache, start the write, drop the entry."""
        page, started_ns = self.entries[slot][3], self.mm.now_ns + self.mm.spent_ns
        if self.mm.page_at(slot) != page or not self.mm.start_writeback(page):
            return False
        self.codec.decompress()
        self.mm.write_back(page, started_ns)
        self.mm.counters.evictions += 1
        self.mm.counters.written_back_pages += 1
        self.invalidate(slot)
        return True

    # Memory pressure.

    def shrink(self, priority: int) -> None:
        """A pass of reclaim has ended: the shrinker's turn (6.8 on), and the writeback policy's."""
        if self.shrinks:
            for memcg in self.memcgs:
                memcg.shrinker.run(priority, memcg.freeable(), partial(self._shrink, memcg))
        if self.compaction:
            self.compaction.shrink(priority)
        self.writeback.shrink(priority)

    def _shrink(self, memcg: Memcg, entries: int) -> int:
        """zswap_shrinker_scan: pages written back of so many entries; STOP at one whose page is in use."""
        written = 0
        for _ in range(entries):
            fate = self.evict_entry(memcg)
            if fate in (BUSY, EMPTY):
                return STOP
            written += fate == WRITTEN
        return written or STOP

    def oldest_is_cold(self, working_set_pages: int) -> bool:
        """Whether more pages were paged out since the oldest entry was stored than memory holds."""
        memcg = self.memcgs.oldest()
        return memcg is not None and self.mm.counters.pageout - memcg.lru.oldest_age() > working_set_pages

    # Books.

    def statistics(self) -> dict[str, int | float | None]:
        """What is counted here alone, by metric name."""
        return {
            "duplicate_entry": self.duplicates,
            "stored_incompressible_pages": self.incompressible,
            "pool_limit_pages": self.limit.limit_pages,
            "pool_pages_over_limit_peak": max(self.pages_peak - self.limit.limit_pages, 0),
        }

    def validate(self) -> None:
        """Recount entries, handles and bytes; the allocator audits itself."""
        handles = {entry[0]: slot for slot, entry in self.entries.items() if entry[0]}
        assert handles == self.slot_of
        assert self.compressed_bytes == sum(entry[1] for entry in self.entries.values())
        assert self.same_filled == len(self.entries) - len(handles)
        for memcg in self.memcgs:
            own = [entry for slot, entry in self.entries.items() if self.memcgs.of(entry[3]) is memcg]
            assert (memcg.stored, memcg.compressed_bytes) == (len(own), sum(entry[1] for entry in own))
            assert all(self.entries[slot][0] and self.entries[slot] in own for slot in memcg.lru.slots())
        self.allocator.validate()
