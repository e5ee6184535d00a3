"""A trace's rows as a table again: all tasks, each started where it was started."""

from collections.abc import Iterator

import numpy as np

from zsim.traces.columns import ROWS, Columns, Labels, Table
from zsim.traces.trace import NO_CONTENT, TaskTrace, Trace

Span = tuple[int, int, int]
"""(task, first row, end row)"""


def spans(trace: Trace) -> list[Span]:
    """Stretches of rows of one task, in an order in which every task starts right after the row that started it.

    How concurrent tasks were interleaved beyond that is not part of a trace.
    """
    done = [0] * len(trace.tasks)
    order: list[Span] = []

    def advance(task: int, end: int) -> None:
        if end > done[task]:
            order.append((task, done[task], end))
            done[task] = end

    for i, task in enumerate(trace.tasks):
        if task.starts_after is not None:
            advance(task.starts_after[0], task.starts_after[1] + 1)
        advance(i, 1)
    for i, task in enumerate(trace.tasks):
        advance(i, len(task.accesses))
    return order


def rows_of(trace: Trace) -> Table:
    """The trace as a table that can be written; reading it gives an equal trace."""
    return Table(_runs(trace), dict(trace.header), _time_column(trace))


def _time_column(trace: Trace) -> str:
    times = [task.times_ns for task in trace.tasks if task.times_ns is not None]
    return "t_us" if times and not any((values % 1000).any() for values in times) else "time_ns"


def _runs(trace: Trace) -> Iterator[Columns]:
    contents = [_contents(trace, i, task) for i, task in enumerate(trace.tasks)]
    names = [task.name for task in trace.tasks]
    for i, first, end in spans(trace):
        for start in range(first, end, ROWS):
            yield _run(trace, i, slice(start, min(start + ROWS, end)), contents[i], names)


def _run(trace: Trace, i: int, rows: slice, content: np.ndarray | None, names: list[str]) -> Columns:
    task = trace.tasks[i]
    accesses = task.accesses[rows]
    pages = accesses >> 1
    return Columns(
        page=trace.numbers[pages],
        write=(accesses & 1).astype(np.uint8),
        time_ns=None if task.times_ns is None else task.times_ns[rows],
        task=Labels(np.full(len(accesses), i, np.int32), names),
        kind=trace.is_file[pages],
        content=None if content is None else content[rows],
    )


def _contents(trace: Trace, i: int, task: TaskTrace) -> np.ndarray | None:
    """The image id of each row of a task."""
    if trace.content is None:
        return None
    ids = np.full(len(task.accesses), NO_CONTENT, np.int32)
    starts = np.asarray(trace.content.starts, np.int64)
    pages = np.flatnonzero(trace.owner == i)
    if len(pages):  # the pages of a task lie side by side
        own = slice(starts[pages[0]], starts[pages[-1] + 1])
        ids[np.asarray(trace.content.rows)[own]] = np.asarray(trace.content.ids)[own]
    return ids
