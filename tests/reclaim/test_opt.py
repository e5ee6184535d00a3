"""OPT: Belady's minimum for one task, a bound for the others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.machines import SizesByHash, config_of, replayed, traces
from tests.reclaim.caches import belady_misses, engine_misses
from tests.reclaim.pages import Pages
from zsim.engine import Engine
from zsim.reclaim import KEPT
from zsim.reclaim.opt import next_uses
from zsim.traces import open_trace
from zsim.traces.trace import TaskTrace, Trace

CACHE = {"reclaim__policy": "opt", "reclaim__batch": 1, "store": "none"}
LRU = {**CACHE, "reclaim__policy": "lru"}


@settings(deadline=None, max_examples=80)
@given(traces(most_tasks=1), st.integers(8, 40), st.sampled_from(["nvme", "hdd"]))
def test_one_task_misses_as_little_as_can_be(trace: Trace, frames: int, device: str) -> None:
    """Belady's count, found by looking through the future, however long the faults take."""
    engine = replayed(trace, config_of(pages=frames, swap__device=device, **CACHE), check=True)
    assert engine_misses(engine) == belady_misses(trace, frames)


@pytest.mark.parametrize("percent", [25, 50, 75])
def test_a_recording_misses_no_more_than_with_lru(percent: int) -> None:
    """A bound on a real program."""
    trace = open_trace("traces/sqlite", limit=40_000)
    frames = trace.footprint_pages * percent // 100
    engines = [Engine(trace, config_of(pages=frames, **values), SizesByHash()) for values in (CACHE, LRU)]
    for engine in engines:
        engine.run()
    assert engine_misses(engines[0]) <= engine_misses(engines[1])
    assert engine_misses(engines[0]) == belady_misses(trace, frames)


def test_next_uses() -> None:
    """The row of the next access to the same page, or the number of rows."""
    pages = np.array([5, 1, 5, 5, 2, 1], dtype=np.uint32)
    assert next_uses(pages).tolist() == [2, 5, 3, 6, 6, 6]


def test_the_farthest_use_leaves() -> None:
    """A page not used again first, then by distance; a written page before all."""
    pages = Pages("opt", 4, future=[0, 1, 2, 3, 1, 0, 2])
    pages.bring_in(0, 1, 2, 3)
    assert pages.shrink(1) == [3]
    pages.outcomes = {2: KEPT}
    assert pages.shrink(1) == []
    pages.outcomes = {}
    pages.end_write(2)
    pages.policy.validate()
    assert pages.shrink(3) == [2, 0, 1]


def test_a_written_page_that_is_used_again_is_judged_by_its_next_use() -> None:
    """It does not leave first any more."""
    pages = Pages("opt", 3, future=[0, 1, 2, 0, 1, 2, 2, 1, 0])
    pages.bring_in(0, 1, 2)
    pages.outcomes = {2: KEPT}
    assert pages.shrink(1) == []
    pages.outcomes = {}
    pages.end_write(2)
    for page in (0, 1, 2):
        pages.access(page)
    assert pages.shrink(3) == [0, 1, 2]


def test_stalls_move_a_task_s_future() -> None:
    """Of two tasks the one that was stalled longer uses its pages later."""
    pages = Pages("opt", 3, future=[0, 0])
    task = TaskTrace("second", np.array([1, 2, 2, 1], dtype=np.uint32) << 1)
    values = pages.policy.stamp_values(task, 100)
    pages.bring_in(0)
    pages.bring_in(1, 2)
    for row, page in enumerate((1, 2)):
        pages.policy.stamp[page] = int(values[row])
        pages.policy.insert(page, refault=False)
    assert pages.shrink(1) == [1]
    pages.policy.stamp[0] = int(pages.values[0]) + 150
    pages.policy.insert(0, refault=False)
    assert pages.shrink(2) == [0, 2]
