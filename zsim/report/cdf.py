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

PANEL_IN = 2.3
NAMES = {
    "fault": "a fault", "minor": "a minor fault", "major_store": "a major fault from the store",
    "major_device": "a major fault from the device", "store": "a store", "writeback": "a writeback",
    "direct_reclaim": "a direct reclaim", "free_page": "freeing a pool frame",
}  # fmt: skip


def data(runs: Runs, wanted: Wanted) -> Data:
    """Rows (latency, curve, latency_ns, share_at_most): by kind of fault of one run, by run of several."""
    rows = [(kind, name, *point) for (kind, name), points in _curves(runs, wanted).items() for point in points]
    return Data(("latency", "curve", "latency_ns", "share_at_most"), rows)


def _curves(runs: Runs, wanted: Wanted) -> dict[tuple[str, str], Points]:
    """(latency, name) -> a curve, of what happened at all."""
    kinds = [kind_of(name) for name in wanted.y or (FAULT,)]
    if len(runs.results) == 1 and not wanted.y:
        run = next(run for run in runs if run.result is not None)
        found = {(FAULT, label): curve(run, kind) for kind, label in FAULTS.items()}
    else:
        named = {name: run for name, run in named_runs(runs, wanted).items() if run.result is not None}
        found = {(kind, name): curve(run, kind) for kind in kinds for name, run in named.items()}
    found = {key: points for key, points in found.items() if points}
    if not found:
        raise UsageError(f"{runs.name}: nothing to draw: no {' and no '.join(kinds)} in any of these runs")
    return found


def draw(shown: Data, runs: Runs, wanted: Wanted) -> "Figure":
    """A row a latency; left: share of at most so long, right: share of longer than that, in log."""
    found: dict[str, dict[str, Points]] = {}
    for kind, name, latency_ns, share in shown.rows:
        found.setdefault(kind, {}).setdefault(name, []).append((latency_ns, share))
    names = list(dict.fromkeys(shown.column("curve")))
    look = dict(zip(names, looks(names), strict=True))
    drawing, rows = make_panels(len(found), 2, PANEL_IN, WIDTH_IN)
    for (whole, tail), (kind, curves) in zip(rows, found.items(), strict=True):
        for number, (name, points) in enumerate(curves.items()):
            draw_whole(whole, points, look[name], number)
            draw_tail(tail, points, look[name], number)
        in_time((whole, tail))
        whole.set_ylim(0, 1.02)
        whole.set_ylabel("share of at most so long")
        tail.set_yscale("log")
        tail.set_ylabel("share of longer")
        for axes in (whole, tail):
            axes.set_xlabel(f"latency of {NAMES.get(kind, kind)}")
    names_above(drawing, list(look.items()))
    return drawing
