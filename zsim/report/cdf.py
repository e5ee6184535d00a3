"""How long faults (or stores, writebacks ...) took: the distribution and, in log, its tail."""

from typing import TYPE_CHECKING

from zsim.errors import UsageError
from zsim.report.curves import FAULT, FAULTS, Points, curve, draw_tail, draw_whole, in_time, kind_of
from zsim.report.data import Data
from zsim.report.layout import make_panels, named_runs
from zsim.report.runs import Runs
from zsim.report.wanted import Wanted
from zsim.style import WIDTH_IN, looks, names_above

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL_IN = 2.1
NAMES = {
    "fault": "a fault", "minor": "a minor fault", "major_store": "a major fault from the store",
    "major_device": "a major fault from the device", "store": "a store", "writeback": "a writeback",
    "direct_reclaim": "a direct reclaim", "free_page": "freeing a pool frame",
}  # fmt: skip

Row = tuple[str, str]
"""(latency, trace or "") of a row of panels."""


def data(runs: Runs, wanted: Wanted) -> Data:
    """Rows (latency, trace, curve, latency_ns, share_at_most): by kind of fault of one run, by run of several."""
    found = _curves(runs, wanted)
    rows = [
        (*row, name, *point) for row, curves in found.items() for name, points in curves.items() for point in points
    ]
    return Data(("latency", "trace", "curve", "latency_ns", "share_at_most"), rows)


def _curves(runs: Runs, wanted: Wanted) -> dict[Row, dict[str, Points]]:
    """Row of panels -> name -> a curve, of what happened at all."""
    kinds = [kind_of(name) for name in wanted.y or (FAULT,)]
    panels = named_runs(runs, wanted)
    if len(runs.results) == 1 and not wanted.y:
        run = next(run for named in panels.values() for run in named.values())
        curves = {(FAULT, ""): {label: curve(run, kind) for kind, label in FAULTS.items()}}
    else:
        curves = {
            (kind, str(trace or "")): {name: curve(run, kind) for name, run in named.items()}
            for kind in kinds for trace, named in panels.items()
        }  # fmt: skip
    found = {row: {name: points for name, points in by_name.items() if points} for row, by_name in curves.items()}
    if not any(found.values()):
        raise UsageError(f"{runs.name}: nothing to draw: no {' and no '.join(kinds)} in any of these runs")
    return {row: by_name for row, by_name in found.items() if by_name}


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """A row a latency and trace; left: share of at most so long, right: share of longer than that, in log."""
    found = _curves(runs, wanted)
    names = list(dict.fromkeys(shown.column("curve")))
    look = dict(zip(names, looks(names), strict=True))
    drawing, panels = make_panels(len(found), 2, PANEL_IN, WIDTH_IN)
    for (whole, tail), ((kind, trace), curves) in zip(panels, found.items(), strict=True):
        for number, (name, points) in enumerate(curves.items()):
            draw_whole(whole, points, look[name], number)
            draw_tail(tail, points, look[name], number)
        in_time((whole, tail))
        whole.set_title(trace)
        whole.set_ylim(0, 1.02)
        whole.set_ylabel("share of at most so long")
        tail.set_yscale("log")
        tail.set_ylabel("share of longer")
        for axes in (whole, tail):
            axes.set_xlabel(f"latency of {NAMES.get(kind, kind)}")
    names_above(drawing, list(look.items()))
    return drawing
