"""zswap: when a store is taken, what it takes, and what each refusal is counted as."""

import pytest

from tests.machines import Bench, SizesByPage, config_of
from zsim.errors import UsageError
from zsim.reclaim import FREED, KEPT
from zsim.stores import ACCEPTED, KEEP, TO_DEVICE
from zsim.stores.zswap import Zswap, entry_bytes

GIB = {"memory__total": "1G", "memory__mode": "memcg", "memory__size": "4M"}
"""262,144 pages: the limit is 52,428, the threshold (262,144 * 90 / 100 = 235,929) * 20 / 100 = 47,185."""


def pool_of(bench: Bench, pages: int) -> Zswap:
    """The store, its pool said to have so many pages."""
    store: Zswap = bench.machine.store
    store.allocator.pages = store.pages_seen = pages
    return store


def offers(bench: Bench, pages: int) -> int:
    """What a same-filled page is told, which takes no pool space, when the pool has so many pages."""
    store = pool_of(bench, pages)
    return store.store(store.stored, 0, 0)


def rejects(bench: Bench) -> dict[str, int]:
    """Every reject that was counted."""
    counters = bench.counters.as_dict()
    return {name: count for name, count in counters.items() if name.startswith("reject_") and count}


def test_limit_and_hysteresis_of_one_gib() -> None:
    """6.1: full above 52,428 pages; then refused until below 47,185; then open again up to the limit."""
    bench = Bench(contents=SizesByPage(same=[0]), **GIB)
    assert [offers(bench, pages) for pages in (47185, 52428)] == [ACCEPTED, ACCEPTED]
    assert offers(bench, 52429) == TO_DEVICE
    assert bench.counters.pool_limit_hit == 1
    assert [offers(bench, pages) for pages in (52428, 47185)] == [TO_DEVICE, TO_DEVICE]
    assert (bench.counters.pool_limit_hit, bench.counters.reject_pool_limit) == (1, 3)
    assert [offers(bench, pages) for pages in (47184, 47185, 52428)] == [ACCEPTED] * 3


def test_limit_and_hysteresis_of_one_gib_later() -> None:
    """6.12: full at 52,428 pages, open again at 47,185; while it waits each refusal is told to the worker."""
    bench = Bench(era="6.12", zswap__same_filled_pages_enabled=True, contents=SizesByPage(same=[0]), **GIB)
    assert [offers(bench, pages) for pages in (52427, 52428, 47186)] == [ACCEPTED, TO_DEVICE, TO_DEVICE]
    assert bench.counters.pool_limit_hit == 1
    assert [offers(bench, pages) for pages in (47185, 52427)] == [ACCEPTED, ACCEPTED]


def test_no_hysteresis_before_5_6() -> None:
    """3.11: below the limit again is good enough."""
    bench = Bench(era="3.11", contents=SizesByPage({0: 1000}), **GIB)
    bench.machine.store.writeback.pool_full = lambda: False
    assert [offers(bench, pages) for pages in (52428, 52429, 52428)] == [ACCEPTED, TO_DEVICE, ACCEPTED]


def test_limit_is_of_the_ram() -> None:
    """machine: 20 % of 200 pages; memcg: of 4 times the footprint of 40 pages."""
    assert Bench().machine.store.limit.limit_pages == 40
    assert Bench(memory__mode="memcg").machine.store.limit.limit_pages == 32
    with pytest.raises(UsageError, match=r"max_pool_percent: 101 "):
        Bench(zswap__max_pool_percent=101)


def test_same_filled_takes_no_pool_space() -> None:
    """An entry and no object: stored, counted, not charged, costing no compression."""
    bench = Bench(contents=SizesByPage(same=[0]))
    bench.machine.begin(0)
    store = bench.machine.store
    assert store.store(3, 0, 0) == ACCEPTED
    assert (store.stored, store.same_filled, store.pages, store.compressed_bytes) == (1, 1, 0, 0)
    assert (bench.counters.zswpout, bench.machine.spent_ns) == (1, 0)
    store.invalidate(3)
    assert (store.stored, store.same_filled) == (0, 0)


def test_same_filled_is_compressed_before_4_16() -> None:
    """3.11 knows no same-filled pages."""
    bench = Bench(era="3.11", contents=SizesByPage({0: 40}, same=[0]))
    bench.machine.store.store(3, 0, 0)
    assert (bench.machine.store.same_filled, bench.machine.store.compressed_bytes) == (0, 40)


