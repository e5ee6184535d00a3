"""The figures of `zsim pack`: pages over operations, and the two figures of the debate (a map: zsim/pack/map.py).

Figures are plain `matplotlib.figure.Figure`s; the same data gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log2
from typing import TYPE_CHECKING

from zsim.pack.result import QUANTILES, PackResult, quantile
from zsim.style import GREY, SMALL_PT, WIDTH_IN, end_labels, log_ticks, looks, styled
from zsim.units import PAGE_SIZE, format_ns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled()
def pages_figure(results: Sequence[PackResult]) -> Figure:
    """Pool pages over operations, a line an allocator, and what the bytes alone would take."""
    figure, (axes,) = make_figure(1, WIDTH_IN, 3.6)
    ends: list[tuple[float, str, str]] = []
    for result, look in zip(results, looks([result.allocator for result in results]), strict=True):
        axes.plot([0, *result.ops], [0, *result.pages], color=look.colour, ls=look.dashes)
        ends.append((result.pages[-1], result.allocator, look.colour))
    bound = max(results, key=lambda result: result.live_bytes[-1])
    pages = [size_bytes / PAGE_SIZE for size_bytes in bound.live_bytes]
    axes.plot([0, *bound.ops], [0, *pages], color=GREY, ls=":")
    axes.set(xlabel="operations", ylabel="page frames of 4 KiB", xlim=(0, results[0].ops[-1]), ylim=(0, None))
    figure.draw_without_rendering()  # gives the panel its size
    end_labels(axes, [*ends, (pages[-1], "stored bytes", GREY)])
    return figure


@styled()
def density_figure(density: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Objects per page frame against their size, for pools of one size: zswap's three, then the others."""
    main = [name for name in density if name.partition("@")[0] in ("zbud", "z3fold", "zsmalloc", "ideal")]
    others = [name for name in density if name not in main or name == "ideal"]
    figure, panels = make_figure(2 if len(others) > 1 else 1, WIDTH_IN, 4)
    for axes, names in zip(panels, (main, others), strict=False):
        for name, look in zip(names, looks(names), strict=True):
            line = {"color": look.colour, "ls": look.dashes, "drawstyle": "steps-pre", "label": name}
            axes.plot(*zip(*density[name], strict=True), **line)
        axes.set(xlabel="compressed size, bytes", xlim=(256, PAGE_SIZE), ylim=(0.9, 16))
        axes.set_yscale("log", base=2)
        axes.set_xticks(range(1024, PAGE_SIZE + 1, 1024))
        axes.set_yticks([1, 2, 3, 4, 6, 8, 12, 16], ["1", "2", "3", "4", "6", "8", "12", "16"])
        axes.grid(True, axis="both")
        axes.legend(frameon=False, labelcolor="linecolor", loc="upper right")  # no line ever comes there
    panels[0].set_ylabel("compressed pages per page frame")
    return figure


@styled()
def evictions_figure(results: Sequence[PackResult]) -> Figure:
    """How many objects had to be evicted, and how long that took, to get a page frame back: a histogram each."""
    reclaims = [(result, result.reclaim) for result in results if result.reclaim and result.reclaim.needed()]
    figure, panels = make_figure(2, WIDTH_IN, 0.9 + 0.85 * len(reclaims), rows=len(reclaims), share=True)
    for row, (result, reclaim) in enumerate(reclaims):
        color = looks([result.allocator])[0].colour
        left, right = panels[2 * row : 2 * row + 2]
        _histogram(left, reclaim.needed(), color, "{:g}".format)
        _histogram(right, reclaim.needed_ns(), color, format_ns)
        left.set_title(f"{result.allocator}, {_by(result)}", fontsize=SMALL_PT, color=color, pad=3)
    log_ticks(panels[-2].xaxis, "{:g}".format)
    log_ticks(panels[-1].xaxis, format_ns)
    panels[-2].set_xlabel("objects evicted to free a page frame")
    panels[-1].set_xlabel(f"time until their writes are done ({reclaims[0][1].device})")
    figure.supylabel("share of the reclaim calls, %", fontsize=8)
    return figure


def make_figure(
    columns: int, width_inches: float, height_inches: float, rows: int = 1, share: bool = False
) -> tuple[Figure, list[Axes]]:
    """A figure of rows x columns panels, row by row, without a frame."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex="col" if share else False, sharey=share)
    return figure, list(panels.flat)


def _histogram(axes: Axes, ascending: Sequence[int], color: str, show: Callable[[float], str]) -> None:
    """Shares of the values in bins half a doubling wide, with the median, p99 and maximum in words."""
    bins = Counter(round(2 * log2(max(1, value))) for value in ascending)
    edges = {number: 2 ** (number / 2 - 0.25) for number in bins}
    shares = [100 * count / len(ascending) for count in bins.values()]
    axes.bar(list(edges.values()), shares, [0.38 * edge for edge in edges.values()], align="edge", color=color)
    axes.plot(ascending[-1], 6, "v", color=color, ms=3, clip_on=False)  # the maximum, one call in many
    axes.set_xscale("log")
    axes.set(ylim=(0, 100), yticks=[0, 50, 100])
    words = (f"{name} {show(quantile(ascending, q) or 0)}" for name, q in QUANTILES.items() if name != "p90")
    axes.text(1, 0.95, "  ".join(words), transform=axes.transAxes, ha="right", va="top", fontsize=SMALL_PT - 1)


def _by(result: PackResult) -> str:
    assert result.reclaim is not None
    if result.reclaim.by == "entry-lru":
        return "entry LRU"
    return "zspage LRU" if result.allocator.startswith("zsmalloc") else "page LRU"
