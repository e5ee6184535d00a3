"""The errors of all cases at a glance: faults and outcomes against the kernel's, beside the kernel's own repeats."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zsim.resultfiles import write_text, writing
from zsim.style import BLUE, GREEN, GREY, LIGHT, RED, WIDTH_IN, form_of, styled, write_figure
from zsim.validation.cases import Case
from zsim.validation.compare import BARS, Comparison
from zsim.validation.output import as_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = {"6.1": BLUE, "6.12, two lists": GREEN, "6.12, MGLRU": RED}
TICKS = (-50, -20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 50)
FARTHEST = 100
ROW_IN = 2.2
NAMED = 3
"""Judged cases of a set that are named in the figure: the worst."""


def draw(comparisons: Sequence[Comparison]) -> "Figure":
    """A row a set: left the error of faults, right the share of equal outcomes; a dot a case, by size."""
    from matplotlib.figure import Figure

    sets = list(dict.fromkeys(each.case.set for each in comparisons))
    drawing = Figure(figsize=(WIDTH_IN, 0.7 + ROW_IN * len(sets)), layout="constrained")
    panels = drawing.subplots(len(sets), 2, squeeze=False)
    for name, (errors, same) in zip(sets, panels, strict=True):
        cases = sorted((each for each in comparisons if each.case.set == name), key=lambda each: each.worst_error)
        _errors(errors, name, cases)
        _outcomes(same, name, cases)
    _kinds(drawing, panels[0][0])
    return drawing


def kind_of(case: Case) -> str:
    """Which of KINDS a case is shown as."""
    if case.kernel < (6, 12):
        return "6.1"
    return "6.12, MGLRU" if case.is_mglru else "6.12, two lists"


def _errors(axes: "Axes", name: str, cases: list[Comparison]) -> None:
    bars = BARS[name]
    most = 100 * bars.faults
    axes.axhspan(-most, most, color=LIGHT, alpha=0.5, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.6)
    for place, each in enumerate(cases):
        if each.repeat:
            axes.vlines(place, -100 * each.repeat.faults, 100 * each.repeat.faults, color=GREY, linewidth=2, alpha=0.5)
        _dot(axes, place, 100 * each.worst_error, each)
    axes.set_yscale("symlog", linthresh=2)
    axes.set_yticks(TICKS, list(map(str, TICKS)))
    axes.minorticks_off()
    axes.set_ylim(-FARTHEST, FARTHEST)
    parts = " (anonymous or file)" if bars.mglru else ""
    axes.set_title(f"{name}: error of major faults{parts}, %", loc="left")
    worst = sorted((each for each in cases if not each.reported), key=lambda each: -abs(each.worst_error))
    _caption(axes, [f"{each.case.name} {each.worst_error:+.1%}" for each in worst])


def _outcomes(axes: "Axes", name: str, cases: list[Comparison]) -> None:
    bars = BARS[name]
    ordered = sorted(cases, key=lambda each: each.replayed.same_outcome)
    if bars.same is not None:
        axes.axhspan(100 * bars.same, 100, color=LIGHT, alpha=0.5, linewidth=0)
    for place, each in enumerate(ordered):
        if each.repeat:
            axes.vlines(place, 100 * each.repeat.same, 100, color=GREY, linewidth=2, alpha=0.5)
        _dot(axes, place, 100 * each.replayed.same_outcome, each)
    axes.set_ylim(min(80.0, *(100 * each.replayed.same_outcome - 2 for each in cases)), 100.5)
    axes.set_title("accesses with the same outcome, %", loc="left")
    worst = [each for each in ordered if not each.reported]
    _caption(axes, [f"{each.case.name} {each.replayed.same_outcome:.1%}" for each in worst])


def save_figure(comparisons: Sequence[Comparison], path: Path) -> list[Path]:
    """Draw into `path` (svg, pdf or png by its suffix), the figures as CSV beside it; both paths."""
    form = form_of(path)
    with styled(), writing(path) as part:
        write_figure(draw(comparisons), part, form)
    table = path.with_suffix(".csv")
    write_text(table, as_csv(comparisons))
    return [path, table]


def _dot(axes: "Axes", x: float, y: float, each: Comparison) -> None:
    colour = KINDS[kind_of(each.case)]
    inside = "white" if each.reported else colour
    axes.plot(x, y, "o", markersize=3, color=colour, markerfacecolor=inside, markeredgewidth=0.8)


def _caption(axes: "Axes", worst: list[str]) -> None:
    """Under the dots the judged cases that are farthest off, instead of numbers on an axis."""
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel("\n".join(worst[:NAMED]), fontsize=6, color=GREY, loc="left")


def _kinds(drawing: "Figure", axes: "Axes") -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], marker="o", linestyle="", markersize=3, color=colour) for colour in KINDS.values()]
    hollow = Line2D([], [], marker="o", linestyle="", markersize=3, color=GREY, markerfacecolor="white")
    line = Line2D([0, 0], [0, 1], color=GREY, linewidth=2, alpha=0.5)
    drawing.legend(
        [*marks, hollow, line], [*KINDS, "reported, not judged", "kernel against itself"],
        loc="outside upper left", ncols=5, frameon=False, fontsize=7, handlelength=1.2, handletextpad=0.4,
    )  # fmt: skip
