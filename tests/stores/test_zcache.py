"""zcache 1 and 2: who is let in, who goes first, whose frames are eaten; hand-computed, then in whole replays."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.machines import SizesByHash, config_of, configs, left_behind, make_trace
from zsim.config import Config
from zsim.engine import Engine, ReferenceEngine
from zsim.errors import UsageError
from zsim.histogram import LatencyHistogram
from zsim.metrics import METRICS, Counters
from zsim.run import replay
from zsim.stores import ACCEPTED, KEEP, TO_DEVICE
from zsim.stores.tmem import POOL_BYTES
from zsim.stores.tmem_slabs import PRELOAD_BYTES
from zsim.stores.zcache import Zcache
from zsim.stores.zcache1 import Zcache1
from zsim.stores.zcache2 import Zcache2
from zsim.traces.trace import Trace
from zsim.units import PAGE_SIZE

ZERO = 0
"""A content id of SizesInBytes that is zero-filled; any other is its own compressed size."""


class SizesInBytes:
    """Contents whose id is their compressed size."""

    size_bytes = list(range(5000))
    zero_filled = same_filled = bytearray([1]) + bytearray(4999)


class FakeMm:
    """Memory management with `frames_free` frames for the pools, and lists as told; all pages of one file."""

    def __init__(self, frames_free: int = 1000) -> None:
        self.counters = Counters()
        self.latency = {"free_page": LatencyHistogram()}
        self.now_ns = self.spent_ns = 0
        self.total_pages = 20
        self.writeback_in_flight = 0
        self.frames_free = frames_free
        self.reserve_free = 0
        self.store: Zcache | None = None
        self.lists = (0, 0, 0, 0)
        self.active: set[int] = set()
        self.indexes = list(range(100))
        self.writing: list[int] = []
        self.cached: set[int] = set()

    def frames(self) -> int:
        """Frames of pages."""
        return sum(self.lists)

    def may_spare(self, pages: int) -> bool:
        """As many as are free."""
        return (self.store.pages if self.store else 0) + pages <= self.frames_free

    def may_grow(self, pages: int) -> bool:
        """Those in reserve, too."""
        return (self.store.pages if self.store else 0) + pages <= self.frames_free + self.reserve_free

    def lru_pages(self) -> tuple[int, int, int, int]:
        """As told."""
        return self.lists

    def was_active(self, page: int) -> bool:
        """As told."""
        return page in self.active

    def file_keys(self) -> tuple[list[int], list[int]]:
        """All pages belong to object 5."""
        return [5] * len(self.indexes), self.indexes

    def start_writeback(self, page: int) -> bool:
        """Note the page, unless it is in the swap cache."""
        if page not in self.cached:
            self.writing.append(page)
        return page not in self.cached

    def write_back(self, page: int, since_ns: int) -> None:
        """It is noted already."""


def zcache(kind: type[Zcache1] | type[Zcache2], mm: FakeMm | None = None, **values: Any) -> tuple[Any, FakeMm]:
    """An empty store and its memory management."""
    mm = mm or FakeMm()
    values = {"era": "3.11", "store": kind.__name__.lower(), **values}
    store = kind(config_of(**values), SizesInBytes(), mm)  # type: ignore[arg-type]
    mm.store = store
    return store, mm


def stored(store: Zcache, *sizes: int) -> list[int]:
    """Swap pages of these sizes offered at slots 0, 1, ...; the verdicts."""
    return [store.store(slot, slot, size) for slot, size in enumerate(sizes)]


def put(store: Zcache, **sizes: int) -> None:
    """File pages offered: p3=1000 is page 3 that compresses to 1,000 bytes."""
    for name, size in sizes.items():
        store.put_page(int(name[1:]), size)


def kept_pages(store: Zcache) -> list[int]:
    """The file pages that are here."""
    store.validate()
    return sorted(zpage.page for _, zpage in store.ephemeral.tmem.items())


# Both.


@pytest.mark.parametrize("kind", [Zcache1, Zcache2])
def test_a_file_page_comes_back_once(kind: type[Zcache1]) -> None:
    """A get takes the page out; the next one fails. Each costs what the codec costs."""
    store, mm = zcache(kind, cost__compress_ns=5000, cost__decompress_ns=2000)
    store.put_page(3, 1000)
    assert (mm.spent_ns, store.pages, store.ephemeral.zbytes) == (5000, 1, 1000)
    assert [store.get_page(3), store.get_page(3)] == [True, False]
    assert mm.spent_ns == 7000
    figures = store.statistics()
    assert [figures[name] for name in ("puts", "succ_gets", "failed_gets", "puts_never_read")] == [1, 1, 1, 0]
    assert figures["cleancache_ns"] == 7000
    store.validate()


@pytest.mark.parametrize("kind", [Zcache1, Zcache2])
def test_a_void_file_page_does_not_come_back(kind: type[Zcache1]) -> None:
    """Invalidated, it is gone."""
    store, _ = zcache(kind)
    store.put_page(3, 1000)
    store.invalidate_page(3)
    assert not store.get_page(3)
    assert store.statistics()["invalidates"] == 1
    assert store.statistics()["puts_never_read"] == 1


@pytest.mark.parametrize("kind", [Zcache1, Zcache2])
def test_a_refused_swap_page_leaves_no_older_copy(kind: type[Zcache1]) -> None:
    """A duplicate put that fails leaves the slot empty."""
    store, _ = zcache(kind)
    assert store.store(7, 1, 1000) == ACCEPTED
    assert store.store(7, 1, 3585) == TO_DEVICE
    assert store.content_of(7) is None and not store.load(7)
    assert store.pages == store.stored == 0 or kind is Zcache1
    store.validate()


@pytest.mark.parametrize("kind", [Zcache1, Zcache2])
def test_without_a_device_refused_pages_are_kept(kind: type[Zcache1]) -> None:
    """With writeback none."""
    assert stored(zcache(kind, writeback="none")[0], 3585) == [KEEP]


@pytest.mark.parametrize("kind", [Zcache1, Zcache2])
def test_no_memory_for_metadata(kind: type[Zcache1]) -> None:
    """The put becomes a flush. Pools take three frames, an object and twelve nodes at hand two."""
    store, mm = zcache(kind)
    assert store.metadata_bytes == 3 * PAGE_SIZE
    mm.frames_free = 1
    assert stored(store, 1000) == [TO_DEVICE]
    assert store.statistics()["put_to_flush"] == 1
    mm.frames_free = 9
    assert stored(store, 1000) == [ACCEPTED]
    assert store.metadata_bytes == 5 * PAGE_SIZE
    assert store.statistics()["tmem_metadata_bytes"] == 2 * POOL_BYTES + PRELOAD_BYTES == 8288 + 6424


def test_metadata_within_the_slabs_there_are() -> None:
    """Two frames of slabs less what is kept at hand have room for 20 objects; the 22nd put would need one more."""
    store, mm = zcache(Zcache2)
    stored(store, ZERO)
    mm.frames_free = 0
    assert stored(store, *[ZERO] * 23) == [ACCEPTED] * 21 + [TO_DEVICE] * 2
    assert (store.stored, store.statistics()["put_to_flush"]) == (21, 2)


@pytest.mark.parametrize("kind", [Zcache1, Zcache2])
def test_only_file_pages_with_an_index_of_32_bits(kind: type[Zcache1]) -> None:
    """tmem's indexes have 32 bits; a page beyond is not kept."""
    mm = FakeMm()
    mm.indexes = [0, 2**32 - 1, 2**32, -1]
    store, _ = zcache(kind, mm)
    put(store, p0=100, p1=100, p2=100, p3=100)
    assert kept_pages(store) == [0, 1]
    assert store.statistics()["puts"] == 2


