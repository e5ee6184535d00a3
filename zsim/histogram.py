"""A latency histogram that stays small however much is recorded, and is never far from the truth."""

from collections.abc import Iterable
from typing import Any

from zsim.errors import ResultError

MANTISSA_BITS = 7
"""A bucket is less than 2**-7 (0.8 %) of its values wide; values below 256 ns have a bucket each."""

PERCENTS = {"p50": 50, "p90": 90, "p99": 99, "p999": 99.9}

_EXACT_BITS = MANTISSA_BITS + 1


class LatencyHistogram:
    """Counts of integer nanoseconds in buckets whose width grows with the value (as HdrHistogram, Gil Tene).

    Count, mean, smallest and largest are exact; a percentile is never below the value of that rank and less than 0.8 %
    above it. Memory is bounded by 128 counters per power of two. Empty: `count` is 0 and every figure is None.
    """

    __slots__ = ("_counts", "_max_ns", "_min_ns", "total_ns")

    def __init__(self) -> None:
        self._counts: list[int] = []
        self._min_ns = 1 << 64
        self._max_ns = -1
        self.total_ns = 0

    def record(self, value_ns: int) -> None:
        """Count one value; a `ValueError` where it is negative or does not fit in 64 bits."""
        if value_ns < self._min_ns:
            self._admit(value_ns)
            self._min_ns = value_ns
        if value_ns > self._max_ns:
            self._admit(value_ns)
            self._max_ns = value_ns
        shift = value_ns.bit_length() - _EXACT_BITS
        self._counts[(shift << MANTISSA_BITS) + (value_ns >> shift) if shift > 0 else value_ns] += 1
        self.total_ns += value_ns

    def merge(self, other: "LatencyHistogram") -> None:
        """Add all that `other` has counted."""
        if not other.count:
            return
        self._admit(other._max_ns)
        for bucket, count in enumerate(other._counts):
            self._counts[bucket] += count
        self._min_ns = min(self._min_ns, other._min_ns)
        self._max_ns = max(self._max_ns, other._max_ns)
        self.total_ns += other.total_ns

    @property
    def count(self) -> int:
        """Values recorded."""
        return sum(self._counts)

    @property
    def min_ns(self) -> int | None:
        """The smallest value."""
        return self._min_ns if self._counts else None

    @property
    def max_ns(self) -> int | None:
        """The largest value."""
        return self._max_ns if self._counts else None

    @property
    def mean_ns(self) -> float | None:
        """The arithmetic mean."""
        return self.total_ns / self.count if self._counts else None

    def percentile(self, percent: float) -> int | None:
        """The value that `percent` (0 to 100, to the thousandth) of all values do not exceed: nearest rank."""
        if not 0 <= percent <= 100:
            raise ValueError(f"percent {percent} is not within 0 to 100")
        if percent == 0:
            return self.min_ns
        rank = -(-self.count * round(percent * 1000) // 100_000)  # in integers: 99.9 % of 1000 is 999, not 1000
        for _, high_ns, count in self.buckets():
            rank -= count
            if rank <= 0:
                return high_ns
        return None

    def buckets(self) -> list[tuple[int, int, int]]:
        """Rows (low_ns, high_ns, count), both ends included, of the buckets that hold something, in order.

        The first row begins at the smallest value and the last ends at the largest.
        """
        filled = ((_bounds(bucket), count) for bucket, count in enumerate(self._counts) if count)
        return [(max(low_ns, self._min_ns), min(high_ns, self._max_ns), count) for (low_ns, high_ns), count in filled]

    @classmethod
    def from_buckets(cls, rows: Iterable[tuple[int, int, int]], total_ns: int | None = None) -> "LatencyHistogram":
        """The histogram that `buckets` gave as `rows`; without `total_ns` the mean takes the middle of each bucket.

        A `ResultError` for a row that is no bucket.
        """
        histogram = cls()
        middle_ns = 0
        for low_ns, high_ns, count in rows:
            if not 0 <= low_ns <= high_ns < 1 << 64 or _bucket(low_ns) != _bucket(high_ns) or count < 1:
                raise ResultError(f"histogram row {low_ns},{high_ns},{count} is not a bucket (low_ns,high_ns,count)")
            histogram._admit(high_ns)
            histogram._counts[_bucket(low_ns)] += count
            histogram._min_ns = min(histogram._min_ns, low_ns)
            histogram._max_ns = max(histogram._max_ns, high_ns)
            middle_ns += (low_ns + high_ns) * count // 2
        histogram.total_ns = middle_ns if total_ns is None else total_ns
        return histogram

    def to_json(self) -> dict[str, Any]:
        """The figures of a result: count, mean, p50, p90, p99, p999, max, in nanoseconds."""
        percentiles = {name: self.percentile(percent) for name, percent in PERCENTS.items()}
        return {"count": self.count, "mean": self.mean_ns, **percentiles, "max": self.max_ns}

    def _admit(self, value_ns: int) -> None:
        if not 0 <= value_ns < 1 << 64:
            raise ValueError(f"a latency of {value_ns} ns is not within 0 to 2**64 - 1")
        missing = _bucket(value_ns) + 1 - len(self._counts)
        if missing > 0:
            self._counts += [0] * missing


def _bucket(value_ns: int) -> int:
    shift = max(0, value_ns.bit_length() - _EXACT_BITS)
    return (shift << MANTISSA_BITS) + (value_ns >> shift)


def _bounds(bucket: int) -> tuple[int, int]:
    shift = max(0, (bucket >> MANTISSA_BITS) - 1)
    low_ns = (bucket - (shift << MANTISSA_BITS)) << shift
    return low_ns, low_ns + (1 << shift) - 1
