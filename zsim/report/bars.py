"""Several results against the first: the ratio of each key metric, on a logarithmic scale."""

from math import log2
from typing import TYPE_CHECKING

from zsim.report.comparison import Row, compare, format_value
from zsim.report.data import Data
from zsim.report.runs import Runs
from zsim.report.wanted import Wanted
from zsim.results import Number
from zsim.style import GREY, WIDTH_IN, Look, looks, names_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KEY = [
    "slowdown", "stall_ns", "pgmajfault", "major_device", "pswpin", "pswpout", "written_back_pages",
    "evictions_per_freed_page", "pool_pages_peak", "stored_pages_peak", "effective_ratio", "density",
]  # fmt: skip

FARTHEST = 5.0
"""Bars end at 2^5 or 2^-5; the label says what the ratio is."""

TICKS = {
    0.2: (0.9, 0.95, 1, 1.05, 1.1),
    0.6: (0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.4),
    1.6: (0.4, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 2.5),
    9.0: (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32),
}
"""Ratios to mark, by how far (in powers of two) the axis reaches."""

BAR = 0.8
"""The share of a metric's row that its bars fill."""


def data(runs: Runs, wanted: Wanted) -> Data:
    """Rows (metric, result, value, ratio to the first result, better or worse)."""
    comparison = compare(runs.results, names=wanted.y or KEY)
    rows = [
        (row.metric, label, *_empty(value, ratio), verdict)
        for row in comparison.rows
        if any(row.values)
        for label, value, ratio, verdict in zip(comparison.labels, row.values, row.ratios, row.verdicts, strict=True)
    ]
    return Data(("metric", "result", "value", "ratio", "verdict"), rows)


def _empty(*cells: float | None) -> tuple[float | str, ...]:
    return tuple("" if cell is None else cell for cell in cells)


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """One row of bars a metric, one bar a result, the baseline being the line at 1."""
    from matplotlib.figure import Figure

    comparison = compare(runs.results, names=list(dict.fromkeys(shown.column("metric"))))
    rows, others = comparison.rows, len(comparison.labels) - 1
    drawing = Figure(figsize=(WIDTH_IN, 0.9 + len(rows) * max(0.2, 0.15 * others + 0.06)), layout="constrained")
    axes = drawing.subplots()
    named = list(zip(comparison.labels[1:], looks(comparison.labels[1:]), strict=True))
    _scale(axes, rows)
    for number, row in enumerate(rows):
        for other in range(1, others + 1):
            _bar(axes, row, other, named[other - 1][1], (number - BAR / 2 + BAR * (other - 0.5) / others, BAR / others))
    axes.axvline(0, color=GREY, linewidth=0.8)
    names = [f"{row.metric}   {_short(row.values[0], row.unit)}" for row in rows]
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(f"ratio to {comparison.labels[0]}, whose values stand on the left")
    names_above(drawing, named)
    return drawing


def _short(value: Number, unit: str) -> str:
    return format_value(value, unit).partition(" (")[0]


def _bar(axes: "Axes", row: Row, other: int, look: Look, place: tuple[float, float]) -> None:
    """One ratio as a bar from 1, with its value and verdict at its end (of a bar to nothing: at its foot)."""
    ratio, colour, (y, height) = row.ratios[other], look.colour, place
    end = 0.0 if ratio is None else log2(ratio) if ratio else -FARTHEST
    end = max(-FARTHEST, min(FARTHEST, end))
    axes.barh(y, end, height=height * 0.9, color=colour, linewidth=0)
    text = _short(row.values[other], row.unit) if not ratio else f"{ratio:.3g}x"
    left = end < 0 and ratio != 0
    axes.annotate(
        f"{text} {row.verdicts[other]}".rstrip(), (end if ratio else 0, y), xytext=(-3 if left else 3, 0),
        textcoords="offset points", va="center", ha="right" if left else "left", fontsize=6.5, color=colour,
    )  # fmt: skip


def _scale(axes: "Axes", rows: list[Row]) -> None:
    """A scale that holds every bar and its label, with round ratios marked."""
    ratios = [ratio for row in rows for ratio in row.ratios if ratio]
    farthest = max((min(abs(log2(ratio)), FARTHEST) for ratio in ratios), default=0.0)
    reach = max(0.15, farthest * 1.4)
    ticks = next(marks for limit, marks in TICKS.items() if reach <= limit)
    shown = [tick for tick in ticks if abs(log2(tick)) <= reach]
    axes.set_xlim(-reach, reach)
    axes.set_xticks([log2(tick) for tick in shown], [f"{tick:.3g}" for tick in shown])
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
