"""How every figure looks and is saved: for paper columns of 3.4 and 7 inches, readable in grey, by every colour vision.

The same data gives the same bytes: fonts come with matplotlib, files carry no dates and no versions.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zsim.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

COLUMN_IN, WIDTH_IN = 3.4, 7.0
"""Widths of one column of a paper and of two."""

BLUE, ORANGE, GREEN, RED, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
BLACK, GREY, LIGHT = "#000000", "#555555", "#DDDDDD"
PALETTE = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)
"""Okabe and Ito's colours, told apart by every common kind of colour vision."""

MARKERS = "os^DvPX"

TITLE_PT, SMALL_PT = 9, 7
LABEL_GAP_PT = 9.0

RC: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": LIGHT,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.hashsalt": "zsim",
    "path.simplify": True,
    "figure.dpi": 100,
    "savefig.dpi": 200,
}

METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}
"""Without dates and versions, so that the same data gives the same bytes."""


class Look(NamedTuple):
    """How one series is drawn: a colour, a kind of line ("" for none), a marker."""

    colour: str
    dashes: Any
    marker: str


FAMILY = {
    "zbud": (BLUE, "-"),
    "z3fold": (GREEN, "-"),
    "zsmalloc": (RED, "-"),
    "zcache1-zbud": (SKY, "-"),
    "zcache2-zbud": (SKY, "--"),
    "xvmalloc": (ORANGE, "-"),
    "zblock": (PURPLE, "-"),
    "kmalloc": (BLACK, "-"),
    "buddy": (BLACK, "--"),
    "ideal": (GREY, ":"),
}
"""An allocator looks the same in every figure."""

DASHES = ("-", "--", "-.", ":")


def looks(names: Sequence[str]) -> list[Look]:
    """One look a name. Of names such as "zbud, 40%" the first part gives the colour and the rest the dashes.

    Allocators have the colour of their family, and versions of one family differ by dashes.
    """
    parts = [name.partition(", ")[::2] for name in names]
    heads, tails = (list(dict.fromkeys(part)) for part in zip(*parts, strict=True))
    if len(heads) > len(PALETTE) or len(tails) > len(DASHES):
        heads, tails, parts = list(names), [""], [(name, "") for name in names]
    of_head = dict(zip(heads, _pairs(heads), strict=True))
    found = []
    for number, (head, tail) in enumerate(parts):
        colour, dashes = of_head[head]
        if len(tails) > 1:
            dashes = DASHES[(DASHES.index(dashes) + tails.index(tail)) % len(DASHES)]
        found.append(Look(colour, dashes, MARKERS[number % len(MARKERS)]))
    return found