@pytest.mark.parametrize("kind", [Zcache1, Zcache2])
def test_either_half_can_be_off(kind: type[Zcache1]) -> None:
    """Without cleancache nothing is put, without frontswap everything goes to the device."""
    store, _ = zcache(kind, zcache__cleancache=False)
    store.put_page(3, 1000)
    assert not store.get_page(3) and store.statistics()["puts"] == 0 and store.statistics()["puts_never_read"] is None
    assert stored(zcache(kind, zcache__frontswap=False)[0], 1000) == [TO_DEVICE]


@pytest.mark.parametrize("kind", [Zcache1, Zcache2])
def test_was_active_filter(kind: type[Zcache1]) -> None:
    """Pages that never were active are not compressed, but one that came back from here is kept the next time."""
    store, mm = zcache(kind, zcache__cleancache_ignore_nonactive=True, zcache__frontswap_ignore_nonactive=True)
    mm.active = {3}
    put(store, p2=1000, p3=1000)
    assert kept_pages(store) == [3]
    assert store.get_page(3)
    mm.active = set()
    put(store, p3=1000)
    assert kept_pages(store) == [3]
    assert stored(store, 1000) == [TO_DEVICE]
    figures = store.statistics()
    assert (figures["eph_nonactive_puts_ignored"], figures["pers_nonactive_puts_ignored"]) == (1, 1)


