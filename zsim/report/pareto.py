"""What is saved against what it costs: every run a point, the front those that no other beats in both."""

from typing import TYPE_CHECKING, Any, NamedTuple

from zsim.errors import UsageError
from zsim.measures import Measure, measure
from zsim.report.axis import View, measured, view_of
from zsim.report.data import Data, point_data
from zsim.report.labels import text_of
from zsim.report.layout import free_place, grid_of, in_panel, make_panels, panels_of
from zsim.report.runs import Run, Runs
from zsim.report.scales import scale
from zsim.report.wanted import Wanted
from zsim.style import BLUE, GREY, SMALL_PT, WIDTH_IN, Look, log_ticks, looks, names_above, text_width_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_IN = 2.9
NAMED_MAX = 12
"""Names on a front with more points would hide it."""


def data(runs: Runs, wanted: Wanted) -> Data:
    """A row a run: its axes, its outcome, both measures, and whether it is on the front of its trace."""
    both = measures_of(runs, wanted)
    plain = point_data(runs, both)
    front = {id(run) for trace in panels_of(runs, ()) for run in front_of(in_panel(runs.runs, trace), both)}
    rows = [(*row, id(run) in front) for row, run in zip(plain.rows, runs, strict=True)]
    return Data((*plain.columns, "on_front"), rows)


def measures_of(runs: Runs, wanted: Wanted) -> tuple[Measure, Measure]:
    """What is saved and what it costs: RAM that the program runs without where RAM differs, else RAM gained."""
    spared = "memory.size" in runs.varying
    saved = measure(wanted.x or ("memory_spared_pages" if spared else "memory_gained_pages"))
    cost = measure(wanted.y[0] if wanted.y else "slowdown")
    for each in (saved, cost):
        if not each.better:
            raise UsageError(f"a pareto figure cannot show {each.name}: neither more nor less of it is better")
    return saved, cost


def front_of(runs: list[Run], both: tuple[Measure, Measure]) -> list[Run]:
    """The runs that no other run beats in one measure and equals or beats in the other, by the first measure."""
    points = [(run, _costs(run, both)) for run in runs]
    known = [(run, costs) for run, costs in points if costs is not None]
    kept = [
        (run, own) for run, own in known
        if not any(all(a <= b for a, b in zip(other, own, strict=True)) and other != own for _, other in known)
    ]  # fmt: skip
    return [run for run, _ in sorted(kept, key=lambda pair: pair[1])]


def _costs(run: Run, both: tuple[Measure, Measure]) -> tuple[float, ...] | None:
    """Both measures, the less the better; None where one does not apply."""
    values = [measured(run, what) for what in both]
    if None in values:
        return None
    return tuple(v if what.better == "lower" else -v for v, what in zip(values, both, strict=True) if v is not None)


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """A panel a trace; points on the front are joined and named."""
    both = measures_of(runs, wanted)
    traces = panels_of(runs, ())
    rows, columns = grid_of([traces[i : i + 2] for i in range(0, len(traces), 2)])
    drawing, panels = make_panels(len(rows), columns, PANEL_IN, WIDTH_IN if columns > 1 else WIDTH_IN * 0.7)
    colours = _colours(runs, wanted)
    saved, cost = (view_of(what, runs.runs) for what in both)
    fronts = []
    for row, axes_row in zip(rows, panels, strict=True):
        axes_row[0].set_ylabel(cost.label)
        for axes in axes_row[len(row) :]:
            axes.set_visible(False)
        for trace, axes in zip(row, axes_row, strict=False):
            axes.set_title("" if trace is None else str(trace))
            axes.set_xlabel(saved.label)
            fronts.append(Front(axes, in_panel(runs.runs, trace), (saved, cost), trace))
            _points(fronts[-1], colours)
    if len(set(colours.values())) > 1:
        names_above(drawing, _legend(runs, wanted), marked=True)
    drawing.draw_without_rendering()  # gives every panel its size
    for front in fronts:
        _name(front, colours)
    return drawing


