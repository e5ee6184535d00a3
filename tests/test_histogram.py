"""The latency histogram: exact where it says so, and within 0.8 % elsewhere."""

import json
import pickle
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsim.errors import ResultError
from zsim.histogram import MANTISSA_BITS, LatencyHistogram

values = st.lists(st.one_of(st.integers(0, 300), st.integers(0, 10**7), st.integers(0, 2**64 - 1)), max_size=200)
some = values.filter(bool)


def filled(recorded: list[int]) -> LatencyHistogram:
    """A histogram of these values."""
    histogram = LatencyHistogram()
    for value in recorded:
        histogram.record(value)
    return histogram


def figures(histogram: LatencyHistogram) -> tuple[object, ...]:
    """All that can be seen of a histogram."""
    return histogram.buckets(), histogram.total_ns, histogram.min_ns, histogram.to_json()


def test_empty() -> None:
    """No values: the count is 0 and every figure is None."""
    histogram = LatencyHistogram()
    keys = ["count", "mean", "p50", "p90", "p99", "p999", "max"]
    assert histogram.to_json() == dict.fromkeys(keys, None) | {"count": 0}
    assert list(histogram.to_json()) == keys
    assert histogram.buckets() == []
    assert histogram.min_ns is histogram.percentile(0) is histogram.percentile(100) is None


@given(recorded=some)
def test_exact_figures(recorded: list[int]) -> None:
    """Count, mean, smallest and largest are those of the values."""
    histogram = filled(recorded)
    assert histogram.count == len(recorded)
    assert histogram.mean_ns == sum(recorded) / len(recorded)
    assert (histogram.min_ns, histogram.max_ns) == (min(recorded), max(recorded))
    assert histogram.percentile(100) == max(recorded)
    assert histogram.percentile(0) == min(recorded)


@given(recorded=some, thousandths=st.integers(1, 100_000))
def test_percentiles_are_close(recorded: list[int], thousandths: int) -> None:
    """A percentile is the value of that rank or up to 0.8 % more; never less, never above the largest."""
    exact = sorted(recorded)[ceil(thousandths * len(recorded) / 100_000) - 1]
    found = filled(recorded).percentile(thousandths / 1000)
    assert found is not None
    assert exact <= found <= min(max(recorded), exact + exact / (1 << MANTISSA_BITS))


@given(recorded=st.lists(st.integers(0, 255), min_size=1))
def test_small_values_are_exact(recorded: list[int]) -> None:
    """Below 256 ns every value has its own bucket."""
    histogram = filled(recorded)
    assert histogram.percentile(50) == sorted(recorded)[ceil(len(recorded) / 2) - 1]
    assert histogram.buckets() == [(value, value, recorded.count(value)) for value in sorted(set(recorded))]


def test_the_rank_is_not_rounded_up() -> None:
    """99.9 % of 1000 values is the 999th, although 99.9 is no binary fraction."""
    assert filled([1] * 999 + [200]).percentile(99.9) == 1
    assert filled([1] * 998 + [200] * 2).percentile(99.9) == 200


@given(recorded=values)
def test_buckets_hold_their_values(recorded: list[int]) -> None:
    """The rows are in order, do not overlap, are narrow, and count exactly the values between their ends."""
    rows = filled(recorded).buckets()
    assert sum(count for *_, count in rows) == len(recorded)
    for low_ns, high_ns, count in rows:
        assert count == sum(low_ns <= value <= high_ns for value in recorded)
        assert (high_ns - low_ns) << MANTISSA_BITS <= max(low_ns, 1 << MANTISSA_BITS)
    assert all(before[1] < after[0] for before, after in zip(rows, rows[1:], strict=False))


@given(one=values, two=values)
def test_merge(one: list[int], two: list[int]) -> None:
    """Merging gives what recording everything in one histogram gives."""
    merged = filled(one)
    merged.merge(filled(two))
    assert figures(merged) == figures(filled(one + two))


@given(recorded=values)
def test_from_buckets(recorded: list[int]) -> None:
    """Rows and total bring back the histogram, smallest and largest included."""
    histogram = filled(recorded)
    rows = histogram.buckets()
    assert figures(LatencyHistogram.from_buckets(rows, histogram.total_ns)) == figures(histogram)


@given(recorded=some)
def test_from_buckets_without_a_total(recorded: list[int]) -> None:
    """Without the total the mean is estimated, within the width of a bucket."""
    estimate = LatencyHistogram.from_buckets(filled(recorded).buckets()).mean_ns
    assert estimate == pytest.approx(sum(recorded) / len(recorded), rel=2**-MANTISSA_BITS, abs=1)


@pytest.mark.parametrize("row", [(-5, 3, 1), (9, 3, 1), (1000, 2000, 1), (1000, 1001, 0), (1, 1 << 64, 1)])
def test_rows_that_are_no_buckets(row: tuple[int, int, int]) -> None:
    """A row whose ends do not share a bucket, or that counts nothing, is refused with its values."""
    with pytest.raises(ResultError, match=f"histogram row {row[0]},{row[1]},{row[2]} is not a bucket"):
        LatencyHistogram.from_buckets([row])


@pytest.mark.parametrize("value", [-1, -(10**9), 1 << 64])
def test_values_that_are_no_latency(value: int) -> None:
    """A negative or absurd value is refused and leaves no trace."""
    histogram = filled([3, 5_000])
    before = figures(histogram)
    with pytest.raises(ValueError, match=f"a latency of {value} ns"):
        histogram.record(value)
    assert figures(histogram) == before


@pytest.mark.parametrize("percent", [-0.1, 100.1, float("nan")])
def test_percent_out_of_range(percent: float) -> None:
    """A percentile is of 0 to 100."""
    with pytest.raises(ValueError, match="is not within 0 to 100"):
        filled([1]).percentile(percent)


def test_memory_is_bounded() -> None:
    """However large the value, there are 128 counters per power of two."""
    histogram = filled([0, 2**64 - 1])
    assert len(histogram._counts) <= 58 << MANTISSA_BITS


def test_it_travels() -> None:
    """A histogram survives the way back from another process, and its figures are JSON."""
    histogram = filled([10, 2_000, 3_000_000])
    assert figures(pickle.loads(pickle.dumps(histogram))) == figures(histogram)
    assert json.loads(json.dumps(histogram.to_json()))["max"] == 3_000_000
