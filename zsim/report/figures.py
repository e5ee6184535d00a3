"""The kinds of figures, and how they are saved: the file asked for and its data as CSV beside it."""

import csv
import io
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zsim.errors import UsageError
from zsim.registry import suggestion
from zsim.report.style import METADATA, styled
from zsim.resultfiles import write_text, writing
from zsim.results import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = {
    "time": ("zsim.report.over_time", "memory, pool, faults and device traffic of one run over time"),
    "latency": ("zsim.report.latency", "distribution of fault latencies, and its tail"),
    "compare": ("zsim.report.bars", "ratios of the key metrics to the first result"),
}
"""Kind -> module with `data(results)` and `draw(data, results)`, and what it shows."""


class Data(NamedTuple):
    """What a figure shows, as a table."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def column(self, name: str) -> list[Any]:
        """One column."""
        index = self.columns.index(name)
        return [row[index] for row in self.rows]

    def to_csv(self) -> str:
        """The table as text."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()


def figure_data(results: Result | Sequence[Result], kind: str = "time") -> Data:
    """The numbers behind a figure."""
    data: Data = _module(kind).data(_several(results))
    return data


def figure(results: Result | Sequence[Result], kind: str = "time") -> "Figure":
    """Draw one or several results; a `UsageError` for an unknown kind or a number of results it does not take."""
    several = _several(results)
    module = _module(kind)
    with styled():
        drawn: Figure = module.draw(module.data(several), several)
    return drawn


def save_figure(results: Result | Sequence[Result], path: str | Path, kind: str = "time") -> list[Path]:
    """Draw into `path` (svg, pdf or png by its suffix) and its data into the same name with .csv; both paths."""
    path = Path(path)
    form = path.suffix.removeprefix(".").lower()
    if form not in METADATA:
        raise UsageError(f"{path}: a figure's name ends in .{', .'.join(METADATA)}")
    table = path.with_suffix(".csv")
    drawn = figure(results, kind)
    with styled(), writing(path) as part:
        drawn.savefig(part, format=form, metadata=METADATA[form])
    write_text(table, figure_data(results, kind).to_csv())
    return [path, table]


def _several(results: Result | Sequence[Result]) -> list[Result]:
    return [results] if isinstance(results, Result) else list(results)


def _module(kind: str) -> Any:
    if kind not in KINDS:
        raise UsageError(f"unknown kind of figure {kind!r}{suggestion(kind, list(KINDS))}")
    return import_module(KINDS[kind][0])
