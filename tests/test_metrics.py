"""The table of metrics and the counters behind it."""

from dataclasses import fields

import pytest

from zsim.metrics import METRICS, Counters
from zsim.sampler import COUNTERS, GAUGES


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_is_explained(metric: object) -> None:
    """A name, a known unit, a direction or none, and what it means."""
    name, unit, better, meaning = metric  # type: ignore[misc]
    assert METRICS[name] is metric
    assert unit in ("", "pages", "B", "ns", "x", "pages/frame") and better in ("lower", "higher", "")
    assert len(meaning) > 10
    assert not name.endswith("_ns") or unit == "ns"


def test_counters_are_metrics_in_order() -> None:
    """What the machine counts comes out under the same names, in the order of the table."""
    names = [field.name for field in fields(Counters)]
    assert [name for name in METRICS if name in names] == names
    assert Counters().as_dict() == dict.fromkeys(names, 0)


def test_series_are_metrics() -> None:
    """What is sampled over time goes by the same names as at the end."""
    assert set(GAUGES) <= set(METRICS)
    assert set(COUNTERS) <= {field.name for field in fields(Counters)}
