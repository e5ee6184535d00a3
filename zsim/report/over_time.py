"""One run over time: who holds the memory, what the pool packs, how often pages fault, what the devices move."""

from typing import TYPE_CHECKING, Any

from zsim.report import runs_over_time
from zsim.report.data import Data
from zsim.report.runs import Runs
from zsim.report.samples import sampled
from zsim.report.scales import MIB
from zsim.report.wanted import Wanted
from zsim.results import Result
from zsim.style import BLUE, GREEN, GREY, LIGHT, ORANGE, RED, SKY, WIDTH_IN, end_labels, time_scale
from zsim.units import PAGE_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOO_THIN = 0.01
"""A band that never takes more of the panel cannot be seen, and has no name beside it."""

MARGINS = {"left": 0.085, "right": 0.855, "top": 0.955, "bottom": 0.075, "hspace": 0.16}
HELD = {
    "resident_pages": ("mapped", BLUE),
    "swapcache_pages": ("swap cache", SKY),
    "pool_pages": ("pool", ORANGE),
    "free_pages": ("free", LIGHT),
}
PACKED = {"stored_pages": ("stored pages", GREEN), "pool_pages": ("pool frames", ORANGE)}
FAULTS = {
    "minor_faults": ("minor", GREY),
    "major_store": ("major, store", GREEN),
    "major_device": ("major, device", RED),
}
TRAFFIC = {
    "pswpin": ("swap in", RED),
    "pswpout": ("swap out", BLUE),
    "filein": ("file in", ORANGE),
    "fileout": ("file out", SKY),
}
GAUGES = dict.fromkeys([*HELD, *PACKED])
RATES = [*FAULTS, *TRAFFIC]


def data(runs: Runs, wanted: Wanted) -> Data:
    """Rows of: time_ns, pages held by each, and per second since the row before: faults and pages moved."""
    if not _shows_one(runs, wanted):
        return runs_over_time.data(runs, wanted)
    columns = ("time_ns", *GAUGES, *(f"{name}_per_s" for name in RATES))
    return Data(columns, sampled(_only(runs).series, [*GAUGES, *RATES]))


def _only(runs: Runs) -> Result:
    return next(run.load() for run in runs if run.result is not None)


def _shows_one(runs: Runs, wanted: Wanted) -> bool:
    return len(runs.results) == 1 and not wanted.y


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """Panels under one another over the same time."""
    if not _shows_one(runs, wanted):
        return runs_over_time.draw(shown, runs, wanted)
    result = runs.results[0]
    has_store = result.config["store"] != "none"
    heights = [1.7, 1.1, 1.1, 1.1] if has_store else [1.7, 1.1, 1.1]
    drawing, panels = _panels(heights)
    longest_ns = shown.column("time_ns")[-1] or 1
    scale, unit = time_scale(longest_ns)
    times = [time_ns / scale for time_ns in shown.column("time_ns")]
    _memory(panels[0], times, shown)
    if has_store:
        _lines(panels[1], times, shown, PACKED, "pages")
    panels[-2].set_yscale("symlog", linthresh=1)  # first touches come a hundred times as fast as what follows
    _lines(panels[-2], times, shown, FAULTS, "faults [1000/s]", 1e-3)
    _lines(panels[-1], times, shown, TRAFFIC, "device I/O [MiB/s]", PAGE_SIZE / MIB)
    panels[-2].yaxis.set_major_formatter("{x:g}")
    panels[-1].set_xlabel(f"simulated time [{unit}]")
    panels[-1].set_xlim(0, longest_ns / scale)
    panels[0].set_title(_title(result))
    drawing.align_ylabels(panels)
    return drawing


def _panels(heights: list[float]) -> "tuple[Figure, Any]":
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(WIDTH_IN, 1.25 * sum(heights) + 0.5))
    grid = {"height_ratios": heights, **MARGINS}
    return drawing, drawing.subplots(len(heights), sharex=True, gridspec_kw=grid)


def _memory(axes: "Axes", times: list[float], shown: Data) -> None:
    """Bands on top of one another: their sum is the RAM (or what a cgroup holds)."""
    held = [[pages * PAGE_SIZE / MIB for pages in shown.column(name)] for name in HELD]
    names = list(HELD.values())
    used = [i for i, pages in enumerate(held) if any(pages)]
    axes.stackplot(times, *(held[i] for i in used), colors=[names[i][1] for i in used], linewidth=0)
    axes.set_ylabel("memory [MiB]")
    most = max((sum(now) for now in zip(*held, strict=True)), default=1) or 1
    axes.set_ylim(0, most)
    labels, below = [], 0.0
    for i in used:
        label, colour = names[i]
        if max(held[i]) > TOO_THIN * most:
            labels.append((below + held[i][-1] / 2, label, GREY if colour == LIGHT else colour))
        below += held[i][-1]
    end_labels(axes, labels)


def _lines(
    axes: "Axes", times: list[float], shown: Data, names: dict[str, tuple[str, str]], unit: str, of_rate: float = 0
) -> None:
    """One line a column, named at its end; columns with nothing in them are left out. `of_rate`: `unit` per rate."""
    labels = []
    for name, (label, colour) in names.items():
        values = [value * of_rate for value in shown.column(f"{name}_per_s")] if of_rate else shown.column(name)
        if any(values):
            axes.plot(times, values, color=colour, drawstyle="steps-pre" if of_rate else "default", linewidth=0.9)
            labels.append((values[-1], label, colour))
    axes.set_ylim(bottom=0)
    axes.set_ylabel(unit)
    end_labels(axes, labels)


def _title(result: Result) -> str:
    config, slowdown = result.config, result.metrics["slowdown"]
    parts = ["store"] if config["store"] == "none" else ["store", "allocator", "compressor"]
    end = f"slowdown {slowdown:.3g}" if slowdown is not None else "out of memory"
    memory, swap = config["memory"]["size"], config["swap"]["device"]
    return f"{result.trace['name']}, memory {memory}: {', '.join(config[p] for p in parts)}, swap {swap}; {end}"
