"""A study as a table: a row a run, its place on the axes, and each metric with its ratio to the baseline's."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any, NamedTuple

from zsim.measures import Measure, measure
from zsim.metrics import METRICS
from zsim.report.comparison import MARKS, NA, ratio, verdict
from zsim.report.labels import text_of, value_text
from zsim.report.runs import Run, Runs
from zsim.report.scales import Unit, unit_for
from zsim.results import Number, as_text

USUAL = ("slowdown", "pgmajfault", "pswpin", "pswpout", "written_back_pages", "pool_pages_peak")
"""Columns of a study that names none, those of them in which something happened."""

WORDS = {"done": "done", "oom": "out of memory", "failed": "failed", "missing": "missing"}


class Cell(NamedTuple):
    """A metric of a run, its ratio to the baseline's, and "better", "worse" or ""."""

    value: Number
    ratio: float | None
    verdict: str


class Mean(NamedTuple):
    """The geometric mean of each metric's ratios over all runs that share these values, and of how many runs."""

    values: dict[str, Any]
    ratios: list[float | None]
    runs: int


@dataclass(frozen=True)
class StudyTable:
    """The runs of a study side by side.

    baseline  axis values of the runs that others are compared with, each with the one that is equal on all other axes
    rows      each run with a cell per metric
    """

    runs: Runs
    measures: list[Measure]
    baseline: dict[str, Any]
    rows: list[tuple[Run, list[Cell]]]

    @property
    def axes(self) -> list[str]:
        """The axes that have a column: those along which the runs differ."""
        return list(self.runs.varying)

    @property
    def units(self) -> list[Unit]:
        """What each metric is shown in, one unit a column."""
        columns = zip(*([cell.value for cell in cells] for _, cells in self.rows), strict=True)
        return [unit_for(what.unit, column) for what, column in zip(self.measures, columns, strict=True)]

    @property
    def headings(self) -> list[str]:
        """What stands above the columns."""
        metrics = [unit.label(what.label) for what, unit in zip(self.measures, self.units, strict=True)]
        return [*self.axes, *(["outcome"] if self.has_ends else []), *metrics]

    @property
    def has_ends(self) -> bool:
        """Whether some run did not come to its end, so that outcomes need a column."""
        return any(run.outcome != "done" for run in self.runs)

    @property
    def lines(self) -> list[list[str]]:
        """The cells of each run in words, under the headings."""
        units = self.units
        return [
            [*self._place(run), *(cell_text(cell, unit) for cell, unit in zip(cells, units, strict=True))]
            for run, cells in self.rows
        ]

    def _place(self, run: Run) -> list[str]:
        texts = ["" if run.values.get(axis) is None else text_of(run.values[axis]) for axis in self.axes]
        return [*texts, *([WORDS[run.outcome]] if self.has_ends else [])]

    @property
    def summary(self) -> str:
        """How many runs there are, and how they ended."""
        counts = Counter(run.outcome for run in self.runs)
        ends = ", ".join(f"{counts[outcome]} {word}" for outcome, word in WORDS.items() if counts[outcome])
        return f"{len(self.runs.runs)} runs: {ends}"

    @property
    def said_baseline(self) -> str:
        """What ratios are to, in words."""
        if not self.baseline:
            return ""
        of = ", ".join(value_text(axis, value) for axis, value in self.baseline.items())
        others = [axis for axis in self.axes if axis not in self.baseline]
        return f"ratios: to {of}" + (f" with the same {', '.join(others)}" if others else "")

    @property
    def failures(self) -> list[tuple[str, str]]:
        """(label, error) of each run that failed."""
        return [(run.label, run.error) for run in self.runs if run.outcome == "failed"]

    @property
    def means(self) -> list[Mean]:
        """The geometric mean of the ratios, by the values of the baseline's axes, of two runs or more."""
        grouped: dict[tuple[Any, ...], list[list[Cell]]] = {}
        for run, cells in self.rows:
            if any(cell.ratio is not None for cell in cells):
                grouped.setdefault(tuple(run.values.get(axis) for axis in self.baseline), []).append(cells)
        base = tuple(self.baseline.values())
        return [
            Mean(dict(zip(self.baseline, values, strict=True)), list(map(_mean, zip(*rows, strict=True))), len(rows))
            for values, rows in grouped.items()
            if values != base and len(rows) > 1
        ]

    def to_text(self) -> str:
        """Aligned columns for a terminal."""
        numbers = len(self.measures)
        widths = [max(map(len, column)) for column in zip(self.headings, *self.lines, strict=True)]
        text = [f"{self.runs.title} ({self.summary})"]
        for line in (self.headings, *self.lines):
            names = [cell.ljust(width) for cell, width in zip(line[:-numbers], widths, strict=False)]
            cells = [cell.rjust(width) for cell, width in zip(line[-numbers:], widths[-numbers:], strict=True)]
            text.append("  ".join([*names, *cells]).rstrip())
        return "\n".join([*text, *self._notes()]) + "\n"

    def _notes(self) -> list[str]:
        notes = [f"{self.said_baseline}; + better or - worse by the metric's direction"] if self.baseline else []
        for mean in self.means:
            name = ", ".join(value_text(axis, value) for axis, value in mean.values.items())
            pairs = zip(self.measures, mean.ratios, strict=True)
            said = ", ".join(f"{what.name} {times:.3f}x" for what, times in pairs if times is not None)
            notes.append(f"geometric mean of {name}, {mean.runs} runs: {said or NA}")
        return [*notes, *(f"failed: {label}: {error}" for label, error in self.failures)]

    def to_markdown(self) -> str:
        """A table of Markdown, with its notes below."""
        places = len(self.headings) - len(self.measures)
        rule = [*["---"] * places, *["---:"] * len(self.measures)]
        lines = [self.headings, rule, *self.lines]
        table = "".join(f"| {' | '.join(_escaped(cell.strip()) for cell in line)} |\n" for line in lines)
        notes = "".join(f"\n{_escaped(note)}\n" for note in self._notes())
        return f"**{_escaped(self.runs.title)}** ({self.summary})\n\n{table}{notes}"

    def to_csv(self, study: bool = False) -> str:
        """Plain numbers in the metrics' own units, one row a run; empty where it does not apply."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = [what.name for what in self.measures]
        ahead = ["study"] if study else []
        writer.writerow([*ahead, *self.runs.axes, "outcome", "error", *names, *(f"ratio: {name}" for name in names)])
        for run, cells in self.rows:
            place = [*([self.runs.name] if study else []), *(run.values.get(axis) for axis in self.runs.axes)]
            values, ratios = [cell.value for cell in cells], [cell.ratio for cell in cells]
            writer.writerow([*place, run.outcome, run.error, *values, *ratios])
        return text.getvalue()

    def to_json(self) -> dict[str, Any]:
        """`runs` in order, each with its values, outcome, error and metrics (value, ratio, verdict)."""
        names = [what.name for what in self.measures]
        runs = [
            {
                "values": run.values, "outcome": run.outcome, "error": run.error or None,
                "metrics": {name: cell._asdict() for name, cell in zip(names, cells, strict=True)},
            }
            for run, cells in self.rows
        ]  # fmt: skip
        means = [
            {"values": mean.values, "runs": mean.runs, "ratios": dict(zip(names, mean.ratios, strict=True))}
            for mean in self.means
        ]
        metrics = [{"name": m.name, "unit": m.unit, "better": m.better} for m in self.measures]
        return {
            "name": self.runs.name, "title": self.runs.title, "baseline": self.baseline, "axes": self.runs.axes,
            "metrics": metrics, "runs": runs, "geometric_means": means,
        }  # fmt: skip


def study_table(
    runs: Runs, names: Sequence[str] = (), baseline: Mapping[str, Any] | None = None, everything: bool = False
) -> StudyTable:
    """The table of a study: the metrics it names (or `names`, or all), against its baseline (or the one given).

    Without a baseline, runs are compared with those at the first value of the first axis that is not the trace.
    """
    chosen = _chosen_baseline(runs, baseline)
    measures = [measure(name) for name in names or (list(METRICS) if everything else runs.metrics or _usual(runs))]
    bases = [run for run in runs if chosen and all(run.values.get(axis) == value for axis, value in chosen.items())]
    rows = [(run, [_cell(what, run, _base_of(run, bases, chosen)) for what in measures]) for run in runs]
    return StudyTable(runs, measures, chosen, rows)


def _base_of(run: Run, bases: Sequence[Run], baseline: Mapping[str, Any]) -> Run | None:
    """The baseline's run that is equal on all other axes; else the only one with the same trace; none for itself."""
    if run in bases:
        return None
    wanted = {**run.values, **baseline}
    equal = [base for base in bases if base.values == wanted]
    same_trace = [base for base in bases if base.values.get("trace") == run.values.get("trace")]
    return equal[0] if equal else same_trace[0] if len(same_trace) == 1 else None