@pytest.mark.parametrize(
    ("allocator", "era", "header"),
    [("zbud", "3.11", 8), ("zbud", "6.1", 8), ("z3fold", "6.1", 8), ("zsmalloc", "6.1", 0), ("zbud", "6.12", 0)],
)
def test_header_where_the_allocator_evicts(allocator: str, era: str, header: int) -> None:
    """8 bytes more for zbud and z3fold to 6.4, none for zsmalloc; charged is the compressed page alone."""
    asked: list[int] = []
    bench = Bench(allocator=allocator, era=era)
    store = bench.machine.store
    alloc = store.allocator.alloc
    store.allocator.alloc = lambda size_bytes: (asked.append(size_bytes), alloc(size_bytes))[1]
    assert store.store(3, 0, 0) == ACCEPTED
    assert asked == [1000 + header]
    assert store.compressed_bytes == 1000


def test_largest_page_of_zbud() -> None:
    """62 chunks of 64 bytes less the header: 3,960 bytes are packed, 3,961 are compress_poor."""
    bench = Bench(contents=SizesByPage({0: 3960, 1: 3961}))
    assert [bench.machine.store.store(page, page, page) for page in (0, 1)] == [ACCEPTED, TO_DEVICE]
    assert rejects(bench) == {"reject_compress_poor": 1}


def test_zsmalloc_takes_a_whole_page() -> None:
    """4,096 bytes cost a page and are accepted; 4,097 do not fit and fail in the compressor."""
    bench = Bench(allocator="zsmalloc", contents=SizesByPage({0: 4096, 1: 4097}))
    assert [bench.machine.store.store(page, page, page) for page in (0, 1)] == [ACCEPTED, TO_DEVICE]
    assert bench.machine.store.pages == 1
    assert rejects(bench) == {"reject_compress_fail": 1}


@pytest.mark.parametrize("era", ["2013", "3.11"])
def test_what_does_not_compress_was_poor_once(era: str) -> None:
    """The compressor had room for two pages, and what it made was refused by its size."""
    bench = Bench(era=era, contents=SizesByPage({0: 4097}))
    assert bench.machine.store.store(0, 0, 0) == TO_DEVICE
    assert rejects(bench) == {"reject_compress_poor": 1}


def test_no_frame_is_alloc_fail() -> None:
    """The pool may not grow: the time to compress is lost."""
    bench = Bench()
    bench.memory.frames += 200
    bench.machine.begin(0)
    assert bench.machine.store.store(3, 0, 0) == TO_DEVICE
    assert rejects(bench) == {"reject_alloc_fail": 1}
    assert bench.machine.spent_ns == bench.counters.compress_ns == 5000


def test_refused_pages_stay_without_writeback() -> None:
    """writeback none: the same refusal keeps the page in memory."""
    bench = Bench(writeback="none", contents=SizesByPage({0: 4097}))
    assert bench.machine.store.store(3, 0, 0) == KEEP


@pytest.mark.parametrize("size", [900, 4097])
def test_the_older_copy_goes_first(size: int) -> None:
    """What was stored at an offset is void as soon as another page is offered there, accepted or not."""
    bench = Bench(contents=SizesByPage({1: size}))
    store = bench.machine.store
    store.store(3, 0, 0)
    taken = store.store(3, 0, 1)
    assert store.content_of(3) == (1 if taken == ACCEPTED else None)
    assert (store.stored, store.compressed_bytes) == ((1, size) if taken == ACCEPTED else (0, 0))
    store.validate()


def test_load_of_nothing() -> None:
    """What is not here is on the device."""
    bench = Bench()
    assert not bench.machine.store.load(5)
    assert bench.counters.zswpin == 0
    bench.machine.store.invalidate(5)


