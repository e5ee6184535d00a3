"""How every figure looks: for a paper column of 7 inches, readable in grey and without telling red from green."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN = 7.0

BLUE, ORANGE, GREEN, RED, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
GREY, LIGHT = "#555555", "#DDDDDD"
PALETTE = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, "#000000")
"""Okabe and Ito's colours, told apart by every common kind of colour vision."""

RC: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": LIGHT,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.2,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.hashsalt": "zsim",
    "path.simplify": True,
    "figure.dpi": 100,
    "savefig.dpi": 200,
}

LABEL_GAP_PT = 9.0


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save within this."""
    from matplotlib import rc_context

    with rc_context(RC):
        yield


def end_labels(axes: "Axes", labels: Sequence[tuple[float, str, str]]) -> None:
    """Name lines or bands at the right edge, (y, text, colour) each, moved apart where they would overlap."""
    height_pt = axes.get_position().height * axes.figure.get_figheight() * 72  # type: ignore[union-attr]
    gap = LABEL_GAP_PT / height_pt
    scale = axes.transScale + axes.transLimits
    wanted = sorted((float(scale.transform((0, y))[1]), text, colour) for y, text, colour in labels)
    for place, (_, text, colour) in zip(_apart([y for y, _, _ in wanted], gap), wanted, strict=True):
        axes.annotate(
            text, (1.01, place), xycoords="axes fraction", color=colour, va="center", ha="left", annotation_clip=False
        )


def _apart(wanted: list[float], gap: float) -> list[float]:
    """Ascending places at least `gap` apart and within 0..1, as near to those wanted as pushing up, then down, gets."""
    places: list[float] = []
    for y in wanted:
        places.append(max(y, places[-1] + gap) if places else max(y, 0.0))
    ceiling = 1.0
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    return places


def names_above(drawing: "Figure", names: Sequence[str], left: float, y: float) -> None:
    """What the colours of PALETTE stand for, in these colours, side by side from `left` on."""
    for number, name in enumerate(names):
        drawing.text(left, y, name, color=PALETTE[number % len(PALETTE)])
        left += 0.03 + 0.0088 * len(name)


def time_scale(longest_ns: float) -> tuple[float, str]:
    """(ns in a unit, its name) that suits an axis up to `longest_ns`."""
    for scale, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
        if longest_ns >= 2 * scale:
            return scale, unit
    return 1.0, "ns"


METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}
"""Without dates and versions, so that the same data gives the same bytes."""
