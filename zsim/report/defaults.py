"""Which figures suit runs whose author asked for none."""

from zsim.measures import measure
from zsim.report.runs import Runs
from zsim.report.wanted import Wanted

PARETO_LEAST = 4
"""Fewer runs than this make no front worth a figure."""


def default_kind(runs: Runs) -> str:
    """One result: over time; several that somebody gave: compared; a study: along its axes."""
    if len(runs.runs) == 1:
        return "time"
    return "axis" if runs.is_study else "compare"


def wanted_figures(runs: Runs) -> list[Wanted]:
    """A study's own figures; else its metrics along an axis, and what is saved against what it costs."""
    if runs.figures:
        return [Wanted.of(table).with_kind(default_kind(runs)) for table in runs.figures]
    first = Wanted(default_kind(runs))
    return [first, Wanted("pareto")] if runs.is_study and _has_a_front(runs) else [first]


def _has_a_front(runs: Runs) -> bool:
    saved = measure("memory_spared_pages" if "memory.size" in runs.varying else "memory_gained_pages")
    values = {run.value(saved) for run in runs if run.outcome == "done"} - {None, 0}
    return len(runs.results) >= PARETO_LEAST and len(values) > 1