class Front(NamedTuple):
    """One panel: its runs that have both measures, and how these are shown."""

    axes: "Axes"
    runs: list[Run]
    views: tuple[View, View]
    trace: Any

    @property
    def both(self) -> tuple[Measure, Measure]:
        """What is saved, what it costs."""
        return self.views[0].measure, self.views[1].measure

    def places(self) -> dict[str, tuple[float, float]]:
        """Label -> point, of every run that has one."""
        known = [run for run in self.runs if _costs(run, self.both) is not None]
        x, y = ([(run.value(view.measure) or 0) / view.unit.by for run in known] for view in self.views)
        return dict(zip((run.label for run in known), zip(x, y, strict=True), strict=True))


def _series(runs: Runs, wanted: Wanted) -> str:
    """The axis that colours tell: the one asked for, else the first of names."""
    if wanted.series:
        return runs.axis(wanted.series[0])
    names = [axis for axis, values in runs.varying.items() if axis != "trace" and not scale(axis, values).is_number]
    return names[0] if names else ""


def _legend(runs: Runs, wanted: Wanted) -> list[tuple[str, Look]]:
    values = [text_of(value) for value in runs.axes.get(_series(runs, wanted), [])]
    return [(name, look._replace(dashes="", marker="o")) for name, look in zip(values, looks(values), strict=True)]


def _colours(runs: Runs, wanted: Wanted) -> dict[str, str]:
    """Label -> colour."""
    axis = _series(runs, wanted)
    known = {name: look.colour for name, look in (_legend(runs, wanted) if axis else [])}
    return {run.label: known.get(text_of(run.values.get(axis)), BLUE) for run in runs}


def _points(front: Front, colours: dict[str, str]) -> None:
    """Those on the front full and joined, those that are beaten hollow."""
    axes, places = front.axes, front.places()
    if front.views[1].is_log:
        axes.set_yscale("log")
    best = [run.label for run in front_of(front.runs, front.both)]
    axes.plot([places[label][0] for label in best], [places[label][1] for label in best], color=GREY, linewidth=0.7)
    for label, place in places.items():
        axes.plot(*place, "o", color=colours[label], markerfacecolor=colours[label] if label in best else "none",
                  markersize=5 if label in best else 4, markeredgewidth=0.8)  # fmt: skip
    axes.margins(0.1, 0.12)
    axes.grid(True, axis="both")
    if front.views[1].is_log:
        log_ticks(axes.yaxis, "{:g}".format)


def _name(front: Front, colours: dict[str, str]) -> None:
    """The name of each run on the front beside its point, clear of all points and of other names."""
    axes = front.axes
    to_inches = axes.figure.dpi_scale_trans.inverted()
    box = axes.get_window_extent().transformed(to_inches)
    inside = (72 * box.x0, 72 * box.y0, 72 * box.x1, 72 * box.y1)
    where = {label: _at(72 * (axes.transData + to_inches).transform(place)) for label, place in front.places().items()}
    taken = [(x - 3, y - 3, x + 3, y + 3) for x, y in where.values()]
    for run in front_of(front.runs, front.both)[:NAMED_MAX]:
        text = run.label.removeprefix(f"{front.trace}, ")
        size = (text_width_in(text, SMALL_PT) * 72 + 1, SMALL_PT * 1.15)
        taken.append(free_place(where[run.label], size, taken, inside))
        axes.annotate(
            text, where[run.label], taken[-1][:2], xycoords="figure points", textcoords="figure points",
            fontsize=SMALL_PT, color=colours[run.label], annotation_clip=False,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": 3},
        ).set_in_layout(False)  # fmt: skip


def _at(place: Any) -> tuple[float, float]:
    return float(place[0]), float(place[1])


def what_is_saved(runs: Runs, wanted: Wanted) -> str:
    """The first measure in words, for captions."""
    return measures_of(runs, wanted)[0].meaning
