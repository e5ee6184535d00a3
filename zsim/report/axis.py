"""Measures against one axis: lines over numbers, bars beside names."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from zsim.measures import Measure, measure
from zsim.report.data import Data, point_data
from zsim.report.layout import (
    ENDED,
    FAILED,
    can_stand_at_ends,
    fit_ticks,
    grid_of,
    in_panel,
    make_panels,
    panels_of,
    series_of,
)
from zsim.report.runs import Run, Runs
from zsim.report.scales import Scale, Unit, is_wide, scale, unit_for
from zsim.report.wanted import Wanted
from zsim.style import Look, end_labels, log_ticks, looks, names_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_IN = 1.9
HEADROOM = 1.06


class View(NamedTuple):
    """How a measure is shown, the same in all of its panels."""

    measure: Measure
    unit: Unit
    is_log: bool
    low: float
    high: float

    @property
    def label(self) -> str:
        """The measure and its unit."""
        return self.unit.label(self.measure.label)


def data(runs: Runs, wanted: Wanted) -> Data:
    """A row a run: its axes, its outcome and the measures."""
    return point_data(runs, measures_of(runs, wanted))


def x_of(runs: Runs, wanted: Wanted) -> str:
    """The axis asked for; else RAM, else the axis with the most numbers, else the first that is no trace."""
    if wanted.x:
        return runs.axis(wanted.x)
    named = [runs.axis(axis) for axis in wanted.series]
    choices = [axis for axis in runs.varying if axis not in ("trace", *named)] or list(runs.varying) or list(runs.axes)
    numbers = [axis for axis in choices if scale(axis, runs.axes[axis]).is_number]
    if "memory.size" in numbers:
        return "memory.size"
    return max(numbers, key=lambda axis: len(runs.axes[axis])) if numbers else choices[0]


def measures_of(runs: Runs, wanted: Wanted) -> list[Measure]:
    """Those asked for; else the first of the study's, else the slowdown."""
    return [measure(name) for name in wanted.y or runs.metrics[:2] or ("slowdown",)]


def measured(run: Run, what: Measure) -> float | None:
    """The value of a run that came to its end: one that ran out of memory has no comparable figures."""
    return run.value(what) if run.outcome == "done" else None


def view_of(what: Measure, runs: Sequence[Run]) -> View:
    """The unit and the reach of a measure over all runs: from 0, a ratio of times from 1, in log where far apart."""
    values = [value for run in runs if (value := measured(run, what)) is not None]
    unit = unit_for(what.unit, values)
    shown = [value / unit.by for value in values] or [1.0]
    least = 1.0 if what.unit == "x" else 0.0
    if is_wide(shown):
        return View(what, unit, True, min(shown) / HEADROOM, max(shown) * 1.2)
    low, high = min(least, *shown), max(least, *shown)
    return View(what, unit, False, low, low + ((high - low) or 1.0) * HEADROOM)


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """A row of panels a measure, a panel a trace."""
    x = x_of(runs, wanted)
    along = scale(x, runs.axes[x])
    traces = panels_of(runs, (x, *wanted.series))
    lines = series_of(runs, wanted, (x,) if traces == [None] and x != "trace" else (x, "trace"))
    views = [view_of(what, runs.runs) for what in measures_of(runs, wanted)]
    if not along.is_number:
        from zsim.report import bars_by_name

        return bars_by_name.draw(lines, traces, views, along, x)
    rows, columns = grid_of([[(view, trace) for trace in traces] for view in views])
    drawing, panels = make_panels(len(rows), columns, PANEL_IN)
    look = dict(zip(lines, looks(list(lines)), strict=True))
    by_end = columns == 1 and can_stand_at_ends(list(lines))
    name_lines(drawing, runs, {} if by_end or len(lines) == 1 else look)
    for row, axes_row in zip(rows, panels, strict=True):
        for axes in axes_row[len(row) :]:
            axes.set_visible(False)
        axes_row[0].set_ylabel(row[0][0].label)
        for (view, trace), axes in zip(row, axes_row, strict=False):
            axes.set_title(str(trace or ""))
            for number, (name, line) in enumerate(lines.items()):
                _line(axes, view, _places(in_panel(line, trace), x, along), look[name], number)
    for axes in panels[-1]:
        axes.set_xlabel(along.label)
    _scales(drawing, rows, panels, along)
    if by_end and len(lines) > 1:
        _names(rows, panels, {name: _places(line, x, along) for name, line in lines.items()}, look)
    return drawing


def name_lines(drawing: "Figure", runs: Runs, look: dict[str, Look]) -> None:
    """The lines where they are not named at their ends, and what a cross means where there is one."""
    ended = dict.fromkeys(ENDED[run.outcome] for run in runs if run.outcome in ENDED)
    named = [*look.items(), *([(", ".join(ended), FAILED)] if ended else [])]
    if named:
        names_above(drawing, named, marked=True)


def _places(line: Sequence[Run], x: str, along: Scale) -> list[tuple[float, Run]]:
    """The runs of a line from left to right; one that has no place on the axis is not on it."""
    placed = [(along.places[run.values[x]], run) for run in line if run.values.get(x) is not None]
    return sorted(placed, key=lambda pair: pair[0])


def _line(axes: "Axes", view: View, line: list[tuple[float, Run]], look: Look, number: int) -> None:
    """One line; a cross at the top of the panel is a run that did not come to its end."""
    values = [(place, measured(run, view.measure)) for place, run in line]
    kept = [(place, value / view.unit.by) for place, value in values if value is not None]
    axes.plot([x for x, _ in kept], [y for _, y in kept], color=look.colour, ls=look.dashes, marker=look.marker)
    for place, run in line:
        if run.outcome in ENDED:
            axes.plot(place, 1 - 0.07 * number, "x", color=look.colour, markersize=5, clip_on=False,
                      transform=axes.get_xaxis_transform())  # fmt: skip


def _scales(drawing: "Figure", rows: list[list[tuple[View, str]]], panels: "list[list[Axes]]", along: Scale) -> None:
    """Limits and ticks; how many fit is known once every panel has its size."""
    for row, axes_row in zip(rows, panels, strict=True):
        for (view, _), axes in zip(row, axes_row, strict=False):
            if view.is_log:
                axes.set_yscale("log")
            if along.is_log:
                axes.set_xscale("log", base=2)
            axes.set_ylim(view.low, view.high)
            if view.is_log:
                log_ticks(axes.yaxis, "{:g}".format)
    drawing.draw_without_rendering()
    for axes in (axes for axes_row in panels for axes in axes_row):
        width_in = axes.get_position().width * drawing.get_figwidth()
        fit_ticks(axes, list(along.places.values()), along.texts, width_in)


def _names(
    rows: list[list[tuple[View, str]]],
    panels: "list[list[Axes]]",
    lines: dict[str, list[tuple[float, Run]]],
    look: dict[str, Look],
) -> None:
    """Each line's name at its end."""
    for row, axes_row in zip(rows, panels, strict=True):
        view, labels = row[0][0], []
        for name, line in lines.items():
            values = [value for _, run in line if (value := measured(run, view.measure)) is not None]
            if values:
                labels.append((values[-1] / view.unit.by, name, look[name].colour))
        end_labels(axes_row[0], labels)