def _pairs(heads: Sequence[str]) -> list[tuple[str, str]]:
    """(colour, dashes) of each name."""
    families = [re.split("[@ ]", head)[0] for head in heads]
    if all(family in FAMILY for family in families):
        return [_of_family(family, families[:number].count(family)) for number, family in enumerate(families)]
    return [(PALETTE[i % len(PALETTE)], DASHES[i // len(PALETTE) % len(DASHES)]) for i in range(len(heads))]


def _of_family(family: str, before: int) -> tuple[str, str]:
    colour, dashes = FAMILY[family]
    return colour, DASHES[(DASHES.index(dashes) + before) % len(DASHES)]


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save within this."""
    from matplotlib import rc_context

    with rc_context(RC):
        yield


def form_of(path: Path) -> str:
    """The form that a figure's name asks for: svg, pdf or png; a `UsageError` for another."""
    form = path.suffix.removeprefix(".").lower()
    if form not in METADATA:
        raise UsageError(f"{path}: a figure's name ends in .{', .'.join(METADATA)}")
    return form


def write_figure(drawing: "Figure", path: Path, form: str) -> None:
    """Write the bytes of a figure to `path`, whatever its name."""
    with styled():
        drawing.savefig(path, format=form, metadata=METADATA[form])


def end_labels(axes: "Axes", labels: Sequence[tuple[float, str, str]]) -> None:
    """Name lines or bands at the right edge, (y, text, colour) each, moved apart where they would overlap."""
    height_pt = axes.get_position().height * axes.figure.get_figheight() * 72  # type: ignore[union-attr]
    gap = LABEL_GAP_PT / height_pt
    scale = axes.transScale + axes.transLimits
    wanted = sorted((float(scale.transform((1, y))[1]), text, colour) for y, text, colour in labels)
    for place, (_, text, colour) in zip(apart([y for y, _, _ in wanted], gap), wanted, strict=True):
        axes.annotate(
            text, (1.01, place), xycoords="axes fraction", color=colour, va="center", ha="left", annotation_clip=False
        )


def names_above(drawing: "Figure", named: Sequence[tuple[str, Look]], marked: bool = False) -> None:
    """What each look stands for, above the panels of a figure with constrained layout; as many rows as it takes."""
    from matplotlib.lines import Line2D

    columns = _columns([0.45 + text_width_in(name) for name, _ in named], drawing.get_figwidth() - 0.2)
    lines = [
        Line2D([], [], color=look.colour, linestyle=look.dashes, marker=look.marker if marked else "")
        for _, look in named
    ]
    drawing.legend(  # a title of the figure becomes the legend's: both want this place
        lines, [name for name, _ in named], loc="outside upper left", ncols=columns, frameon=False,
        labelcolor="linecolor", handlelength=2, handletextpad=0.5, columnspacing=1.2, borderpad=0.2, alignment="left",
        title_fontsize=TITLE_PT,
    )  # fmt: skip


def put_title(drawing: "Figure", title: str) -> None:
    """A figure's title, above the names where these stand above the panels; in two lines where it is too long."""
    if text_width_in(title, TITLE_PT) > drawing.get_figwidth() - 0.2:
        title = "\n".join(_halves(title))
    if drawing.legends:
        drawing.legends[0].set_title(title)
    elif drawing.get_layout_engine() is None:
        drawing.axes[0].set_title(title, fontsize=TITLE_PT)
    else:
        drawing.suptitle(title, x=0.01, ha="left", fontsize=TITLE_PT)


def _halves(text: str) -> tuple[str, ...]:
    """Two lines of nearly the same length."""
    words = text.split()
    cuts = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    return min(cuts, key=lambda lines: max(map(len, lines)), default=(text,))


def _columns(widths_in: Sequence[float], room_in: float) -> int:
    """The most columns that fit when they are filled from top to bottom, the first ones with one more if need be."""
    for columns in range(len(widths_in), 1, -1):
        rows, longer = divmod(len(widths_in), columns)
        ends = [rows * i + min(i, longer) for i in range(columns + 1)]
        if sum(max(widths_in[a:b]) for a, b in zip(ends, ends[1:], strict=False)) <= room_in:
            return columns
    return 1


def apart(ascending: Sequence[float], gap: float) -> list[float]:
    """The values moved as little as it takes for neighbours to be `gap` apart, and into 0..1 where they fit."""
    places = spread(ascending, gap)
    floor, ceiling = 0.0, 1.0
    for i in range(len(places)):
        places[i] = max(places[i], floor)
        floor = places[i] + gap
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    return places


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


def log_ticks(axis: "Axis", show: Callable[[float], str]) -> None:
    """Ticks at 1, 10, 100; on a short axis at 2 and 5 as well."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    room = 300 if axis is axis.axes.yaxis else 50  # texts beside one another take more of it
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < room * low else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: show(value)))
    axis.set_minor_formatter(NullFormatter())


@cache
def text_width_in(text: str, size_pt: float = 8) -> float:
    """How wide a line of text is, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), text, prop=FontProperties(family="DejaVu Sans", size=size_pt))
    return float(path.get_extents().x1) / 72


def time_scale(longest_ns: float) -> tuple[float, str]:
    """(ns in a unit, its name) that suits an axis up to `longest_ns`."""
    for scale, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
        if longest_ns >= 2 * scale:
            return scale, unit
    return 1.0, "ns"
