"""Distributions of latencies as curves: the share that took at most so long, and in log the share that took longer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zsim.errors import UsageError
from zsim.histogram import LatencyHistogram
from zsim.machine import LATENCIES
from zsim.registry import suggestion
from zsim.report.runs import Run
from zsim.style import Look, log_ticks
from zsim.units import format_ns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAULTS = {"minor": "minor", "major_store": "major, store", "major_device": "major, device"}
FAULT = "fault"
"""All faults together."""

Points = list[tuple[int, float]]
"""(latency_ns, share of all that took so long or less), ascending."""


def kind_of(name: str) -> str:
    """A latency's name, with or without latency_ns before it; a `UsageError` where there is none."""
    kind = name.removeprefix("latency_ns.").split(".")[0]
    if kind not in (FAULT, *LATENCIES):
        raise UsageError(f"no latency {name!r}{suggestion(kind, [FAULT, *LATENCIES])}")
    return kind


def curve(run: Run, kind: str) -> Points:
    """The distribution of one latency of a run, or of all faults; empty where nothing happened."""
    histograms = run.load().histograms
    merged = LatencyHistogram()
    for each in FAULTS if kind == FAULT else [kind]:
        merged.merge(LatencyHistogram.from_buckets(histograms.get(each, [])))
    return points(merged)


def points(histogram: LatencyHistogram) -> Points:
    """A histogram's buckets as a curve that ends at 1."""
    below, found = 0, []
    for _, high_ns, count in histogram.buckets():
        below += count
        found.append((high_ns, round(below / histogram.count, 9)))
    return found


def draw_whole(axes: "Axes", curve: Points, look: Look, number: int) -> None:
    """The share that took at most so long, from 0 where it begins."""
    times = [curve[0][0], *(time for time, _ in curve)]
    axes.plot(times, [0.0, *(share for _, share in curve)], drawstyle="steps-post", **_line(look, number))


def draw_tail(axes: "Axes", curve: Points, look: Look, number: int) -> None:
    """The share that took longer, down to the last, which is marked."""
    longer = [(curve[0][0], 1.0), *((time, 1 - share) for time, share in curve if share < 1)]
    last_ns, last = curve[-1][0], longer[-1][1]
    longer.append((last_ns, last))
    axes.plot([x for x, _ in longer], [y for _, y in longer], drawstyle="steps-post", **_line(look, number))
    axes.plot(last_ns, last, marker="|", color=look.colour, markersize=5)


def _line(look: Look, number: int) -> dict[str, Any]:
    """Later lines are thinner, so that none is hidden."""
    return {"color": look.colour, "linestyle": look.dashes, "linewidth": max(0.8, 2.2 - 0.4 * number)}


def in_time(panels: "Sequence[Axes]") -> None:
    """The same time axis for all, in log, with units at its ticks."""
    for axes in panels:
        axes.set_xscale("log")
    limits = [axes.get_xlim() for axes in panels]
    for axes in panels:
        axes.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))
        log_ticks(axes.xaxis, format_ns)
        axes.grid(True, axis="both")
