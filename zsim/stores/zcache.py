"""What both zcaches are: tmem behind cleancache (ephemeral pages of files) and frontswap (persistent pages of swap)."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import simpy

from zsim.config import Config
from zsim.contents import Contents
from zsim.shrinker import OldShrinker
from zsim.stores import ACCEPTED, KEEP, TO_DEVICE, Mm
from zsim.stores.codec import Codec
from zsim.stores.tmem import Key, frontswap_key
from zsim.stores.tmem_slabs import TmemSlabs
from zsim.stores.zpages import Zpage, Zpages
from zsim.writeback import Steps, Work

INDEX_BITS = 32
SWAP_CLUSTER_MAX = 32


@dataclass(slots=True)
class ZcacheCounters:
    """What cleancache and zcache count in debugfs, by those names, and the processor time of cleancache."""

    puts: int = 0
    succ_gets: int = 0
    failed_gets: int = 0
    invalidates: int = 0
    cleancache_ns: int = 0
    put_to_flush: int = 0
    mean_compress_poor: int = 0
    eph_nonactive_puts_ignored: int = 0
    pers_nonactive_puts_ignored: int = 0
    evicted_eph_zpages: int = 0
    evicted_eph_pageframes: int = 0
    eph_ate_tail: int = 0
    eph_ate_tail_failed: int = 0
    pers_ate_eph: int = 0
    pers_ate_eph_failed: int = 0


class Zcache:
    """Puts, gets and flushes of both kinds, metadata, the shrinker; what is kept, and where, is the version's.

    Frames and metadata are taken without touching the reserve (__GFP_NOMEMALLOC) and without reclaim.
    """

    keeps_slot = True

    def __init__(self, config: Config, contents: Contents, mm: Mm, ephemeral: Zpages, persistent: Zpages) -> None:
        self.config = config.zcache
        self.contents = contents
        self.mm = mm
        self.ephemeral = ephemeral
        self.persistent = persistent
        self.slabs = TmemSlabs([ephemeral.tmem, persistent.tmem], mm.may_spare)
        self.keeps_copy = not persistent.tmem.exclusive
        self.refused = KEEP if config.writeback == "none" else TO_DEVICE
        self.count = ZcacheCounters()
        self.shrinker = OldShrinker()
        self.stored_peak = self.pages_peak = 0
        self._object_of, self._index_of = mm.file_keys() if self.config.cleancache else ([], [])
        self._came_back: set[int] = set()
        self._pgscan = 0
        self.codec = Codec(config.compressor, mm, config.cost)

    @property
    def pages(self) -> int:
        """Page frames of both kinds."""
        return self.ephemeral.pageframes + self.persistent.pageframes

    @property
    def stored(self) -> int:
        """Pages of both kinds, zero-filled ones included."""
        return self.ephemeral.zpages + self.persistent.zpages

    @property
    def same_filled(self) -> int:
        """Zero-filled pages, kept as a marker."""
        return self.ephemeral.zero_filled + self.persistent.zero_filled

    @property
    def compressed_bytes(self) -> int:
        """Compressed size of both kinds."""
        return self.ephemeral.zbytes + self.persistent.zbytes

    @property
    def uncharged_bytes(self) -> int:
        """Of that, page cache, which is no cgroup's once it is dropped."""
        return self.ephemeral.zbytes

    @property
    def metadata_bytes(self) -> int:
        """Slab memory of tmem in whole frames, at its largest."""
        return self.slabs.frame_bytes

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """Nothing runs beside."""
        return None

    # Frontswap.

    def store(self, slot: int, page: int, content: int) -> int:
        """frontswap_store: a put into the persistent pool; a page that is refused leaves no older copy behind."""
        if self._store(slot, page, content):
            return ACCEPTED
        self.mm.counters.rejected_stores += 1
        return self.refused

    def _store(self, slot: int, page: int, content: int) -> bool:
        key = frontswap_key(slot)
        if not self.config.frontswap:
            return False
        if self.config.frontswap_ignore_nonactive and not self.mm.was_active(page):
            self.count.pers_nonactive_puts_ignored += 1
            self.invalidate(slot)
            return False
        kept = self._put(self.persistent, key, lambda: self._persistent_page(key, page, content))
        self.mm.counters.zswpout += kept
        return kept

    def load(self, slot: int) -> bool:
        """frontswap_load: a get, where frontswap's bitmap has the slot."""
        if self._kept(slot) is None:
            return False
        zpage = self.persistent.tmem.get(frontswap_key(slot))
        self.mm.counters.zswpin += 1
        self._decompress(zpage)
        return True

    def content_of(self, slot: int) -> int | None:
        """The content id stored for a slot; None where nothing is."""
        zpage = self._kept(slot)
        return None if zpage is None else zpage.content

    def holds(self, slot: int) -> bool:
        """Whether the page has an object."""
        zpage = self._kept(slot)
        return zpage is not None and zpage.handle > 0

    def invalidate(self, slot: int) -> None:
        """frontswap_invalidate_page: a flush, where frontswap's bitmap has the slot."""
        if self._kept(slot) is not None:
            self.persistent.tmem.flush_page(frontswap_key(slot))

    def _kept(self, slot: int) -> Zpage | None:
        """frontswap's bitmap, and what it stands for."""
        return None if slot < 0 else self.persistent.tmem.peek(frontswap_key(slot))

    # Cleancache.

    def put_page(self, page: int, content: int) -> None:
        """cleancache_put_page: every clean page that reclaim drops is offered."""
        key = self._file_key(page)
        if key is None:
            return
        self.count.puts += 1
        began_ns = self.mm.spent_ns
        if self._wanted(page):
            self._put(self.ephemeral, key, lambda: self._ephemeral_page(key, page, content))
        else:
            self.count.eph_nonactive_puts_ignored += 1
        self.count.cleancache_ns += self.mm.spent_ns - began_ns

    def _wanted(self, page: int) -> bool:
        """The filter of pages read once: a page that was active, or that came back from here, is kept."""
        came_back = page in self._came_back
        self._came_back.discard(page)
        return not self.config.cleancache_ignore_nonactive or came_back or self.mm.was_active(page)

    def get_page(self, page: int) -> bool:
        """cleancache_get_page: a page that is here saves a read, and is not here any more (the pool is private)."""
        key = self._file_key(page)
        if key is None:
            return False
        zpage = self.ephemeral.tmem.get(key)
        if zpage is None:
            self.count.failed_gets += 1
            return False
        self.count.succ_gets += 1
        self._came_back.add(page)
        began_ns = self.mm.spent_ns
        self._decompress(zpage)
        self.count.cleancache_ns += self.mm.spent_ns - began_ns
        return True

    def invalidate_page(self, page: int) -> None:
        """cleancache_invalidate_page: a page of a file is unmapped for good."""
        key = self._file_key(page)
        if key is not None:
            self.count.invalidates += 1
            self.ephemeral.tmem.flush_page(key)

    def content_of_file(self, page: int) -> int | None:
        """The content id kept of a page of a file; None where nothing is."""
        key = self._file_key(page)
        zpage = None if key is None else self.ephemeral.tmem.peek(key)
        return None if zpage is None else zpage.content

    def _file_key(self, page: int) -> Key | None:
        """Object and index of a page of a file; None for others, and where the index does not fit tmem's 32 bits."""
        if not self.config.cleancache or self._object_of[page] < 0 or self._index_of[page] >> INDEX_BITS:
            return None
        return self._object_of[page], self._index_of[page]

    # What is kept.

    def _persistent_page(self, key: Key, page: int, content: int) -> Zpage | None:
        raise NotImplementedError

    def _ephemeral_page(self, key: Key, page: int, content: int) -> Zpage | None:
        raise NotImplementedError

    def _put(self, into: Zpages, key: Key, create: Callable[[], Zpage | None]) -> bool:
        """zcache_put_page: without metadata at hand the put is a flush."""
        if not self.slabs.preload():
            self.count.put_to_flush += 1
            into.tmem.flush_page(key)
            return False
        kept = into.tmem.put(key, create)
        self.stored_peak = max(self.stored_peak, self.stored)
        self.pages_peak = max(self.pages_peak, self.pages)
        self.slabs.note()
        return kept

    def _compress(self, content: int) -> int:
        """The compressed length; above PAGE_SIZE where it does not fit a page."""
        self.codec.compress()
        return self.contents.size_bytes[content]

    def _decompress(self, zpage: Zpage | None) -> None:
        if zpage is not None and zpage.handle:
            self.codec.decompress()

    def _too_large(self, size_bytes: int, limit_bytes: int) -> bool:
        """A page that compresses poorly is refused."""
        self.mm.counters.reject_compress_poor += size_bytes > limit_bytes
        return size_bytes > limit_bytes

    def _mean_too_large(self, size_bytes: int, kept_bytes: int) -> bool:
        """So is one that compresses less well than it might, while the mean of those kept is no better."""
        limit_bytes, zpages = self.config.max_mean_zsize, self.persistent.zpages
        if size_bytes <= limit_bytes or not zpages or kept_bytes // zpages <= limit_bytes:
            return False
        self.count.mean_compress_poor += 1
        return True

    def _allocate(self, into: Zpages, key: Key, size_bytes: int, content: int, page: int) -> Zpage | None:
        zpage = into.keep(key, size_bytes, content, page)
        self.mm.counters.reject_alloc_fail += zpage is None
        return zpage

    # Memory pressure.

    def shrink(self, priority: int) -> None:
        """shrink_slab after a pass of reclaim; pages that are mapped or in the swap cache, here all, count double."""
        scanned, self._pgscan = 2 * (self.mm.counters.pgscan - self._pgscan), self.mm.counters.pgscan
        lru_pages = sum(self.mm.lru_pages())
        self.shrinker.run(scanned or SWAP_CLUSTER_MAX, lru_pages, self._freeable(), self._scan)

    def _freeable(self) -> int:
        raise NotImplementedError

    def _scan(self, pages: int) -> None:
        raise NotImplementedError

    def _evict(self, handle: int) -> bool:
        """An ephemeral page is dropped for its frame."""
        self.count.evicted_eph_zpages += 1
        self.mm.counters.evictions += 1
        return self.ephemeral.drop(handle)

    def _note_evicted(self, pageframes: int) -> None:
        """Frames came free by dropping what was in them: no input or output, no time."""
        self.count.evicted_eph_pageframes += pageframes
        self.mm.counters.free_page_calls += pageframes
        self.mm.counters.freed_pool_pages += pageframes
        for _ in range(pageframes):
            self.mm.latency["free_page"].record(0)

    # Books.

    def statistics(self) -> dict[str, int | float | None]:
        """What is counted here alone, by metric name."""
        eph, pers, puts = self.ephemeral, self.persistent, self.count.puts
        return asdict(self.count) | {
            "puts_never_read": round(1 - self.count.succ_gets / puts, 6) if puts else None,
            "eph_zpages": eph.zpages,
            "eph_pageframes": eph.pageframes,
            "pers_zpages": pers.zpages,
            "pers_pageframes": pers.pageframes,
            "tmem_lookups": eph.tmem.lookups + pers.tmem.lookups,
            "tmem_lookup_steps": eph.tmem.lookup_steps + pers.tmem.lookup_steps,
            "tmem_metadata_bytes": self.slabs.metadata_bytes,
            "obj_count_max": self.slabs.objects_max,
            "objnode_count_max": self.slabs.nodes_max,
        }

    def validate(self) -> None:
        """Both kinds and the slabs recount themselves."""
        for part in (self.ephemeral, self.persistent, self.slabs):
            part.validate()
