"""How long faults took: the distribution and, in log, its tail."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zsim.histogram import LatencyHistogram
from zsim.report.figures import Data
from zsim.report.labels import labels
from zsim.report.style import PALETTE, WIDTH_IN, names_above
from zsim.results import Result
from zsim.units import NS_PER_US

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAULTS = {"minor": "minor", "major_store": "major, store", "major_device": "major, device"}


def data(results: Sequence[Result]) -> Data:
    """Rows (curve, latency_ns, share of faults that took so long or less): by kind of one run, by run of several."""
    rows = []
    for name, histogram in _curves(results):
        below = 0
        for _, high_ns, count in histogram.buckets():
            below += count
            rows.append((name, high_ns, round(below / histogram.count, 9)))
    return Data(("curve", "latency_ns", "share_at_most"), rows)


def _curves(results: Sequence[Result]) -> list[tuple[str, LatencyHistogram]]:
    if len(results) == 1:
        named = [(label, LatencyHistogram.from_buckets(results[0].histograms[kind])) for kind, label in FAULTS.items()]
        return [(label, histogram) for label, histogram in named if histogram.count]
    curves = []
    for label, result in zip(labels(results), results, strict=True):
        faults = LatencyHistogram()
        for kind in FAULTS:
            faults.merge(LatencyHistogram.from_buckets(result.histograms[kind]))
        curves.append((label, faults))
    return curves


def draw(shown: Data, results: Sequence[Result]) -> "Figure":
    """Left: share of faults at most so long; right: share of faults longer than that, in log."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(WIDTH_IN, 2.8))
    whole, tail = drawing.subplots(
        1, 2, gridspec_kw={"left": 0.08, "right": 0.98, "top": 0.86, "bottom": 0.16, "wspace": 0.24}
    )
    curves = dict.fromkeys(shown.column("curve"))
    for number, curve in enumerate(curves):
        points = [(latency_ns / NS_PER_US, share) for name, latency_ns, share in shown.rows if name == curve]
        line = {"color": PALETTE[number % len(PALETTE)], "linewidth": max(0.8, 2.6 - 0.6 * number)}
        _curve(whole, tail, points, line)
    for axes in (whole, tail):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("latency of a fault [us]")
        axes.grid(True, axis="both")
    whole.set_ylim(0, 1.02)
    whole.set_ylabel("share of faults at most so long")
    tail.set_yscale("log")
    tail.set_ylabel("share of faults longer")
    names_above(drawing, list(curves), 0.08, 0.93)
    return drawing


def _curve(whole: "Axes", tail: "Axes", points: list[tuple[float, float]], line: dict[str, Any]) -> None:
    """Both views of one distribution, from 0 where it begins; later lines are thinner, so that none is hidden."""
    times, shares = [points[0][0], *(time for time, _ in points)], [0.0, *(share for _, share in points)]
    whole.plot(times, shares, drawstyle="steps-post", **line)
    longer = [(time, 1 - share) for time, share in zip(times, shares, strict=True) if share < 1]
    last_us = points[-1][0]
    longer.append((last_us, longer[-1][1]))
    tail.plot([time for time, _ in longer], [share for _, share in longer], drawstyle="steps-post", **line)
    tail.plot(last_us, longer[-1][1], marker="|", color=line["color"], markersize=5)
