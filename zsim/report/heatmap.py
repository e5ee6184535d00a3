"""A measure over two axes: its number in every cell, the darker the larger."""

from typing import TYPE_CHECKING, Any

from zsim.errors import UsageError
from zsim.measures import Measure, measure
from zsim.report.axis import View, view_of
from zsim.report.data import Data, point_data
from zsim.report.layout import COLUMNS_MAX, grid_of, in_panel, make_panels, panels_of, value_list
from zsim.report.runs import Run, Runs
from zsim.report.scales import Scale, scale
from zsim.report.wanted import Wanted
from zsim.style import COLUMN_IN, GREY, SMALL_PT, WIDTH_IN, text_width_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL_IN, CELL_HEIGHT_IN = 0.42, 0.24
PALE, DARK = (0.937, 0.953, 1.0), (0.031, 0.188, 0.42)
"""The ends of one hue from light to dark: readable in grey and by every colour vision."""
ON_PALE, ON_DARK = "#111111", "#FEFEFE"


def data(runs: Runs, wanted: Wanted) -> Data:
    """A row a run: its axes, its outcome and the measures."""
    return point_data(runs, measures_of(runs, wanted))


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """A row of panels a measure, a panel a trace."""
    x, y = names_of(runs, wanted)
    across, down = (_sorted(scale(name, runs.axes[name])) for name in (x, y))
    traces = panels_of(runs, (x, y))
    others = [axis for axis in runs.varying if axis not in (x, y) and (axis != "trace" or traces == [None])]
    if others:
        held = ", ".join(f"{axis}={value_list(runs.axes[axis][:1])}" for axis in others)
        raise UsageError(f"{runs.name}: a heatmap has two axes, {x} and {y} here; hold the others by where: {held}")
    views = [view_of(what, runs.runs) for what in measures_of(runs, wanted)]
    titles = [[_title(view, trace) for trace in traces] for view in views]
    columns = min(len(traces), COLUMNS_MAX)
    cells, _ = grid_of([[(view, trace) for trace in traces] for view in views])
    drawing, panels = make_panels(
        len(cells), columns, 0.85 + CELL_HEIGHT_IN * len(down.places), _width_in(across, down, columns, titles)
    )
    for row, axes_row in zip(cells, panels, strict=True):
        for axes in axes_row[len(row) :]:
            axes.set_visible(False)
        for (view, trace), axes in zip(row, axes_row, strict=False):
            _panel(axes, view, in_panel(runs.runs, trace), (across, down), (x, y))
            axes.set_title(_title(view, trace), fontsize=SMALL_PT)
            axes.set_ylabel(down.label if axes is axes_row[0] else "")
    _turn_names(drawing, across)
    return drawing


def _turn_names(drawing: "Figure", across: Scale) -> None:
    """Slanted names below where they would touch; how much room there is is known once every panel has its size."""
    drawing.draw_without_rendering()
    room_in = min(axes.get_position().width for axes in drawing.axes) * drawing.get_figwidth() / len(across.places)
    if max(map(text_width_in, across.texts)) + 0.08 > room_in:
        for axes in drawing.axes:
            axes.set_xticks(axes.get_xticks(), across.texts, rotation=30, ha="right", rotation_mode="anchor")


def _title(view: View, trace: Any) -> str:
    better = {"lower": ", darker is worse", "higher": ", darker is better"}.get(view.measure.better, "")
    return "\n".join([*([str(trace)] if trace is not None else []), view.label + better])


def _width_in(across: Scale, down: Scale, columns: int, titles: list[list[str]]) -> float:
    """Wide enough for cells and titles; at least a column of a paper, at most a page."""
    title_in = max(text_width_in(line, SMALL_PT) for row in titles for title in row for line in title.split("\n"))
    panel_in = max(len(across.places) * CELL_IN, title_in) + 0.15
    names_in = max(text_width_in(text) for text in down.texts) + 0.35
    return max(COLUMN_IN, min(columns * (panel_in + names_in), WIDTH_IN))


def measures_of(runs: Runs, wanted: Wanted) -> list[Measure]:
    """Those asked for; else the first of the study's, else the slowdown."""
    return [measure(name) for name in wanted.y or runs.metrics[:1] or ("slowdown",)]


def names_of(runs: Runs, wanted: Wanted) -> tuple[str, str]:
    """The axes across and down: those asked for (x, series), else the first that vary, numbers across."""
    asked = [runs.axis(name) for name in (wanted.x, *wanted.series[:1]) if name]
    free = [axis for axis in runs.varying if axis not in asked]
    free.sort(key=lambda axis: (axis == "trace", not scale(axis, runs.axes[axis]).is_number))
    chosen = [*asked, *free][:2]
    if len(chosen) < 2:
        there = ", ".join(chosen) or "none"
        raise UsageError(f"{runs.name}: a heatmap needs two axes with several values; there is {there}")
    return (chosen[0], chosen[1]) if wanted.x or not asked else (chosen[1], chosen[0])


def _sorted(along: Scale) -> Scale:
    return along._replace(places=dict(sorted(along.places.items(), key=lambda pair: pair[1])))


def _panel(axes: "Axes", view: View, runs: list[Run], along: tuple[Scale, Scale], names: tuple[str, str]) -> None:
    from matplotlib.patches import Rectangle

    across, down = (list(each.places) for each in along)
    for run in runs:
        x, y = (run.values.get(name) for name in names)
        if x not in across or y not in down:
            continue
        column, row = across.index(x), down.index(y)
        fill, text, ink = _cell(view, run)
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=fill, edgecolor="white", linewidth=0.8))
        axes.text(column, row, text, ha="center", va="center_baseline", fontsize=SMALL_PT - 0.5, color=ink)
    axes.set_xlim(-0.5, len(across) - 0.5)
    axes.set_ylim(len(down) - 0.5, -0.5)
    axes.set_xticks(range(len(across)), along[0].texts)
    axes.set_yticks(range(len(down)), along[1].texts)
    axes.tick_params(length=0)
    axes.set_xlabel(along[0].label)
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cell(view: View, run: Run) -> tuple[Any, str, str]:
    """The cell's colour, its text, and the colour of that."""
    value = run.value(view.measure) if run.outcome == "done" else None
    if value is None:
        return "none", {"oom": "OOM", "done": "n/a"}.get(run.outcome, run.outcome), GREY
    share = _share(view, value / view.unit.by)
    fill = tuple(pale + (dark - pale) * share for pale, dark in zip(PALE, DARK, strict=True))
    return fill, f"{value / view.unit.by:.3g}", ON_DARK if share > 0.5 else ON_PALE


def _share(view: View, shown: float) -> float:
    """0 where palest, 1 where darkest."""
    from math import log

    if view.is_log:
        return (log(shown) - log(view.low)) / (log(view.high) - log(view.low))
    return (shown - view.low) / (view.high - view.low)
