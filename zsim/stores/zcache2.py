"""zcache as rewritten by ramster: zbud with an LRU of frames for both kinds of page (3.9 to 3.11)."""

import simpy

from zsim.allocators import make_allocator
from zsim.allocators.zbud_zcache2 import ZbudZcache2
from zsim.config import Config
from zsim.contents import Contents
from zsim.stores import Mm
from zsim.stores.tmem import Key
from zsim.stores.zcache import Zcache
from zsim.stores.zpages import Zpage, Zpages
from zsim.writeback import Steps, Work

FRAMES_UP_FRONT = 2


class Zcache2(Zcache):
    """zcache of 3.9 to 3.11: zbud for page cache and swap, each with its LRU; swap may eat page cache's frames.

    drivers/staging/zcache/zcache-main.c of 3.10. Its writeback runs in the shrinker there and in a thread that the
    shrinker wakes here. Left out: ramster.
    """

    def __init__(self, config: Config, contents: Contents, mm: Mm) -> None:
        ephemeral = Zpages(ZbudZcache2(self._ephemeral_frame), 0, exclusive=True)
        own = make_allocator(config.allocator, "2013", config.chain_size, self._persistent_frames)
        header_bytes = 0 if isinstance(own, ZbudZcache2) else config.zcache.zv_header_bytes
        persistent = Zpages(own, header_bytes, config.zcache.exclusive_gets)
        super().__init__(config, contents, mm, ephemeral, persistent)
        self.wakeup_ns = config.cost.wakeup_ns
        self._wanted_back: simpy.Event | None = None

    # What is kept.

    def _ephemeral_page(self, key: Key, page: int, content: int) -> Zpage | None:
        """zcache_pampd_eph_create: zero-filled, or compressed to what zbud takes."""
        if self.contents.zero_filled[content]:
            return self.ephemeral.keep_zero(content, page)
        size_bytes = self._compress(content)
        if self._too_large(size_bytes, self.ephemeral.allocator.max_size):
            return None
        return self._allocate(self.ephemeral, key, size_bytes, content, page)

    def _persistent_page(self, key: Key, page: int, content: int) -> Zpage | None:
        """zcache_pampd_pers_create: zero-filled, compress, size, mean of bytes over pages, allocate."""
        kept = self.persistent
        if self.contents.zero_filled[content]:
            return kept.keep_zero(content, page)
        size_bytes = self._compress(content)
        if self._too_large(size_bytes, self.config.max_zsize) or self._mean_too_large(size_bytes, kept.zbytes):
            return None
        return self._allocate(kept, key, size_bytes, content, page)

    # Frames.

    def _ephemeral_frame(self, pages: int) -> bool:
        """A frame for page cache: a free one, else that of its own oldest pages."""
        if self.mm.may_spare(pages):
            return True
        if self._evict_frame():
            self.count.eph_ate_tail += 1
            return True
        self.count.eph_ate_tail_failed += 1
        return False

    def _persistent_frames(self, pages: int) -> bool:
        """Frames for swap: free ones, else those of the oldest page cache kept here."""
        eaten = 0
        while eaten < pages and not self.mm.may_spare(pages):
            if not self._evict_frame():
                self.count.pers_ate_eph_failed += 1
                return False
            self.count.pers_ate_eph += 1
            eaten += 1
        return True

    def _evict_frame(self) -> bool:
        """zcache_evict_eph_pageframe: drop the one or two pages of the oldest frame."""
        if self.ephemeral.allocator.reclaim(self._evict) <= 0:
            return False
        self._note_evicted(1)
        return True

    # Memory pressure.

    def _freeable(self) -> int:
        """The source's own arithmetic: minus active *plus* inactive file pages, most likely meant to be minus both."""
        _, _, inactive_file, active_file = self.mm.lru_pages()
        return max(self.ephemeral.pageframes - active_file + inactive_file, 0)

    def _scan(self, pages: int) -> None:
        """shrink_zcache_memory: however much is asked for, down to as many frames as there is page cache in memory."""
        _, _, inactive_file, active_file = self.mm.lru_pages()
        for _ in range(self.ephemeral.pageframes - inactive_file - active_file):
            if not self._evict_frame():
                break
        if self._wanted_back is not None and not self._wanted_back.triggered and self._too_much_swap():
            self._wanted_back.succeed()

    def _too_much_swap(self) -> bool:
        """More frames of swap than anonymous pages in memory: the rest is to be written back."""
        inactive_anon, active_anon, _, _ = self.mm.lru_pages()
        return self.persistent.pageframes > inactive_anon + active_anon

    # Writing back.

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """The thread that writes swap pages back, where that is on and the allocator knows which."""
        if not self.config.writeback or not self.persistent.allocator.can_reclaim:
            return None
        return self._write_back_when_wanted(env, work)

    def _write_back_when_wanted(self, env: simpy.Environment, work: Work) -> Steps:
        while True:
            self._wanted_back = env.event()
            yield self._wanted_back
            yield env.timeout(self.wakeup_ns)
            while self._too_much_swap() and (yield work(self.write_back_frame, "writeback_ns")):
                pass

    def write_back_frame(self) -> bool:
        """zcache_frontswap_writeback: write the one or two pages of the oldest frame, with two frames in hand."""
        counters, began_ns = self.mm.counters, self.mm.spent_ns
        counters.free_page_calls += 1
        freed = self.persistent.allocator.reclaim(self._write_back) if self._two_frames() else 0
        if freed <= 0:
            counters.reject_reclaim_fail += 1
            return False
        counters.freed_pool_pages += freed
        self.mm.latency["free_page"].record(self.mm.spent_ns - began_ns)
        return True

    def _two_frames(self) -> bool:
        """Two frames: free ones, page cache's, or while not too many writes are under way the reserve's."""
        eaten = 0
        while eaten < FRAMES_UP_FRONT and not self.mm.may_spare(FRAMES_UP_FRONT):
            if not self._evict_frame():
                unfinished = self.mm.writeback_in_flight
                return unfinished <= self.config.outstanding_writes_max and self.mm.may_grow(FRAMES_UP_FRONT)
            eaten += 1
        return True

    def _write_back(self, handle: int) -> bool:
        """Decompress into the swap cache, start the write, drop; a page that is in the swap cache stays."""
        zpage = self.persistent.tmem.peek(self.persistent.key_of[handle])
        assert zpage is not None
        started_ns = self.mm.now_ns + self.mm.spent_ns
        if not self.mm.start_writeback(zpage.page):
            return False
        self._decompress(zpage)
        self.mm.write_back(zpage.page, started_ns)
        self.mm.counters.evictions += 1
        self.mm.counters.written_back_pages += 1
        return self.persistent.drop(handle)