def test_cgroups_are_charged_swap_alone() -> None:
    """Page cache that was dropped is nobody's."""
    store, _ = zcache(Zcache2)
    stored(store, 1000)
    put(store, p3=2000)
    assert (store.compressed_bytes, store.uncharged_bytes) == (3000, 2000)


# zcache 1.


def test_zcache1_limits_by_size() -> None:
    """61 chunks for page cache, 7/8 of a page for swap."""
    store, mm = zcache(Zcache1)
    put(store, p1=3904, p2=3905)
    assert kept_pages(store) == [1]
    assert stored(store, 3584, 3585) == [ACCEPTED, TO_DEVICE]
    assert mm.counters.reject_compress_poor == 2


def test_zcache1_counts_pages_before_it_compresses() -> None:
    """10 % of 20 pages: refused once more than two are kept, at no cost."""
    store, mm = zcache(Zcache1, zcache__zv_page_count_policy_percent=10, cost__compress_ns=5000)
    assert stored(store, 100, 100, 100, 100) == [ACCEPTED, ACCEPTED, ACCEPTED, TO_DEVICE]
    assert (mm.counters.reject_pool_limit, mm.spent_ns) == (1, 15_000)


def test_zcache1_mean_is_of_frames() -> None:
    """3,000 + 56 bytes have a zspage of three frames to themselves: a mean of 12,288 lets nothing above 2,560 in.

    100 bytes, seven times, take two frames more: 5 * 4096 // 8 = 2,560 lets it in.
    """
    store, _ = zcache(Zcache1)
    assert stored(store, 3000, 2561) == [ACCEPTED, TO_DEVICE]
    assert (store.persistent.pageframes, store.statistics()["mean_compress_poor"]) == (3, 1)
    assert stored(store, 3000, *[100] * 7)[1:] == [ACCEPTED] * 7
    assert (store.persistent.pageframes, store.store(9, 9, 2561)) == (5, ACCEPTED)


def test_zcache1_swap_pages_stay_when_loaded() -> None:
    """Until their slot is free; nothing else takes them out."""
    store, _ = zcache(Zcache1)
    stored(store, 1000)
    assert store.keeps_copy and store.load(0) and store.load(0)
    store.invalidate(0)
    assert not store.load(0) and store.process(None, None) is None


def test_zcache1_evicts_the_smallest_first_and_keeps_the_frame() -> None:
    """40 and 5 chunks share a frame, 30 chunks are alone: they go first, then the pair. Frames go a call later."""
    store, mm = zcache(Zcache1)
    put(store, p1=40 * 64, p2=30 * 64, p3=5 * 64)
    assert store.pages == 2
    seen = []
    for _ in range(4):
        store._scan(1)
        seen.append((kept_pages(store), store.pages))
    assert seen == [([1, 3], 2), ([1, 3], 1), ([], 1), ([], 0)]
    assert (mm.counters.evictions, mm.counters.freed_pool_pages) == (3, 2)


def test_zcache1_scan_of_several_frames() -> None:
    """Three frames wanted of one unused and three in use: the unused one goes, two are emptied in order of size."""
    store, _ = zcache(Zcache1)
    put(store, p1=3904, p2=35 * 64, p3=50 * 64, p4=61 * 64)
    assert store.get_page(1)
    store._scan(3)
    assert (kept_pages(store), store.pages) == ([4], 3)


def test_zcache1_swap_does_not_eat_page_cache() -> None:
    """Without a frame a swap page is refused, however much page cache is kept."""
    store, mm = zcache(Zcache1)
    put(store, p1=3000, p2=3000)
    stored(store, 3000)
    store.invalidate(0)
    mm.frames_free = 2
    assert stored(store, 3000) == [TO_DEVICE]
    assert kept_pages(store) == [1, 2] and mm.counters.reject_alloc_fail == 1


