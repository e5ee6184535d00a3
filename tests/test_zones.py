"""Zones: who gets which frame, when kswapd is woken, when it may sleep."""

import pytest

from tests.machines import config_of, left_behind, make_trace, replayed
from zsim.errors import UsageError
from zsim.zones import Zone, Zones, parse_zones

DMA32, DMA = Zone(100, 5, 10, 15), Zone(50, 2, 4, 6, 8)


def filled(pages: int, free_batch: int = 0) -> Zones:
    """Zones of 100 and 50 frames of which the first `pages` are taken by pages."""
    zones = Zones([DMA32, DMA], 150, free_batch)
    for page in range(pages):
        zones.place(page)
    return zones


@pytest.mark.parametrize(
    ("pages", "free"),
    [(89, [11, 50]), (90, [10, 50]), (91, [10, 49]), (128, [10, 12]), (129, [9, 12]), (133, [5, 12]), (134, [5, 11]),
     (135, [5, 10]), (136, [4, 10]), (140, [0, 10]), (150, [0, 0])],
)  # fmt: skip
def test_who_gets_a_frame(pages: int, free: list[int]) -> None:
    """First down to the low marks, zone by zone, then to the min marks, then whatever there is."""
    assert filled(pages).free == free


def test_kswapd() -> None:
    """It is woken when no zone is above its low mark, and sleeps when one is above its high mark."""
    assert not filled(127).all_low()
    zones = filled(128)
    assert zones.all_low() and not zones.balanced()
    zones.begin_batch()
    for page in (100, 101, 102):
        zones.leave(page)
    assert not zones.balanced()
    zones.end_batch()
    assert zones.free == [10, 15] and zones.balanced()
    assert zones.all_low() is False


def test_every_zone_above_its_high_mark() -> None:
    """The one that has least decides."""
    zones = filled(0)
    above = min(free - mark for free, mark in zip(zones.free, zones.high, strict=True))
    assert zones.all_above_high(above - 1) and not zones.all_above_high(above)


def test_tasks_reclaim_when_no_zone_is_above_min() -> None:
    """Each zone keeps its reserve as well."""
    assert filled(134).any_above_min()
    assert not filled(135).any_above_min()


def test_a_batch_is_freed_at_its_end() -> None:
    """Each page in its own zone; to 6.9 all at once, from 6.10 on 31 at a time."""
    for free_batch, after_31 in ((0, [10, 12]), (31, [41, 12])):
        zones = filled(128, free_batch)
        zones.begin_batch()
        for page in range(31):
            zones.leave(page)
        assert zones.free == after_31
        zones.leave(31)
        assert zones.free == after_31
        zones.end_batch()
        assert zones.free == [42, 12]


def test_a_page_that_reclaim_did_not_evict_is_freed_at_once() -> None:
    """Its task has ended, say."""
    zones = filled(128)
    zones.leave(0)
    assert zones.free == [11, 12]


def test_a_batch_that_is_interrupted_waits() -> None:
    """Another's batch begins and ends before it; what is evicted after the tick is not freed at 31."""
    zones = filled(128, 31)
    zones.begin_batch()
    zones.interrupted = lambda: True
    for page in range(31):
        zones.leave(page)
    zones.suspend_batch()
    zones.interrupted = lambda: False
    zones.begin_batch()
    zones.leave(31)
    zones.end_batch()
    assert zones.free == [11, 12]
    zones.validate(range(32, 128), 0)
    zones.resume_batch()
    zones.end_batch()
    assert zones.free == [42, 12]


def test_the_pool() -> None:
    """It takes frames as pages do, and gives back those of the zone that has most of it."""
    zones = filled(80)
    zones.resize_pool(15)
    assert zones.free == [10, 45]
    zones.resize_pool(12)
    assert zones.free == [13, 45]
    zones.validate(range(80), 12)
    zones.resize_pool(0)
    assert zones.free == [20, 50]


def test_what_comes_back_counts() -> None:
    """Writes under way free frames by each zone's share of those that are taken."""
    zones = filled(128)
    assert not zones.balanced(8)
    assert zones.balanced(11)


@pytest.mark.parametrize("text", ["10", "10/1/2", "a/b/c/d", "10/1/2/3/4/5"])
def test_bad_zones(text: str) -> None:
    """The key and its form."""
    with pytest.raises(UsageError, match="memory.zones"):
        parse_zones(text)


def test_zones_are_the_memory() -> None:
    """Their frames add up to it."""
    trace = make_trace([[(page, 1) for page in range(100)]])
    with pytest.raises(UsageError, match="are not the 40 pages"):
        replayed(trace, config_of(pages=40, memory__zones="30/1/2/3"))


@pytest.mark.parametrize("store", ["zswap", "none"])
@pytest.mark.parametrize("allocator", ["zbud", "zsmalloc"])
def test_a_replay_with_zones(store: str, allocator: str) -> None:
    """Audited throughout, and the same in both engines."""
    accesses = [((7 * i * i + i // 3) % 150, i % 3 == 0) for i in range(4000)]
    config = config_of(
        pages=80, memory__zones="50/3/6/9 30/2/4/6/3", store=store, allocator=allocator, zswap__max_pool_percent=40
    )
    trace = make_trace([[(page, int(write)) for page, write in accesses]])
    fast = replayed(trace, config, check=True)
    assert left_behind(fast) == left_behind(replayed(trace, config, reference=True))
    assert fast.machine.counters.pgsteal_kswapd > 0


def test_one_zone_is_as_none() -> None:
    """A single zone with the same marks gives the same replay, but for frames that come free a batch at a time."""
    trace = make_trace([[(i * 13 % 90, i % 2) for i in range(3000)]])
    marks = {"memory__watermark_min_pages": 2, "memory__watermark_low_pages": 5, "memory__watermark_high_pages": 9}
    plain = replayed(trace, config_of(pages=64, store="none", **marks))
    zoned = replayed(trace, config_of(pages=64, store="none", memory__zones="64/2/5/9"))
    assert left_behind(zoned)["counters"] == left_behind(plain)["counters"]
