"""The program's own time: CPU time less what stopping costs."""

from types import SimpleNamespace
from typing import Any

import pytest

from zsim.record.clock import FIRST_GUESS_NS, Clock


def thread(times_ns: list[int]) -> Any:
    """A thread whose CPU clock says these times one after the other."""
    said = iter(times_ns)
    space = SimpleNamespace(threads={1}, time_ns=0.0)
    return SimpleNamespace(tid=1, space=space, resumed_ns=0, time_ns=0.0, cpu_ns=lambda alone: next(said))


def test_time_is_what_ran_less_the_cost_of_the_stop() -> None:
    """Runs add up, each less the cost; a stop without a run adds nothing."""
    clock, one = Clock(), thread([1000, 101_000, 200_000, 250_000])
    for _ in range(2):
        clock.resumes(one)
        clock.stopped(one)
        clock.stopped(one)
    assert clock.now_ns(one) == clock.cpu_ns == 150_000 - 2 * FIRST_GUESS_NS


def test_time_never_goes_back() -> None:
    """A run shorter than the cost is a loss that later runs make up; the task's time stands meanwhile."""
    clock, one = Clock(), thread([1, 20_001, 30_000, 31_000])
    clock.resumes(one)
    clock.stopped(one)
    before = clock.now_ns(one)
    clock.resumes(one)
    clock.stopped(one)
    assert clock.now_ns(one) == before > clock.cpu_ns


def test_cost_is_measured_on_the_way() -> None:
    """Runs of nothing tell what a stop costs; a single long one changes little."""
    times = [each for at in range(1, 4000) for each in (at * 10**6, at * 10**6 + 9000)]
    clock, one = Clock(), thread(times)
    for _ in range(3000):
        clock.resumes(one)
        clock.stopped(one)
        clock.nothing_ran(one)
    assert clock.cost_ns == pytest.approx(9000, rel=0.01)
    clock._last_ns = 10**9
    clock.nothing_ran(one)
    assert clock.cost_ns < 10_000
