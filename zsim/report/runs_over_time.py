"""Several runs over time: pool and memory, faults and device traffic, a line a run."""

from typing import TYPE_CHECKING

from zsim.errors import UsageError
from zsim.registry import suggestion
from zsim.report.data import Data
from zsim.report.layout import can_stand_at_ends, make_panels, named_runs
from zsim.report.runs import Runs
from zsim.report.samples import SUMS, sampled
from zsim.report.scales import MIB
from zsim.report.wanted import Wanted
from zsim.sampler import COLUMNS, GAUGES
from zsim.style import WIDTH_IN, end_labels, looks, names_above, time_scale
from zsim.units import PAGE_SIZE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL_IN = 1.35
DEFAULT = ("resident_pages", "pool_pages", "major_faults", "device_pages")
WORDS = {
    "resident_pages": "mapped", "pool_pages": "pool", "stored_pages": "stored", "swapcache_pages": "swap cache",
    "free_pages": "free", "major_faults": "major faults", "device_pages": "device I/O",
}  # fmt: skip


def data(runs: Runs, wanted: Wanted) -> Data:
    """Rows (run, time_ns, each quantity): pages held, and of what is counted the number per second."""
    names = _columns(wanted)
    rows = [
        (label if trace is None else f"{trace}, {label}", *row)
        for trace, named in named_runs(runs, wanted).items()
        for label, run in named.items()
        for row in sampled(run.load().series, names)
    ]  # fmt: skip
    return Data(("run", "time_ns", *(name if name in GAUGES else f"{name}_per_s" for name in names)), rows)


def _columns(wanted: Wanted) -> tuple[str, ...]:
    known = [*SUMS, *COLUMNS[1:]]
    for name in wanted.y:
        if name not in known:
            raise UsageError(f"no series {name!r} over time{suggestion(name, known)}")
    return wanted.y or DEFAULT


def _unit(name: str) -> tuple[float, str]:
    """What a quantity is multiplied by, and its axis's label."""
    word = WORDS.get(name, name)
    if name == "device_pages":
        return PAGE_SIZE / MIB, f"{word} [MiB/s]"
    if name in GAUGES and name.endswith("_pages"):
        return PAGE_SIZE / MIB, f"{word} [MiB]"
    return (1 / MIB, f"{word} [MiB]") if name in GAUGES else (1e-3, f"{word} [1000/s]")


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """Panels under one another over the same time."""
    names = list(dict.fromkeys(shown.column("run")))
    look = dict(zip(names, looks(names), strict=True))
    quantities = _columns(wanted)
    drawing, rows = make_panels(len(quantities), 1, PANEL_IN, WIDTH_IN)
    longest_ns = max(shown.column("time_ns"), default=1) or 1
    scale, unit = time_scale(longest_ns)
    ends: list[list[tuple[float, str, str]]] = []
    for number, (quantity, (axes,)) in enumerate(zip(quantities, rows, strict=True), 2):
        by, label = _unit(quantity)
        ends.append([])
        for name in names:
            line = [(row[1] / scale, row[number] * by) for row in shown.rows if row[0] == name]
            steps = "default" if quantity in GAUGES else "steps-pre"
            axes.plot(*zip(*line, strict=True), color=look[name].colour, ls=look[name].dashes, drawstyle=steps, lw=1)
            ends[-1].append((line[-1][1], name, look[name].colour))
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, longest_ns / scale)
        axes.tick_params(labelbottom=quantity == quantities[-1])
    rows[-1][0].set_xlabel(f"simulated time [{unit}]")
    if can_stand_at_ends(names):
        drawing.draw_without_rendering()
        end_labels(rows[0][0], ends[0])
    else:
        names_above(drawing, list(look.items()))
    return drawing