# zcache 2.


def test_zcache2_limits_by_size() -> None:
    """63 chunks less the handle for page cache, 7/8 of a page for swap."""
    store, mm = zcache(Zcache2)
    put(store, p1=4000, p2=4001)
    assert kept_pages(store) == [1]
    assert stored(store, 3584, 3585) == [ACCEPTED, TO_DEVICE]
    assert mm.counters.reject_compress_poor == 2


def test_zcache2_mean_is_of_bytes() -> None:
    """3,000: 2,561 is refused, 2,560 taken; mean 2,780: 2,561 is refused, 1,000 taken; mean 2,186: 2,561 is taken."""
    store, _ = zcache(Zcache2)
    verdicts = stored(store, 3000, 2561, 2560, 2561, 1000, 2561)
    assert verdicts == [ACCEPTED, TO_DEVICE, ACCEPTED, TO_DEVICE, ACCEPTED, ACCEPTED]
    assert store.statistics()["mean_compress_poor"] == 2


def test_zcache2_zero_filled_pages_are_a_marker() -> None:
    """Of either kind: no frame, no time, and they come back."""
    store, mm = zcache(Zcache2)
    put(store, p1=ZERO)
    assert stored(store, ZERO) == [ACCEPTED]
    assert (store.pages, store.stored, store.same_filled, mm.spent_ns) == (0, 2, 2, 0)
    assert store.get_page(1) and store.load(0) and mm.spent_ns == 0
    assert (store.stored, store.same_filled) == (0, 0)


def test_zcache2_gets_are_exclusive_by_default() -> None:
    """A loaded page is gone from here; with noexclusivegets it stays."""
    store, _ = zcache(Zcache2)
    stored(store, 1000)
    assert not store.keeps_copy and store.load(0) and not store.load(0)
    store, _ = zcache(Zcache2, zcache__exclusive_gets=False)
    stored(store, 1000)
    assert store.keeps_copy and store.load(0) and store.load(0)


def test_zcache2_evicts_the_frame_used_least_recently() -> None:
    """Pages 1 and 2 alone, then 3 joins 1, whose frame is the younger then: 2 goes first."""
    store, _ = zcache(Zcache2)
    put(store, p1=2500, p2=3900, p3=1000)
    assert store.pages == 2
    store._evict_frame()
    assert kept_pages(store) == [1, 3]
    store._evict_frame()
    assert kept_pages(store) == [] and not store._evict_frame()


def test_zcache2_new_page_cache_eats_the_oldest() -> None:
    """Two frames and no more: the third page takes the frame of the first."""
    store, mm = zcache(Zcache2)
    put(store, p1=3000, p2=3000)
    mm.frames_free = 2
    put(store, p3=3000)
    assert kept_pages(store) == [2, 3] and store.pages == 2
    assert store.statistics()["eph_ate_tail"] == 1


def test_zcache2_swap_eats_page_cache() -> None:
    """And is refused when there is none left to eat."""
    store, mm = zcache(Zcache2)
    put(store, p1=3000, p2=3000)
    mm.frames_free = 2
    assert stored(store, 2500, 2500, 2500) == [ACCEPTED, ACCEPTED, TO_DEVICE]
    assert kept_pages(store) == [] and store.pages == 2
    figures = store.statistics()
    assert (figures["pers_ate_eph"], figures["pers_ate_eph_failed"], figures["evicted_eph_zpages"]) == (2, 1, 2)


def test_zcache2_a_zspage_eats_as_many_frames_as_it_needs() -> None:
    """Persistent pages on zsmalloc: a zspage of three frames, one of them free, takes two of page cache."""
    store, mm = zcache(Zcache2, allocator="zsmalloc@2013")
    put(store, p1=3000, p2=3000, p3=3000)
    mm.frames_free = 4
    assert stored(store, 3000) == [ACCEPTED]
    assert (store.persistent.pageframes, kept_pages(store)) == (3, [3])
    assert store.statistics()["pers_ate_eph"] == 2


