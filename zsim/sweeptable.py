"""A sweep as tables for a terminal: a line a point of each study, with what became of it, or what is to be done."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from zsim.batch import Batch
from zsim.measures import measure
from zsim.studyfiles import Point, Study
from zsim.units import format_bytes, format_ns

USUAL = ("slowdown", "pgmajfault", "pool_pages_peak", "pswpout")
"""Columns of a study that names no metrics."""

NONE = "-"


def results_text(batch: Batch) -> str:
    """Per study the axes, the outcome and the metrics of every point; then every failure with its error."""
    return "\n".join(_results(plan.study) for plan in batch.plans)


def why_text(batch: Batch) -> str:
    """Per study the axes of every point, and whether its run is done or why it is to be; then how many there are."""
    tables = [_why(plan.study, batch.why) for plan in batch.plans]
    counts = ", ".join(f"{number} {why}" for why, number in Counter(batch.why.values()).items())
    return "\n".join([*tables, f"{len(batch.runs)} runs: {counts}\n"])


def _results(study: Study) -> str:
    names = study.metrics or list(USUAL)
    rows = [study.row(point) for point in study.points]
    cells = [[row["outcome"], *(value_text(name, row.get(name)) for name in names)] for row in rows]
    failed = [
        f"failed at {point_text(point)}: {row['error']}\n"
        for point, row in zip(study.points, rows, strict=True)
        if row["error"]
    ]
    return _table(study, study.points, ["outcome", *names], cells) + "".join(failed)


def _why(study: Study, why: dict[str, str]) -> str:
    points = [point for point in study.points if point.digest in why]
    return _table(study, points, ["why"], [[why[point.digest]] for point in points])


def point_text(point: Point) -> str:
    """Where a point is, in a few words."""
    values = {"trace": point.trace} | point.values
    return ", ".join(f"{name} {value}" for name, value in values.items())


def value_text(name: str, value: Any) -> str:
    """A metric, or a figure of a latency, by its unit."""
    unit = measure(name).unit
    if value is None:
        return NONE
    if unit == "ns":
        return format_ns(value)
    if unit == "B":
        return format_bytes(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _table(study: Study, points: Sequence[Point], names: Sequence[str], cells: Sequence[list[str]]) -> str:
    """The study's title; a column an axis, then those of `cells`, numbers to the right."""
    axes = list(study.axes) or ["trace"]
    lines = [[*axes, *names]]
    for point, own in zip(points, cells, strict=True):
        values = {"trace": point.trace} | point.values
        lines.append([*(str(values[axis]) for axis in axes), *own])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    words = len(axes) + 1
    aligned = [
        "  ".join(cell.ljust(widths[i]) if i < words else cell.rjust(widths[i]) for i, cell in enumerate(line)).rstrip()
        for line in lines
    ]
    return "\n".join([study.title, *aligned]) + "\n"
