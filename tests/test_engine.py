"""The engine: runs from fault to fault what the reference replays access by access."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.machines import config_of, configs, left_behind, make_trace, replayed, traces
from zsim.config import Config
from zsim.engine import unlimited_runtime_ns
from zsim.traces.trace import Trace

LOOSE = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@LOOSE
@given(traces(), configs())
def test_fast_equals_reference(trace: Trace, config: Config) -> None:
    """Every counter, page, latency, sample and end time is the same whichever engine replays."""
    fast = left_behind(replayed(trace, config))
    assert fast == left_behind(replayed(trace, config, reference=True))


@LOOSE
@given(traces(), configs(**{"check.every": st.just(1)}))
def test_every_version_is_somewhere(trace: Trace, config: Config) -> None:
    """With the audit after every fault, no page version is lost, doubled or stale, and all books agree."""
    engine = replayed(trace, config, check=True)
    engine.machine.validate()
