"""The numbers behind a figure, as the table that is written beside it."""

import csv
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

from zsim.measures import Measure
from zsim.report.runs import Runs


class Data(NamedTuple):
    """What a figure shows, as a table."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def column(self, name: str) -> list[Any]:
        """One column."""
        index = self.columns.index(name)
        return [row[index] for row in self.rows]

    def to_csv(self) -> str:
        """The table as text; what does not apply is empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()


def point_data(runs: Runs, measures: Sequence[Measure]) -> Data:
    """A row a run: its place on each axis, how it ended, and the measures in their own units."""
    axes = tuple(runs.axes)
    rows = [
        (*(run.values.get(axis) for axis in axes), run.outcome, *(run.value(measure) for measure in measures))
        for run in runs
    ]
    return Data((*axes, "outcome", *(measure.name for measure in measures)), rows)
