"""CLOCK: a second chance for what was accessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.machines import SizesByHash, config_of, replayed, traces
from tests.reclaim.caches import engine_misses, queue_misses
from tests.reclaim.pages import Pages
from zsim.engine import Engine
from zsim.reclaim import KEPT
from zsim.traces import open_trace
from zsim.traces.trace import Trace

CACHE = {"reclaim__policy": "clock", "reclaim__batch": 1, "store": "none"}


@pytest.mark.parametrize("percent", [25, 50, 75])
def test_a_recording_misses_as_in_a_cache(percent: int) -> None:
    """The misses are those of a CLOCK cache whose objects start with their mark set."""
    trace = open_trace("traces/sqlite", limit=100_000)
    frames = trace.footprint_pages * percent // 100
    engine = Engine(trace, config_of(pages=frames, **CACHE), SizesByHash())
    engine.run()
    assert engine_misses(engine) == queue_misses(trace, frames, "clock")


@settings(deadline=None, max_examples=40)
@given(traces(most_tasks=1), st.integers(8, 40))
def test_any_task_misses_as_in_a_cache(trace: Trace, frames: int) -> None:
    """Also where writes must end first."""
    engine = replayed(trace, config_of(pages=frames, **CACHE), check=True)
    assert engine_misses(engine) == queue_misses(trace, frames, "clock")


def test_an_accessed_page_is_passed_over_once() -> None:
    """The hand clears its bit and goes on; the next time round it leaves."""
    pages = Pages("clock", 4)
    pages.bring_in(0, 1, 2, 3)
    pages.forget_accesses()
    pages.access(0)
    pages.access(2)
    assert pages.shrink(1) == [1]
    assert pages.shrink(3) == [3, 0, 2]


def test_all_accessed_is_first_in_first_out() -> None:
    """The hand goes once round before anything leaves."""
    pages = Pages("clock", 3)
    pages.bring_in(2, 0, 1)
    assert pages.shrink(2) == [2, 0]
    assert pages.counters.pgscan == 5


def test_a_written_page_that_is_used_again_is_passed_over() -> None:
    """At the front of the queue, but with its bit set."""
    pages = Pages("clock", 3)
    pages.bring_in(0, 1, 2)
    pages.forget_accesses()
    pages.outcomes = {0: KEPT}
    pages.shrink(1)
    pages.outcomes = {}
    pages.end_write(0)
    pages.access(0)
    assert pages.shrink(3) == [1, 2, 0]
