"""What several kinds of figures share: runs as series, panels by trace, marks and names that do not collide."""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

from zsim.errors import UsageError
from zsim.report.labels import value_text
from zsim.report.runs import Run, Runs
from zsim.report.wanted import Wanted
from zsim.style import COLUMN_IN, GREY, WIDTH_IN, Look, text_width_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Panel = TypeVar("Panel")
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

AROUND = ((1, 1), (1, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1))

LINES_MAX = 14
"""More lines than this nobody tells apart."""

COLUMNS_MAX = 4
NAMES_MAX = 6
NAME_MAX_IN = 0.85
FAILED = Look(GREY, "", "x")
ENDED = {"oom": "out of memory", "failed": "failed"}
"""Outcomes that are no measurement, in words; what is missing is left out."""


def series_of(runs: Runs, wanted: Wanted, besides: Sequence[str] = ()) -> dict[str, list[Run]]:
    """Name -> runs that differ by the axes `besides` only: one line, bar or curve each."""
    named = [runs.axis(axis) for axis in wanted.series]
    axes = [*named, *(axis for axis in runs.varying if axis not in (*named, *besides))]
    order = {axis: runs.axes[axis] for axis in axes}
    found: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: [_place(order[axis], run.values.get(axis)) for axis in axes]):
        values = [(axis, run.values[axis]) for axis in axes if run.values.get(axis) is not None]
        found.setdefault(", ".join(value_text(*pair) for pair in values), []).append(run)
    if len(found) > LINES_MAX:
        raise UsageError(
            f"{runs.name}: {len(found)} series ({', '.join(axes)}) cannot be told apart; choose some of the runs by "
            f"where, such as {axes[-1]}={value_list(runs.axes[axes[-1]][:1])}"
        )
    return found


def named_runs(runs: Runs, wanted: Wanted) -> dict[Any, dict[str, Run]]:
    """Trace (None where one panel shows all) -> each of its runs that has a result, by a name of its own."""
    if not runs.is_study:  # somebody gave them in their order
        return {None: {run.label: run for run in runs if run.result is not None}}
    traces = panels_of(runs, wanted.series)
    lines = series_of(runs, wanted, () if traces == [None] else ("trace",))
    return {
        trace: {
            run.label if len(line) > 1 and trace is None else name: run
            for name, line in lines.items()
            for run in in_panel(line, trace)
            if run.result is not None
        }
        for trace in traces
    }


def can_stand_at_ends(names: Sequence[str]) -> bool:
    """Whether names are few and short enough to stand at the ends of their lines instead of above the panels."""
    return len(names) <= NAMES_MAX and all(text_width_in(name) <= NAME_MAX_IN for name in names if name)


def value_list(values: Sequence[Any]) -> str:
    """Values as they are given to --where."""
    return ",".join(map(str, values))


def _place(values: Sequence[Any], value: Any) -> int:
    return values.index(value) if value in values else len(values)


def panels_of(runs: Runs, used: Sequence[str]) -> list[Any]:
    """The traces, one panel each; [None] where there is one, or where an axis or the series show it."""
    return list(runs.axes["trace"]) if "trace" in runs.varying and "trace" not in used else [None]


def in_panel(runs: Sequence[Run], trace: Any) -> list[Run]:
    """The runs that a panel shows."""
    return [run for run in runs if trace is None or run.values.get("trace") == trace]


def make_panels(rows: int, columns: int, height_in: float, width_in: float = 0) -> "tuple[Figure, list[list[Axes]]]":
    """Rows of panels, each `height_in` tall: one column wide, or the whole page where there are several."""
    from matplotlib.figure import Figure

    width_in = width_in or (COLUMN_IN if columns == 1 else WIDTH_IN)
    drawing = Figure(figsize=(width_in, 0.35 + rows * height_in), layout="constrained")
    return drawing, [list(row) for row in drawing.subplots(rows, columns, squeeze=False)]


def grid_of(groups: Sequence[Sequence[Panel]]) -> tuple[list[list[Panel]], int]:
    """Each group in rows of at most COLUMNS_MAX; the rows and how many columns they need."""
    rows = [list(group[i : i + COLUMNS_MAX]) for group in groups for i in range(0, len(group), COLUMNS_MAX)]
    return rows, max(map(len, rows))


def free_place(wanted: tuple[float, float], size: tuple[float, float], taken: Sequence[Box], inside: Box) -> Box:
    """A box of `size` near the point `wanted`, within `inside`, over none of `taken`; else beside the point."""
    width, height = size
    x, y = wanted
    for far, (dx, dy) in product((0.7, 1.2, 2, 3, 4.5, 6), AROUND):
        left = x + dx * height * far - (width if dx < 0 else 0 if dx else width / 2)
        bottom = y + dy * height * far - (height if dy < 0 else 0 if dy else height / 2)
        box = (left, bottom, left + width, bottom + height)
        if _within(box, inside) and not any(_overlap(box, other) for other in taken):
            return box
    return (x + height, y + height, x + height + width, y + 2 * height)


def _within(box: Box, outer: Box) -> bool:
    return box[0] >= outer[0] and box[1] >= outer[1] and box[2] <= outer[2] and box[3] <= outer[3]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def fit_ticks(axes: "Axes", places: Sequence[float], texts: Sequence[str], width_in: float) -> None:
    """Mark the values of the axis below; every second or third where their texts would touch."""
    ordered = sorted(zip(places, texts, strict=True))
    needed_in = sum(text_width_in(text) + 0.08 for text in texts)
    step = max(1, -(-int(1000 * needed_in) // int(1000 * max(width_in, 0.1))))
    axes.set_xticks([place for place, _ in ordered], minor=False, labels=[
        text if number % step == 0 else "" for number, (_, text) in enumerate(ordered)
    ])  # fmt: skip
    axes.minorticks_off()
