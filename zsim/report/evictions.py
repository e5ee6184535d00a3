"""What it takes to get one frame of the pool back: objects evicted for each, and the tail of the time it took."""

from typing import TYPE_CHECKING

from zsim.errors import UsageError
from zsim.measures import measure
from zsim.report.curves import Points, curve, draw_tail, in_time
from zsim.report.data import Data
from zsim.report.layout import make_panels, named_runs
from zsim.report.runs import Run, Runs
from zsim.report.wanted import Wanted
from zsim.style import SMALL_PT, WIDTH_IN, Look, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LATENCY = "free_page"
COUNTED = ("evictions_per_freed_page", "evictions", "freed_pool_pages")
PER_PAGE = COUNTED[0]


def data(runs: Runs, wanted: Wanted) -> Data:
    """Rows (run, quantity, latency_ns, value): three counts a run, and of its time for a frame the share of longer."""
    rows: list[tuple[object, ...]] = []
    for name, run in named_runs(runs, wanted).items():
        rows += [(name, quantity, "", run.value(measure(quantity))) for quantity in COUNTED]
        rows += [(name, "share_of_longer", latency_ns, round(1 - share, 9)) for latency_ns, share in _curve(run)]
    return Data(("run", "quantity", "latency_ns", "value"), rows)


def _curve(run: Run) -> Points:
    return curve(run, LATENCY) if run.result is not None else []


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """Left a bar a run, right the tails."""
    named = named_runs(runs, wanted)
    if not any(run.value(measure(PER_PAGE)) for run in named.values()):
        raise UsageError(f"{runs.name}: nothing to draw: no frame of a pool was wanted back in any of these runs")
    look = dict(zip(named, looks(list(named)), strict=True))
    drawing, ((left, right),) = make_panels(1, 2, max(1.9, 0.4 + 0.2 * len(named)), WIDTH_IN)
    _bars(left, named, look)
    for number, (name, run) in enumerate(named.items()):
        if points := _curve(run):
            draw_tail(right, points, look[name], number)
    right.set_yscale("log")
    in_time([right])
    right.set_xlabel("time until a frame of the pool is free")
    right.set_ylabel("share of longer")
    return drawing


def _bars(axes: "Axes", named: dict[str, Run], look: dict[str, Look]) -> None:
    for place, (name, run) in enumerate(named.items()):
        value, freed = (run.value(measure(quantity)) for quantity in (PER_PAGE, "freed_pool_pages"))
        axes.barh(place, value or 0, height=0.6, color=look[name].colour, linewidth=0)
        text = "none" if value is None else f"{value:.3g}  ({freed:,} frames)"
        axes.annotate(text, (value or 0, place), xytext=(3, 0), textcoords="offset points", va="center",
                      fontsize=SMALL_PT, color=look[name].colour)  # fmt: skip
    axes.set_yticks(range(len(named)), list(named))
    for label, each in zip(axes.get_yticklabels(), look.values(), strict=True):
        label.set_color(each.colour)
    axes.set_ylim(len(named) - 0.5, -0.5)
    axes.set_xlim(0, 1.7 * max(run.value(measure(PER_PAGE)) or 0 for run in named.values()))
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.set_xlabel("objects evicted per frame freed")