def test_zcache2_shrinks_to_the_page_cache_in_memory() -> None:
    """Six frames against two inactive and one active file page: three go, whatever was asked for."""
    store, mm = zcache(Zcache2)
    put(store, **{f"p{page}": 3000 for page in range(6)})
    mm.lists = (9, 9, 2, 1)
    store._scan(128)
    assert kept_pages(store) == [3, 4, 5]


@pytest.mark.parametrize(("inactive", "active", "freeable"), [(0, 0, 6), (4, 1, 9), (1, 4, 3), (0, 7, 0)])
def test_zcache2_counts_with_the_wrong_sign(inactive: int, active: int, freeable: int) -> None:
    """6 frames - active + inactive file pages, as the source has it, and never below none."""
    store, mm = zcache(Zcache2)
    put(store, **{f"p{page}": 3000 for page in range(6)})
    mm.lists = (9, 9, inactive, active)
    assert store._freeable() == freeable


def test_shrinking_follows_what_was_scanned() -> None:
    """200 frames, no other page cache: 32 pages scanned of 99 ask for 4 * 64 / 2 * 200 / 100 = 256, two batches."""
    store, mm = zcache(Zcache1)
    mm.indexes[:] = range(300)
    store._object_of, store._index_of = mm.file_keys()
    put(store, **{f"p{page}": 3000 for page in range(200)})
    mm.lists = (49, 50, 0, 0)
    mm.counters.pgscan = 32
    store.shrink(12)
    assert len(kept_pages(store)) == store.pages == 72  # one batch empties 128 frames, the next hands them back
    mm.lists = (500, 500, 0, 0)
    store.shrink(12)
    assert store.pages == 72 and store.shrinker.deferred == 4 * 32 // 2 * 72 // 1001


def test_zcache2_writes_back_the_oldest_frame() -> None:
    """One or two pages for one frame, decompressed, while the frames they need are at hand."""
    store, mm = zcache(Zcache2, zcache__writeback=True, cost__compress_ns=0, cost__decompress_ns=2000)
    stored(store, 2000, 1000, 3000, ZERO)
    assert store.write_back_frame()
    assert mm.writing == [0, 1] and mm.spent_ns == 4000
    assert (store.pages, store.persistent.zpages) == (1, 2)
    assert (mm.counters.written_back_pages, mm.counters.freed_pool_pages) == (2, 1)
    assert store.write_back_frame() and not store.write_back_frame()
    assert store.content_of(3) == ZERO
    store.validate()


def test_zcache2_writeback_wants_two_frames_first() -> None:
    """Page cache is eaten for them; then the reserve is used, unless too many writes are under way."""
    store, mm = zcache(Zcache2, zcache__writeback=True, zcache__outstanding_writes_max=10)
    put(store, p1=3000)
    stored(store, 2500, 2500)
    mm.frames_free, mm.reserve_free, mm.writeback_in_flight = 3, 1, 11
    assert not store.write_back_frame()
    assert kept_pages(store) == [] and mm.writing == []
    mm.writeback_in_flight = 10
    assert store.write_back_frame() and mm.writing == [0]
    mm.frames_free, mm.reserve_free = 1, 1
    assert not store.write_back_frame()
    assert mm.counters.reject_reclaim_fail == 2


def test_zcache2_does_not_write_back_what_is_in_the_swap_cache() -> None:
    """Where loads leave a copy, the page in memory has no other: it stays, and the next frame is tried."""
    store, mm = zcache(Zcache2, zcache__writeback=True, zcache__exclusive_gets=False)
    stored(store, 2500, 2500)
    mm.cached = {0}
    assert store.write_back_frame() and mm.writing == [1]
    assert store.content_of(0) == 2500


def test_writeback_needs_an_allocator_that_knows_its_oldest() -> None:
    """Off by default, and never with zsmalloc of 2013."""
    for values in ({}, {"zcache__writeback": True, "allocator": "zsmalloc@2013"}):
        assert zcache(Zcache2, **values)[0].process(None, None) is None


# Whole replays.


