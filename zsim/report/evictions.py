"""What it takes to get one frame of the pool back: objects evicted for each, and the tail of the time it took."""

from typing import TYPE_CHECKING, Any

from zsim.errors import UsageError
from zsim.measures import measure
from zsim.report.curves import curve, draw_tail, in_time
from zsim.report.data import Data
from zsim.report.layout import make_panels, named_runs
from zsim.report.runs import Run, Runs
from zsim.report.wanted import Wanted
from zsim.style import SMALL_PT, WIDTH_IN, Look, looks, names_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LATENCY = "free_page"
COUNTED = ("evictions_per_freed_page", "evictions", "freed_pool_pages")
PER_PAGE, _, FREED = (measure(name) for name in COUNTED)
ROW_IN = 0.2


def data(runs: Runs, wanted: Wanted) -> Data:
    """Rows (trace, run, quantity, latency_ns, value): three counts a run, and the share that took longer."""
    rows: list[tuple[Any, ...]] = []
    for trace, named in named_runs(runs, wanted).items():
        for name, run in named.items():
            rows += [(trace, name, quantity, None, run.value(measure(quantity))) for quantity in COUNTED]
            rows += [(trace, name, "share_of_longer", ns, round(1 - share, 9)) for ns, share in curve(run, LATENCY)]
    return Data(("trace", "run", "quantity", "latency_ns", "value"), rows)


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """A row a trace: left a bar a run, right the tails."""
    panels = named_runs(runs, wanted)
    most = max((run.value(PER_PAGE) or 0 for named in panels.values() for run in named.values()), default=0)
    if not most:
        raise UsageError(f"{runs.name}: nothing to draw: no frame of a pool was wanted back in any of these runs")
    names = list(dict.fromkeys(name for named in panels.values() for name in named))
    look = dict(zip(names, looks(names), strict=True))
    drawing, rows = make_panels(len(panels), 2, max(1.5, 0.5 + ROW_IN * len(names)), WIDTH_IN)
    for (left, right), (trace, named) in zip(rows, panels.items(), strict=True):
        left.set_title(str(trace or ""))
        _bars(left, named, look)
        left.set_xlim(0, 1.8 * most)
        for number, (name, run) in enumerate(named.items()):
            if points := curve(run, LATENCY):
                draw_tail(right, points, look[name], number)
        right.set_yscale("log")
        right.set_ylabel("share of longer")
    in_time([right for _, right in rows])
    if len({each.colour for each in look.values()}) < len(look):
        names_above(drawing, list(look.items()))  # the bars tell colours apart, not dashes
    rows[-1][0].set_xlabel("objects evicted per frame freed")
    rows[-1][1].set_xlabel("time until a frame of the pool is free")
    return drawing


def _bars(axes: "Axes", named: dict[str, Run], look: dict[str, Look]) -> None:
    """Evictions per frame, with the number of frames that this is the mean of."""
    names = list(look)
    for place, (name, run) in ((names.index(pair[0]), pair) for pair in named.items()):
        value, freed = run.value(PER_PAGE), run.value(FREED)
        axes.barh(place, value or 0, height=0.6, color=look[name].colour, linewidth=0)
        text = "none freed" if value is None else f"{value:.3g}  ({freed:,} frames)"
        axes.annotate(text, (value or 0, place), xytext=(3, 0), textcoords="offset points", va="center",
                      fontsize=SMALL_PT, color=look[name].colour)  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    for label, each in zip(axes.get_yticklabels(), look.values(), strict=True):
        label.set_color(each.colour)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
