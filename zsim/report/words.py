"""Sentences of a page: what a figure shows, and what a study found, from its numbers alone."""

from html import escape

from zsim.measures import Measure
from zsim.report import axis, heatmap, pareto
from zsim.report.labels import text_of, value_text
from zsim.report.runs import Runs
from zsim.report.scales import unit_for
from zsim.report.studytable import StudyTable, digits
from zsim.report.wanted import Wanted

KINDS = {
    "cdf": "Distribution of latencies (left) and its tail (right)",
    "latency": "Distribution of latencies (left) and its tail (right)",
    "evictions": "Objects evicted per pool frame freed (left) and how long it took to free a frame (right)",
    "time": "Memory, pool, faults and device traffic over simulated time",
    "compare": "Ratios to the first result",
}


TOLD = 3
"""Metrics whose mean ratios the summary tells; the table has the others."""

MEANS_TOLD = 8
"""Values whose means it tells."""


def shows(runs: Runs, wanted: Wanted) -> str:
    """What a figure shows, in words."""
    if wanted.kind == "axis":
        measures = ", ".join(what.label for what in axis.measures_of(runs, wanted))
        return f"{measures} against {axis.x_of(runs, wanted)}"
    if wanted.kind == "heatmap":
        x, y = heatmap.names_of(runs, wanted)
        return f"{', '.join(what.label for what in heatmap.measures_of(runs, wanted))} over {x} and {y}"
    if wanted.kind == "pareto":
        saved, cost = pareto.measures_of(runs, wanted)
        return f"{saved.label} against {cost.label}; full points: runs that no other beats in both ({saved.meaning})"
    return KINDS.get(wanted.kind, wanted.kind)


def alt_text(runs: Runs, wanted: Wanted) -> str:
    """What a reader who cannot see a figure should know; its numbers are in the table of runs."""
    over = ", ".join(f"{name} {', '.join(map(text_of, values))}" for name, values in runs.varying.items())
    return f"{wanted.title or 'Figure'}: {shows(runs, wanted)}" + (f", for {over}" if over else "")


def caption_of(runs: Runs, wanted: Wanted) -> str:
    """A figure's caption as HTML: the author's words, else what it shows; and which runs."""
    own = (wanted.caption or shows(runs, wanted)).rstrip(".")
    title = f"<strong>{escape(wanted.title)}</strong> " if wanted.title else ""
    held = ", ".join(value_text(name, _said(value)) for name, value in wanted.where.items())
    return f"{title}{escape(own[:1].upper() + own[1:])}{escape(f' ({held})') if held else ''}."


def _said(value: object) -> str:
    return " or ".join(map(text_of, value)) if isinstance(value, list | tuple) else text_of(value)


def findings(table: StudyTable) -> list[str]:
    """The reach of the first metric and, where there is a baseline, the mean ratios to it."""
    found = [_reach(table, table.measures[0])] if table.measures else []
    for mean in table.means[:MEANS_TOLD]:
        name = ", ".join(value_text(name, value) for name, value in mean.values.items())
        pairs = [(what, times) for what, times in zip(table.measures, mean.ratios, strict=True) if times is not None]
        if pairs:
            said = ", ".join(f"{what.label} {times:.3g}x" for what, times in pairs[:TOLD])
            found.append(f"{name} to {_base(table)}: {said} (geometric means of {mean.runs} runs)")
    return [line for line in found if line]


def _base(table: StudyTable) -> str:
    return ", ".join(value_text(name, value) for name, value in table.baseline.items())


def _reach(table: StudyTable, what: Measure) -> str:
    """From the best run to the worst."""
    known = [(value, run) for run in table.runs if run.outcome == "done" and (value := run.value(what)) is not None]
    if len(known) < 2:
        return ""
    known.sort(key=lambda pair: pair[0], reverse=what.better == "higher")
    unit = unit_for(what.unit, [value for value, _ in known])
    space = "" if unit.name == "x" else " "
    least, most = (f"{digits(v / unit.by)}{space}{unit.name} ({run.label})" for v, run in (known[0], known[-1]))
    return f"{what.label}: {least} to {most}"