def test_store_path_frees_one_page_for_each_store() -> None:
    """3.11 at a limit of 2 pages: with 3 in the pool the oldest is written back, then the store goes on; 3 again."""
    sizes = SizesByPage(dict.fromkeys(range(40), 3000))
    bench = Bench(era="3.11", memory__mode="memcg", memory__total="40K", contents=sizes)
    bench.swap_out(0, 1, 2)
    store = bench.machine.store
    assert (store.limit.limit_pages, store.pages) == (2, 3)
    assert bench.counters.pool_limit_hit == 0
    bench.touch(3)
    assert bench.evict(3) == [FREED]
    assert (store.pages, store.stored, bench.counters.pool_limit_hit, bench.counters.written_back_pages) == (3, 3, 1, 1)
    assert store.content_of(bench.memory.slot[0]) is None
    assert [write.pages for write in bench.writes] == [[0]]
    assert bench.machine.latency["store"].max_ns == 1700 + 5000
    assert bench.machine.latency["free_page"].max_ns == 1700
    assert (bench.counters.free_page_calls, bench.counters.freed_pool_pages, bench.counters.evictions) == (1, 1, 1)


def test_store_path_refuses_where_nothing_can_be_freed() -> None:
    """8 tries find only pages whose owner is in memory: the store is refused, and counted as both reasons."""
    sizes = SizesByPage(dict.fromkeys(range(40), 3000))
    bench = Bench(era="3.11", memory__mode="memcg", memory__total="40K", contents=sizes)
    bench.swap_out(0, 1, 2)
    bench.touch(0, 1, 2, 3)
    assert bench.evict(3) == [KEPT]
    assert rejects(bench) == {"reject_pool_limit": 1, "reject_reclaim_fail": 1}
    assert bench.counters.written_back_pages == 0


def test_an_older_pool_is_shrunk_in_vain() -> None:
    """Every turn of the worker fails, and nothing of this pool is written back."""
    sizes = SizesByPage(dict.fromkeys(range(40), 3000))
    bench = Bench(era="6.1", memory__mode="memcg", memory__total="40K", zswap__older_pool_left=True, contents=sizes)
    bench.swap_out(0, 1, 2, 3)
    assert rejects(bench) == {"reject_pool_limit": 1, "reject_reclaim_fail": 1}
    assert (bench.machine.store.stored, bench.counters.written_back_pages) == (3, 0)


def test_writing_back_a_pair_takes_two_frames() -> None:
    """Domain check 12: two frames more at once, one pool page less, and the two back only after their writes."""
    bench = Bench()
    bench.swap_out(0, 1)
    store = bench.machine.store
    assert (bench.memory.frames, store.pages) == (0, 1)
    bench.machine.begin(0)
    assert store.reclaim_page()
    bench.machine.flush_writes()
    assert (bench.memory.frames, store.pages, store.stored) == (2, 0, 0)
    bench.end_writes()
    assert bench.memory.frames == 2
    assert bench.evict(0, 1) == [FREED, FREED]
    assert (bench.memory.frames, bench.counters.pswpout) == (0, 2)


def test_slab_memory_of_an_entry() -> None:
    """zswap's own entry, which grew; zsmalloc's handles since 4.1; 6.12's xarray; or what is asked for."""
    asked: list[dict[str, object]] = [
        {"era": "6.1", "allocator": "zbud"}, {"era": "6.1", "allocator": "zsmalloc"},
        {"era": "6.1", "allocator": "zsmalloc@6.12"}, {"era": "2013", "allocator": "zsmalloc"},
        {"era": "3.11", "allocator": "zbud"}, {"era": "5.15", "allocator": "zbud"},
        {"era": "6.6", "allocator": "zbud"}, {"era": "6.9", "allocator": "zsmalloc"},
        {"era": "6.12", "allocator": "zsmalloc"}, {"memory__entry_bytes": 7},
    ]  # fmt: skip
    assert [entry_bytes(config_of(**values)) for values in asked] == [64, 80, 80, 48, 48, 56, 80, 96, 95, 7]


def test_metadata_is_never_given_back() -> None:
    """Slabs of entries stay at their peak."""
    bench = Bench(memory__entry_bytes=95)
    bench.swap_out(0, 1, 2)
    bench.machine.store.invalidate(bench.memory.slot[0])
    assert bench.machine.store.metadata_bytes == 3 * 95


def test_peaks() -> None:
    """Most pages stored and most frames of the pool."""
    bench = Bench(contents=SizesByPage(dict.fromkeys(range(40), 3000)))
    bench.swap_out(0, 1, 2)
    for page in (0, 1):
        bench.machine.store.invalidate(bench.memory.slot[page])
    assert (bench.machine.store.stored_peak, bench.machine.store.pages_peak, bench.machine.store.pages) == (3, 3, 1)
