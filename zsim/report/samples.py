"""A run's samples over time, thinned to what a figure can show: gauges as they were, counters per second."""

from collections.abc import Sequence

from zsim.results import Series
from zsim.sampler import GAUGES
from zsim.units import NS_PER_S

POINTS_MAX = 120
"""More points than this are more than 7 inches can show apart."""

SUMS = {"major_faults": ("major_store", "major_device"), "device_pages": ("pswpin", "pswpout", "filein", "fileout")}
"""Counters that are shown together, as one."""

Sample = tuple[float, ...]


def sampled(series: Series, names: Sequence[str]) -> list[Sample]:
    """Rows (time_ns, each of `names`): of a counter the number per second since the row before."""
    times, columns = series.column("time_ns"), [_column(series, name) for name in names]
    is_gauge = [name in GAUGES for name in names]
    kept = _kept(len(times))
    rows: list[Sample] = [
        (times[0], *(column[0] if gauge else 0.0 for column, gauge in zip(columns, is_gauge, strict=True)))
    ]
    for before, row in zip(kept, kept[1:], strict=False):
        seconds = (times[row] - times[before]) / NS_PER_S
        if seconds > 0:
            pairs = zip(columns, is_gauge, strict=True)
            values = (c[row] if gauge else round((c[row] - c[before]) / seconds, 3) for c, gauge in pairs)
            rows.append((times[row], *values))
    return rows


def _column(series: Series, name: str) -> list[int]:
    return list(map(sum, zip(*(series.column(each) for each in SUMS.get(name, (name,))), strict=True)))


def _kept(rows: int) -> list[int]:
    """At most POINTS_MAX evenly spaced rows and the last, whose interval is not much shorter than the others'."""
    step = max(1, -(-rows // POINTS_MAX))
    return [*(row for row in range(0, rows - 1, step) if not row or rows - 1 - row > step // 2), rows - 1]
