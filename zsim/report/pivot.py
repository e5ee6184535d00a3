"""A small table over the axes of a study, as its author asks for it in a [[table]]: rows and columns of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from zsim.measures import Measure, measure
from zsim.report.comparison import NA
from zsim.report.labels import value_text
from zsim.report.runs import Run, Runs
from zsim.report.scales import Unit, short, unit_for
from zsim.report.wanted import check_keys

ENDED = {"oom": "OOM", "failed": "failed", "missing": ""}

Key = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Pivot:
    """A table of text: `words` columns that name the rows, then numbers."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    words: int

    def to_markdown(self) -> str:
        """Its title and the table."""
        rule = ["---"] * self.words + ["---:"] * (len(self.headings) - self.words)
        lines = [self.headings, rule, *self.rows]
        return f"{self.title}:\n\n" + "".join(f"| {' | '.join(map(_escaped, line))} |\n" for line in lines)


@dataclass(frozen=True)
class Asked:
    """A [[table]] of a study: axes down and across, the measures of its cells, which runs.

    partial  show what runs that ran out of memory had counted until then, marked so
    """

    rows: Any = ()
    columns: Any = ()
    y: Any = ()
    where: Any = None
    title: str = ""
    partial: bool = False

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> "Asked":
        """A `UsageError` for a key that no table has."""
        check_keys("[[table]]", table, cls)
        return cls(**table)


def pivots(runs: Runs) -> list[Pivot]:
    """The tables that a study asks for."""
    return [pivot(runs, Asked.of(table)) for table in runs.tables]


def pivot(runs: Runs, asked: Asked) -> Pivot:
    """Rows by `rows` and by whatever varies besides, columns by measure and by `columns`; no two runs share a cell."""
    shown = runs.where(asked.where or {})
    across = [runs.axis(name) for name in _several(asked.columns)]
    down = [runs.axis(name) for name in _several(asked.rows)]
    down += [axis for axis in shown.varying if axis not in (*across, *down)]
    measures = [measure(name) for name in _several(asked.y) or runs.metrics or ["slowdown"]]
    units = {what.name: unit_for(what.unit, (run.value(what) for run in shown)) for what in measures}
    cells = {(_key(run, down), _key(run, across)): run for run in reversed(shown.runs)}
    at = {which: [key for key in _keys(shown, axes) if any(pair[i] == key for pair in cells)]
          for i, (which, axes) in enumerate((("down", down), ("across", across)))}  # fmt: skip
    heads = [_heading(what, units[what.name], key, len(measures) > 1) for what in measures for key in at["across"]]
    numbers = {
        row: [
            _cell(cells.get((row, key)), what, units[what.name], asked.partial)
            for what in measures
            for key in at["across"]
        ]
        for row in at["down"]
    }
    rows = [[*(value_text(*pair) for pair in row), *cells_of_row] for row, cells_of_row in numbers.items()]
    return Pivot(_title(asked, measures, units), [*down, *heads], rows, len(down))


def _title(asked: Asked, measures: Sequence[Measure], units: Mapping[str, Unit]) -> str:
    """The author's words, or the measures; with the unit where no heading shows it."""
    if not asked.title:
        return ", ".join(units[what.name].label(what.label) for what in measures)
    shared = units[measures[0].name] if len(measures) == 1 and asked.columns else Unit(1, "")
    return shared.label(asked.title)


def _several(given: Any) -> Sequence[str]:
    return [given] if isinstance(given, str) else list(given)


def _key(run: Run, axes: Sequence[str]) -> Key:
    return tuple((axis, run.values.get(axis)) for axis in axes)


def _keys(runs: Runs, axes: Sequence[str]) -> list[Key]:
    """All combinations, in the order of the axes; a run may have no place on one."""
    return list(product(*([(axis, value) for value in (*runs.axes[axis], None)] for axis in axes)))


def _heading(what: Measure, unit: Unit, key: Key, named: bool) -> str:
    values = ", ".join(value_text(*pair) for pair in key)
    label = unit.label(what.label)
    return f"{label}, {values}" if named and values else values or label


def _cell(run: Run | None, what: Measure, unit: Unit, partial: bool) -> str:
    end = "missing" if run is None else run.outcome
    value = None if run is None else run.value(what)
    if end == "oom" and partial and value is not None:
        return f"{short(value / unit.by)} ({ENDED[end]})"
    if end in ENDED:
        return ENDED[end]
    return NA if value is None else short(value / unit.by)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
