"""The figures of `zsim pack`: pages over operations, and the two figures of the debate (a map: zsim/pack/map.py).

Figures are plain `matplotlib.figure.Figure`s; the same data gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zsim.files import replacing
from zsim.pack.result import QUANTILES, PackResult, quantile
from zsim.units import PAGE_SIZE, format_ns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN, BLUE, RED, PINK, GREY = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#888888",
)  # fmt: skip
"""The palette of Okabe and Ito, which colour-blind readers can tell apart, without its yellow."""
FAMILY = {
    "zbud": (BLUE, "-"),
    "z3fold": (GREEN, "-"),
    "zsmalloc": (RED, "-"),
    "zcache1-zbud": (SKY, "-"),
    "zcache2-zbud": (SKY, "--"),
    "xvmalloc": (ORANGE, "-"),
    "zblock": (PINK, "-"),
    "kmalloc": (BLACK, "-"),
    "buddy": (BLACK, "--"),
    "ideal": (GREY, ":"),
}
DASHES = ("-", "--", "-.", ":")
SMALL_PT = 8


def save(figure: Figure, path: Path) -> None:
    """Write the figure as what the name's suffix says (svg, png, pdf), without dates; complete or absent."""
    import matplotlib

    undated: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    style: Any = {"svg.hashsalt": "zsim", "pdf.fonttype": 42, "font.size": 9}
    with matplotlib.rc_context(style), replacing(path) as part, part.open("wb") as out:
        figure.savefig(out, format=path.suffix[1:], dpi=150, metadata=undated.get(path.suffix, {"Software": None}))


def pages_figure(results: Sequence[PackResult]) -> Figure:
    """Pool pages over operations, a line an allocator, and what the bytes alone would take."""
    figure, (axes,) = make_figure(1, 7, 3.6)
    ends: list[tuple[float, str, str]] = []
    for result, (color, dashes) in zip(results, _styles([result.allocator for result in results]), strict=True):
        axes.plot([0, *result.ops], [0, *result.pages], color=color, ls=dashes, lw=1.5)
        ends.append((result.pages[-1], result.allocator, color))
    bound = max(results, key=lambda result: result.live_bytes[-1])
    pages = [size_bytes / PAGE_SIZE for size_bytes in bound.live_bytes]
    axes.plot([0, *bound.ops], [0, *pages], color=GREY, ls=":", lw=1.5)
    axes.set(xlabel="operations", ylabel="page frames of 4 KiB", xlim=(0, results[0].ops[-1]), ylim=(0, None))
    _label_ends(axes, [*ends, (pages[-1], "stored bytes", GREY)])
    return figure


def density_figure(density: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Objects per page frame against their size, for pools of one size: zswap's three, then the others."""
    main = [name for name in density if name.partition("@")[0] in ("zbud", "z3fold", "zsmalloc", "ideal")]
    others = [name for name in density if name not in main or name == "ideal"]
    figure, panels = make_figure(2 if len(others) > 1 else 1, 7, 4)
    for axes, names in zip(panels, (main, others), strict=False):
        for name, (color, dashes) in zip(names, _styles(names), strict=True):
            axes.plot(
                *zip(*density[name], strict=True), color=color, ls=dashes, lw=1.4, drawstyle="steps-pre", label=name
            )
        axes.set(xlabel="compressed size, bytes", xlim=(256, PAGE_SIZE), ylim=(0.9, 16))
        axes.set_yscale("log", base=2)
        axes.set_xticks(range(1024, PAGE_SIZE + 1, 1024))
        axes.set_yticks([1, 2, 3, 4, 6, 8, 12, 16], ["1", "2", "3", "4", "6", "8", "12", "16"])
        axes.grid(color="#dddddd", lw=0.5)
        axes.legend(frameon=False, labelcolor="linecolor", loc="upper right")  # no line ever comes there
    panels[0].set_ylabel("compressed pages per page frame")
    return figure


def evictions_figure(results: Sequence[PackResult]) -> Figure:
    """How many objects had to be evicted, and how long that took, to get a page frame back: a histogram each."""
    reclaims = [(result, result.reclaim) for result in results if result.reclaim and result.reclaim.needed()]
    figure, panels = make_figure(2, 7, 0.9 + 0.85 * len(reclaims), rows=len(reclaims), share=True)
    for row, (result, reclaim) in enumerate(reclaims):
        color, _ = _styles([result.allocator])[0]
        left, right = panels[2 * row : 2 * row + 2]
        _histogram(left, reclaim.needed(), color, "{:g}".format)
        _histogram(right, reclaim.needed_ns(), color, format_ns)
        left.set_title(f"{result.allocator}, {_by(result)}", loc="left", fontsize=SMALL_PT, color=color, pad=3)
    _decades(panels[-2], "{:g}".format)
    _decades(panels[-1], format_ns)
    panels[-2].set_xlabel("objects evicted to free a page frame")
    panels[-1].set_xlabel(f"time until their writes are done ({reclaims[0][1].device})")
    figure.supylabel("share of the reclaim calls, %", fontsize=9)
    return figure


def make_figure(
    columns: int, width_inches: float, height_inches: float, rows: int = 1, share: bool = False
) -> tuple[Figure, list[Axes]]:
    """A figure of rows x columns panels, row by row, without a frame."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex="col" if share else False, sharey=share)
    for axes in panels.flat:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return figure, list(panels.flat)


def _styles(names: Sequence[str]) -> list[tuple[str, str]]:
    """A colour for each family; versions of one family differ by dashes."""
    seen: dict[str, int] = {}
    styles = []
    for name in names:
        family = name.partition("@")[0]
        number = seen[family] = seen.get(family, -1) + 1
        color, dashes = FAMILY.get(family, (PINK, "-."))
        styles.append((color, DASHES[(DASHES.index(dashes) + number) % len(DASHES)]))
    return styles


def _label_ends(axes: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Names beside the right ends of the lines, spread where they would touch."""
    ends = sorted(ends)
    for (_, name, color), at in zip(
        ends, spread([value for value, _, _ in ends], axes.get_ylim()[1] * 0.045), strict=True
    ):
        axes.annotate(name, (1, at), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
                      va="center", color=color, fontsize=SMALL_PT, annotation_clip=False)  # fmt: skip


def spread(ascending: Sequence[float], gap: float) -> list[float]:
    """The values moved as little as it takes for neighbours to be `gap` apart: crowds spread about their middle."""
    crowds: list[tuple[float, int]] = []
    for value in ascending:
        middle, count = value, 1
        while crowds and middle - crowds[-1][0] < gap * (count + crowds[-1][1]) / 2:
            other, others = crowds.pop()
            middle, count = (middle * count + other * others) / (count + others), count + others
        crowds.append((middle, count))
    return [middle + gap * (i - (count - 1) / 2) for middle, count in crowds for i in range(count)]


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


def _decades(axes: Axes, show: Callable[[float], str]) -> None:
    """Ticks at 1, 10, 100; on a short axis at 2 and 5 as well."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: show(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _by(result: PackResult) -> str:
    assert result.reclaim is not None
    if result.reclaim.by == "entry-lru":
        return "entry LRU"
    return "zspage LRU" if result.allocator.startswith("zsmalloc") else "page LRU"
