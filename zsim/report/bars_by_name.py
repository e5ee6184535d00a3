"""Measures beside names (allocators, stores, traces): a bar a series, its value at its end; dots where far apart."""

from typing import TYPE_CHECKING, Any

from zsim.report.layout import ENDED, in_panel, make_panels
from zsim.report.runs import Run
from zsim.report.scales import Scale, short
from zsim.style import COLUMN_IN, SMALL_PT, WIDTH_IN, Look, log_ticks, looks, names_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zsim.report.axis import View

BAR_IN, BETWEEN_IN = 0.15, 0.1
ROOM = 1.3
"""How much farther than the longest bar a panel reaches, for the values at the bars' ends."""


def draw(lines: dict[str, list[Run]], traces: list[Any], views: "list[View]", along: Scale, x: str) -> "Figure":
    """A column of panels a measure, a row a trace."""
    height_in = 0.35 + len(along.places) * (BAR_IN * len(lines) + BETWEEN_IN)
    width_in = COLUMN_IN if len(views) == 1 else WIDTH_IN
    drawing, panels = make_panels(len(traces), len(views), height_in, width_in)
    look = dict(zip(lines, looks(list(lines)), strict=True))
    if len(lines) == 1:
        look = dict.fromkeys(lines, looks(["any"])[0])
    else:
        names_above(drawing, [(name, each._replace(dashes="-")) for name, each in look.items()])
    for trace, axes_row in zip(traces, panels, strict=True):
        for view, axes in zip(views, axes_row, strict=True):
            _panel(axes, view, {name: in_panel(line, trace) for name, line in lines.items()}, along, x, look)
            axes.tick_params(axis="y", labelleft=axes is axes_row[0])
        axes_row[0].set_title(str(trace or ""))
    for view, axes in zip(views, panels[-1], strict=True):
        axes.set_xlabel(view.label)
    return drawing


def _panel(
    axes: "Axes", view: "View", lines: dict[str, list[Run]], along: Scale, x: str, look: dict[str, Look]
) -> None:
    step = 1 / (len(lines) + BETWEEN_IN / BAR_IN)
    _scale(axes, view, along)
    for number, (name, line) in enumerate(lines.items()):
        offset = (number - (len(lines) - 1) / 2) * step
        for run in line:
            if run.values.get(x) is not None:
                _bar(axes, view, run, along.places[run.values[x]] + offset, step, look[name])


def _bar(axes: "Axes", view: "View", run: Run, y: float, height: float, look: Look) -> None:
    """One run: a bar (in log, where a length says nothing, a dot) and its value, or why it has none."""
    value = run.value(view.measure) if run.outcome == "done" else None
    end = view.low if value is None else value / view.unit.by
    if value is not None and view.is_log:
        axes.plot([view.low, end], [y, y], color=look.colour, linewidth=0.6)
        axes.plot(end, y, look.marker, color=look.colour)
    elif value is not None:
        axes.barh(y, end - view.low, left=view.low, height=height * 0.9, color=look.colour, linewidth=0)
    text = ENDED.get(run.outcome, "missing" if run.result is None else "n/a") if value is None else short(end)
    axes.annotate(
        text, (end, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=SMALL_PT, color=look.colour
    )


def _scale(axes: "Axes", view: "View", along: Scale) -> None:
    if view.is_log:
        axes.set_xscale("log")
        axes.set_xlim(view.low, view.high * (view.high / view.low) ** (ROOM - 1))
        log_ticks(axes.xaxis, "{:g}".format)
    else:
        axes.set_xlim(view.low, view.low + (view.high - view.low) * ROOM)
    axes.set_ylim(len(along.places) - 0.5, -0.5)
    axes.set_yticks(list(along.places.values()), along.texts)
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
