"""zcache as it was first: zbud pairs for page cache, zsmalloc for swap, no writeback (3.8 and before)."""

from zsim.allocators import make_allocator
from zsim.allocators.zbud_zcache1 import ZbudZcache1
from zsim.config import Config
from zsim.contents import Contents
from zsim.stores import Mm
from zsim.stores.tmem import Key
from zsim.stores.zcache import Zcache
from zsim.stores.zpages import Zpage, Zpages
from zsim.units import PAGE_SIZE


class Zcache1(Zcache):
    """zcache of 3.3 to 3.8: page cache in zbud pairs without an LRU, swap in zsmalloc, and nothing is written back.

    drivers/staging/zcache/zcache-main.c of 3.8. Swap pages stay until they are loaded and their slot is freed. Left
    out: freezing, other clients, the page kept at hand on each processor besides the metadata.
    """

    def __init__(self, config: Config, contents: Contents, mm: Mm) -> None:
        self.zbud = ZbudZcache1(mm.may_spare)
        persistent = make_allocator(config.allocator, "2013", config.chain_size, mm.may_spare)
        ephemeral = Zpages(self.zbud, 0, exclusive=True)
        super().__init__(
            config, contents, mm, ephemeral, Zpages(persistent, config.zcache.zv_header_bytes, exclusive=False)
        )
        self.most_swap_pages = config.zcache.zv_page_count_policy_percent * mm.total_pages // 100

    def _ephemeral_page(self, key: Key, page: int, content: int) -> Zpage | None:
        """zcache_pampd_create: compress; what zbud cannot take is refused."""
        size_bytes = self._compress(content)
        if self._too_large(size_bytes, self.zbud.max_size):
            return None
        return self._allocate(self.ephemeral, key, size_bytes, content, page)

    def _persistent_page(self, key: Key, page: int, content: int) -> Zpage | None:
        """zcache_pampd_create: page count, compress, size, mean of frames over pages, allocate."""
        kept = self.persistent
        if kept.zpages > self.most_swap_pages:
            self.mm.counters.reject_pool_limit += 1
            return None
        size_bytes = self._compress(content)
        if self._too_large(size_bytes, self.config.max_zsize):
            return None
        if self._mean_too_large(size_bytes, kept.pageframes * PAGE_SIZE):
            return None
        return self._allocate(kept, key, size_bytes, content, page)

    def _freeable(self) -> int:
        """The frames of zbud, unused ones included."""
        return self.zbud.pages

    def _scan(self, pages: int) -> None:
        """zbud_evict_pages: unused frames go back, then as many more are emptied, to go back another time."""
        self._note_evicted(self.zbud.evict_pages(pages, self._evict))