def _chosen_baseline(runs: Runs, given: Mapping[str, Any] | None) -> dict[str, Any]:
    if given:
        found = runs.where(given).runs[0]
        return {runs.axis(axis): found.values[runs.axis(axis)] for axis in given}
    if runs.baseline:
        return dict(runs.baseline)
    axes = [axis for axis in runs.varying if axis != "trace"]
    return {axes[0]: runs.axes[axes[0]][0]} if axes else {}


def _usual(runs: Runs) -> list[str]:
    return [name for name in USUAL if any(run.value(measure(name)) for run in runs)] or list(USUAL[:1])


def _cell(what: Measure, run: Run, base: Run | None) -> Cell:
    """Only runs that came to their end are compared."""
    value = run.value(what)
    if base is None or run.outcome != "done" or base.outcome != "done":
        return Cell(value, None, "")
    of = base.value(what)
    return Cell(value, ratio(value, of), verdict(value, of, what.better))


def cell_text(cell: Cell, unit: Unit) -> str:
    """A cell for people: value, ratio, mark; room for both where there is none, so that columns align."""
    value = NA if cell.value is None else digits(cell.value / unit.by)
    return f"{value} {'' if cell.ratio is None else f'{cell.ratio:.3f}x':>8} {MARKS[cell.verdict]}"


def digits(value: float) -> str:
    """A number for a table: whole, or with four digits that count."""
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.4g}"


def _mean(column: Sequence[Cell]) -> float | None:
    """The geometric mean of those ratios that there are and that are not 0."""
    logs = [log(cell.ratio) for cell in column if cell.ratio]
    return round(exp(sum(logs) / len(logs)), 6) if logs else None


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def render(tables: Sequence[StudyTable], form: str) -> str:
    """One or several studies as "text", "csv", "json" or "markdown"."""
    if form == "json":
        return as_text({"schema": 1, "studies": [table.to_json() for table in tables]})
    if form == "csv":
        return "\n".join(table.to_csv(study=len(tables) > 1) for table in tables)
    return "\n".join(table.to_markdown() if form == "markdown" else table.to_text() for table in tables)
