"""First in, first out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.machines import SizesByHash, config_of, replayed, traces
from tests.reclaim.caches import engine_misses, queue_misses
from tests.reclaim.pages import Pages
from zsim.engine import Engine
from zsim.reclaim import ACTIVATED, KEPT
from zsim.traces import open_trace
from zsim.traces.trace import Trace

CACHE = {"reclaim__policy": "fifo", "reclaim__batch": 1, "store": "none"}


@pytest.mark.parametrize("percent", [25, 50, 75])
def test_a_recording_misses_as_in_a_cache(percent: int) -> None:
    """The misses are those of a FIFO cache of as many pages."""
    trace = open_trace("traces/sqlite", limit=100_000)
    frames = trace.footprint_pages * percent // 100
    engine = Engine(trace, config_of(pages=frames, **CACHE), SizesByHash())
    engine.run()
    assert engine_misses(engine) == queue_misses(trace, frames, "fifo")


@settings(deadline=None, max_examples=40)
@given(traces(most_tasks=1), st.integers(8, 40))
def test_any_task_misses_as_in_a_cache(trace: Trace, frames: int) -> None:
    """Also where writes must end first."""
    engine = replayed(trace, config_of(pages=frames, **CACHE), check=True)
    assert engine_misses(engine) == queue_misses(trace, frames, "fifo")


def test_use_does_not_count() -> None:
    """Pages leave in the order they came."""
    pages = Pages("fifo", 4)
    pages.bring_in(2, 0, 3, 1)
    pages.access(2)
    assert pages.shrink(3) == [2, 0, 3]


def test_a_spared_page_goes_to_the_end_and_a_written_one_to_the_front() -> None:
    """What cannot be freed gets another turn; what has been written is next."""
    pages = Pages("fifo", 4)
    pages.bring_in(0, 1, 2, 3)
    pages.outcomes = {0: ACTIVATED, 1: KEPT}
    assert pages.shrink(2) == [2]
    pages.outcomes = {}
    pages.end_write(1)
    pages.policy.activate(3)
    assert pages.shrink(3) == [1, 0, 3]