def busy_trace(seed: int, accesses: int = 300) -> Trace:
    """Two tasks on a few dozen pages, some hot, many of files: short of memory all the time."""
    draw = np.random.default_rng(seed)
    pages, writes = int(draw.integers(40, 130)), draw.choice([0.05, 0.4])
    tasks = []
    for _ in range(int(draw.integers(1, 3))):
        touched = draw.integers(0, pages, accesses)
        touched[::3] = draw.integers(0, pages // 4, len(touched[::3]))
        tasks.append(
            [(int(page), int(write)) for page, write in zip(touched, draw.random(accesses) < writes, strict=True)]
        )
    share = draw.choice([0.3, 0.6, 0.9])
    known = sorted({(number, page) for number, task in enumerate(tasks) for page, _ in task})
    return make_trace(tasks, files=frozenset(key for key in known if draw.random() < share))


ZCACHE = {
    "store": st.sampled_from(["zcache1", "zcache2", "zcache2"]),
    "memory.size": st.integers(24, 110).map(lambda pages: str(pages * 4096)),
    "allocator": st.sampled_from(["zcache2-zbud", "zsmalloc@2013", "z3fold"]),
    "zcache.exclusive_gets": st.booleans(),
    "zcache.cleancache_ignore_nonactive": st.booleans(),
    "zcache.frontswap_ignore_nonactive": st.sampled_from([False, False, True]),
    "zcache.zv_page_count_policy_percent": st.sampled_from([5, 75]),
    "zcache.max_mean_zsize": st.sampled_from([500, 2560]),
    "zcache.writeback": st.booleans(),
    "zcache.outstanding_writes_max": st.sampled_from([0, 6400]),
}
SLOW = settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck), phases=[Phase.generate])


def replayed(trace: Trace, config: Config, engine: type[Engine], check: bool = False) -> Engine:
    """A finished replay; the shrinker works in small batches."""
    run = engine(trace, config, SizesByHash(), check=check)  # type: ignore[arg-type]
    run.sampler.interval_ns = 1 << 60
    store = run.machine.store
    assert isinstance(store, Zcache)
    store.shrinker.batch = 2
    run.run()
    return run


@SLOW
@given(st.integers(0, 2**32), configs(**ZCACHE))
def test_engines_agree(seed: int, config: Config) -> None:
    """Everything both engines count, in the store as well."""
    runs = [replayed(busy_trace(seed), config, engine) for engine in (Engine, ReferenceEngine)]
    assert left_behind(runs[0]) == left_behind(runs[1])


@SLOW
@given(st.integers(0, 2**32), configs(**ZCACHE, **{"check.every": st.just(5)}))
def test_nothing_is_lost(seed: int, config: Config) -> None:
    """The audit holds at every fifth fault, and no stale page of a file ever comes back."""
    replayed(busy_trace(seed), config, Engine, check=True).machine.validate()


@pytest.mark.parametrize("allocator", ["zcache2-zbud", "z3fold"])
def test_nothing_is_lost_in_writing_back(allocator: str) -> None:
    """Swap that lies idle while files are read is written back, and comes back as it was."""
    rows = [(page, 1) for page in range(40)]
    for number in range(8):
        rows += [(100 + page, 0) for page in range(60)] + [(page, 0) for page in range(number, 40, 9)]
    trace = make_trace([rows], files=frozenset((0, 100 + page) for page in range(60)))
    values = {"era": "3.11", "reclaim__batch": 4, "memory__min_free_kbytes": 16, "check__every": 5}
    config = config_of(store="zcache2", pages=40, allocator=allocator, zcache__writeback=True, **values)
    counters = replayed(trace, config, Engine, check=True).machine.counters
    assert counters.written_back_pages > counters.writeback_refaults > 0


def test_an_unknown_allocator_is_said_before_the_trace_is_opened() -> None:
    """Whatever the store."""
    with pytest.raises(UsageError, match="unknown allocator 'zsmallok'; did you mean 'zsmalloc'"):
        replay("no such trace", config_of(allocator="zsmallok"))


def test_metrics_of_a_replay() -> None:
    """What is counted is in the result under names that METRICS explains; without zcache it does not apply."""
    trace = busy_trace(1)
    found = replay(trace, config_of(store="zcache2", pages=60, era="3.11")).metrics
    assert set(found) == set(METRICS)
    assert found["puts"] and found["succ_gets"] is not None and found["tmem_lookup_steps"]
    assert replay(trace, config_of(store="zswap", pages=60)).metrics["puts"] is None
