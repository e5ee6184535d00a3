"""zswap: a compressed cache of swap pages in front of the device (mm/zswap.c)."""

import simpy

from zsim.allocators import ENOSPC, make_allocator
from zsim.compressors import COMPRESSORS
from zsim.config import Config
from zsim.contents import Contents
from zsim.errors import UsageError
from zsim.stores import ACCEPTED, KEEP, TO_DEVICE, Mm
from zsim.units import PAGE_SIZE
from zsim.writeback import Steps, Work, make_writeback

Entry = tuple[int, int, int, int]
"""(handle, compressed length, content, page) of a stored page; handle and length 0: same-filled."""


class Zswap:
    """zswap as in 6.1; with the values of `zswap.*` and another writeback also as in 3.11.

    One pool, one swap device. Reclaim of the pool is the allocator's (its page LRU), as until 6.4. Left out: the
    limit of a memcg (memory.zswap.max), switching pools at run time.
    """

    keeps_copy = True

    def __init__(self, config: Config, contents: Contents, mm: Mm) -> None:
        self.config = config.zswap
        self.contents = contents
        self.mm = mm
        self.allocator = make_allocator(config.allocator, config.era, config.chain_size, mm.may_grow)
        self.writeback = make_writeback(config, self)
        self.refused = KEEP if config.writeback == "none" else TO_DEVICE
        self.entries: dict[int, Entry] = {}
        self.slot_of: dict[int, int] = {}
        self.compressed_bytes = 0
        self.same_filled = 0
        self.stored_peak = 0
        self.pages_peak = 0
        self.reached_full = False
        self.header_bytes = self.config.header_bytes if self.allocator.can_reclaim else 0
        self.entry_bytes = config.memory.entry_bytes
        codec = COMPRESSORS.load(config.compressor)
        self.compress_ns = codec.compress_ns if config.cost.compress_ns < 0 else config.cost.compress_ns
        self.decompress_ns = codec.decompress_ns if config.cost.decompress_ns < 0 else config.cost.decompress_ns
        total, percent = mm.total_pages, self.config.max_pool_percent
        if percent > 100:
            raise UsageError(f"zswap.max_pool_percent: {percent} is more than all of the RAM")
        self.limit_pages = total * percent // 100
        self.accept_pages = total * self.config.accept_threshold_percent // 100 * percent // 100

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

    def store(self, slot: int, page: int, content: int) -> int:
        """zswap_frontswap_store: limit, same-filled, compress, allocate, insert."""
        if slot in self.entries:
            self.invalidate(slot)
        return ACCEPTED if self._store(slot, page, content) else self.refused

    def _store(self, slot: int, page: int, content: int) -> bool:
        if not self._accepts():
            self.mm.counters.reject_pool_limit += 1
            return False
        if self.config.same_filled_pages_enabled and self.contents.same_filled[content]:
            self.same_filled += 1
            self._insert(slot, (0, 0, content, page))
            return True
        return self._compress(slot, page, content)

    def _accepts(self) -> bool:
        """The pool limit and its hysteresis; at the limit, writeback decides whether the store may go on."""
        pages = self.allocator.pages
        if pages > self.limit_pages:
            self.mm.counters.pool_limit_hit += 1
            self.reached_full = self.config.accept_threshold_percent > 0
            return self.writeback.pool_full()
        if self.reached_full:
            if pages >= self.accept_pages:
                return False
            self.reached_full = False
        return True

    def _compress(self, slot: int, page: int, content: int) -> bool:
        mm = self.mm
        mm.spent_ns += self.compress_ns
        mm.counters.compress_ns += self.compress_ns
        size = self.contents.size_bytes[content]
        if size > PAGE_SIZE:
            mm.counters.reject_compress_fail += 1
            return False
        handle = self.allocator.alloc(size + self.header_bytes)
        if handle < 0:
            if handle == ENOSPC:
                mm.counters.reject_compress_poor += 1
            else:
                mm.counters.reject_alloc_fail += 1
            return False
        self.slot_of[handle] = slot
        self.compressed_bytes += size
        if self.allocator.pages > self.pages_peak:
            self.pages_peak = self.allocator.pages
        self._insert(slot, (handle, size, content, page))
        return True

    def _insert(self, slot: int, entry: Entry) -> None:
        self.entries[slot] = entry
        self.mm.counters.zswpout += 1
        if len(self.entries) > self.stored_peak:
            self.stored_peak = len(self.entries)

    def load(self, slot: int) -> bool:
        """zswap_frontswap_load: decompress; the entry stays."""
        entry = self.entries.get(slot)
        if entry is None:
            return False
        self.mm.counters.zswpin += 1
        if entry[0]:
            self._decompress()
        return True

    def _decompress(self) -> None:
        self.mm.spent_ns += self.decompress_ns
        self.mm.counters.decompress_ns += self.decompress_ns

    def content_of(self, slot: int) -> int | None:
        """The content id stored for a slot; None where nothing is."""
        entry = self.entries.get(slot)
        return entry[2] if entry else None

    def invalidate(self, slot: int) -> None:
        """Drop the slot's entry and its object, if there is one."""
        entry = self.entries.pop(slot, None)
        if entry is None:
            return
        handle, size, _, _ = entry
        if not handle:
            self.same_filled -= 1
            return
        del self.slot_of[handle]
        self.compressed_bytes -= size
        self.allocator.free(handle)

    def reclaim_page(self) -> bool:
        """zpool_shrink(1): one frame (or zspage) of the allocator's choosing; False counts reject_reclaim_fail."""
        counters = self.mm.counters
        counters.free_page_calls += 1
        started_ns = self.mm.spent_ns
        freed = self.allocator.reclaim(self._write_back)
        if freed <= 0:
            counters.reject_reclaim_fail += 1
            return False
        counters.freed_pool_pages += freed
        self.mm.latency["free_page"].record(self.mm.spent_ns - started_ns)
        return True

    def _write_back(self, handle: int) -> bool:
        """zswap_writeback_entry: decompress into the swap cache, start the write, drop the entry."""
        slot = self.slot_of[handle]
        page = self.entries[slot][3]
        if not self.mm.start_writeback(page):
            return False
        self._decompress()
        self.mm.counters.evictions += 1
        self.mm.counters.written_back_pages += 1
        self.invalidate(slot)
        return True

    def shrink(self, priority: int) -> None:
        """zswap of 6.1 has no shrinker."""

    def validate(self) -> None:
        """Recount entries, handles and bytes; the allocator audits itself."""
        handles = {entry[0]: slot for slot, entry in self.entries.items() if entry[0]}
        assert handles == self.slot_of
        assert self.compressed_bytes == sum(entry[1] for entry in self.entries.values())
        assert self.same_filled == len(self.entries) - len(handles)
        self.allocator.validate()
