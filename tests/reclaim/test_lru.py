"""Exact LRU: misses as a cache's, page by page."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.machines import SizesByHash, config_of, make_trace, replayed, traces
from tests.reclaim.caches import engine_misses, queue_misses
from tests.reclaim.pages import Pages
from zsim.engine import Engine
from zsim.reclaim import ACTIVATED, KEPT, lru
from zsim.reclaim.lru import ascending
from zsim.traces import open_trace
from zsim.traces.trace import Trace

CACHE = {"reclaim__policy": "lru", "reclaim__batch": 1, "store": "none"}


@pytest.mark.parametrize("name", ["sqlite", "sort", "gcc"])
def test_recordings_miss_as_in_a_cache(name: str) -> None:
    """At 25, 50 and 75 % of a recording's footprint the misses are those of an LRU cache of as many pages."""
    trace = open_trace(f"traces/{name}", limit=200_000)
    for percent in (25, 50, 75):
        frames = trace.footprint_pages * percent // 100
        engine = Engine(trace, config_of(pages=frames, **CACHE), SizesByHash())
        engine.run()
        assert engine_misses(engine) == queue_misses(trace, frames, "lru")


@settings(deadline=None, max_examples=60)
@given(traces(most_tasks=1), st.integers(8, 40), st.sampled_from(["nvme", "hdd", "optane"]))
def test_any_task_misses_as_in_a_cache(trace: Trace, frames: int, device: str) -> None:
    """Whatever a device takes, also for accesses at equal times and for writes that must end first."""
    engine = replayed(trace, config_of(pages=frames, swap__device=device, **CACHE), check=True)
    assert engine_misses(engine) == queue_misses(trace, frames, "lru")


def test_a_store_below_changes_no_miss() -> None:
    """Where a batch is one page and the limit one of resident pages, what is below the memory is of no account."""
    trace = make_trace([[(number * 7 % 31, number % 3 == 0) for number in range(600)]])
    engine = replayed(trace, config_of(pages=16, **{**CACHE, "writeback": "none", "swap__device": "network"}))
    assert engine_misses(engine) == queue_misses(trace, 16, "lru")


def test_the_oldest_leaves() -> None:
    """Pages leave in the order of their last access."""
    pages = Pages("lru", 6)
    pages.bring_in(0, 1, 2, 3, 4, 5)
    for page in (2, 0, 5):
        pages.access(page)
    assert pages.shrink(4) == [1, 3, 4, 2]
    assert pages.shrink(4) == [0, 5]


def test_of_two_tasks_at_one_time_the_first_is_older() -> None:
    """Ties go by the task's number, which is the order of the accesses, and not by the page's."""
    pages = Pages("lru", 4, future=[2, 3])
    second = make_trace([[(0, 0)], [(0, 0), (1, 0)]]).tasks[1]
    second.accesses = np.array([0, 2], dtype=np.uint32)
    pages.policy.stamp_values(second, 100)
    for page in (0, 2, 1, 3):
        pages.row = page & 1
        pages.bring_in(page)
    assert pages.shrink(4) == [2, 0, 3, 1]


def test_what_readahead_brings_in_is_new() -> None:
    """A page that nobody accessed counts as old as the last that came in by an access."""
    pages = Pages("lru", 4)
    pages.bring_in(0, 1, 2)
    pages.drop(0)
    pages.bring_in(0, refault=True, accessed=False)
    assert pages.shrink(3) == [1, 0, 2]


def test_a_written_page_is_next() -> None:
    """Its write is over: it leaves before older pages do."""
    pages = Pages("lru", 3)
    pages.bring_in(0, 1, 2)
    pages.outcomes = {0: KEPT}
    assert pages.shrink(1) == []
    pages.outcomes = {}
    pages.end_write(0)
    pages.policy.validate()
    assert pages.shrink(2) == [0, 1]


def test_a_written_page_that_is_used_again_waits_its_turn() -> None:
    """An access between the write and the next reclaim makes it new."""
    pages = Pages("lru", 3)
    pages.bring_in(0, 1, 2)
    pages.outcomes = {0: KEPT}
    pages.shrink(1)
    pages.outcomes = {}
    pages.end_write(0)
    pages.access(0)
    assert pages.shrink(3) == [1, 2, 0]


def test_a_refused_page_counts_as_just_used() -> None:
    """It is not tried first again and again, before pages that could be freed."""
    pages = Pages("lru", 3)
    pages.bring_in(2, 0, 1)
    pages.outcomes = {2: ACTIVATED}
    assert pages.shrink(1) == [0]
    pages.bring_in(0)
    assert pages.shrink(3) == [1, 0]
    assert pages.tried == [1, 2, 0]


def test_activated_pages_are_new() -> None:
    """As if accessed with the page that came in last."""
    pages = Pages("lru", 3)
    pages.bring_in(0, 1, 2)
    pages.policy.activate(0)
    pages.policy.validate()
    assert pages.shrink(3) == [1, 0, 2]


@given(st.lists(st.sampled_from([0, 0, 0, 1, 3, 1000]), min_size=1), st.sampled_from([1, 7, lru.STEP]))
def test_ascending_times(steps: list[int], step: int) -> None:
    """Each is later than the one before and none earlier than it was, however many are looked at together."""
    times = np.cumsum(np.array(steps, dtype=np.int64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lru, "STEP", step)
        later = ascending(times)
    assert later.tolist() == list(accumulate(times.tolist(), lambda before, time: max(before + 1, time)))
    assert np.all(later[1:] > later[:-1])
    assert np.all(later >= times)
    assert np.all(later - times < len(times))
    assert ascending(later) is later
