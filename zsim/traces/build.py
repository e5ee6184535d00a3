"""Columns of rows -> a `Trace`: pages numbered densely, accesses sorted by task, contents logged by page."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zsim.errors import TraceError
from zsim.traces.columns import Columns, Labels, Table
from zsim.traces.contentlog import content_log
from zsim.traces.objects import number_objects
from zsim.traces.task import MAX_PAGES, TaskBuilder
from zsim.traces.trace import ContentLog, Images, Trace

MAX_TASKS = 1 << 16


class Builder:
    """All tasks of a trace as their rows come, in the order of the table."""

    def __init__(self, images: Images | None) -> None:
        self.images = images
        self.tasks: list[TaskBuilder] = []
        self.index_of: dict[str, int] = {}
        self.file_codes: dict[str, int] = {"": -1}
        self.last: tuple[int, int] | None = None

    def add(self, run: Columns) -> None:
        """Append a run of rows."""
        self._check_content(run)
        if run.file is not None:
            run = replace(run, file=self._coded(run.file))
        if run.task is None:
            self.tasks[self._index("0", None)].add(run, slice(None))
            return
        codes = self._codes(run.task, run)
        if (codes == codes[0]).all():
            self.tasks[codes[0]].add(run, slice(None))
        else:
            order = np.argsort(codes, kind="stable")
            for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
                self.tasks[codes[rows[0]]].add(run, rows)
        self.last = int(codes[-1]), len(self.tasks[codes[-1]].accesses) - 1

    def _codes(self, task: Labels, run: Columns) -> npt.NDArray[np.int64]:
        """The task index of each row; new tasks get theirs in the order they appear."""
        present, firsts = np.unique(task.codes, return_index=True)
        index_of = np.zeros(len(task.names), np.int64)
        for code, row in sorted(zip(present.tolist(), firsts.tolist(), strict=True), key=lambda pair: pair[1]):
            name = task.names[code]
            starts_after = self._before(index_of, task.codes, row) if name not in self.index_of else None
            index_of[code] = self._index(name, starts_after)
        if len(self.tasks) > MAX_TASKS:
            raise TraceError(f"{run.place(0)}: column 'task': more than {MAX_TASKS} different tasks")
        return index_of[task.codes]

    def _before(self, index_of: npt.NDArray[np.int64], codes: npt.NDArray[np.int32], row: int) -> Any:
        """(task, row of that task) of the row before `row` of the run; None at the start of the trace."""
        if row == 0:
            return self.last
        task = int(index_of[codes[row - 1]])
        done = len(self.tasks[task].accesses)
        return task, done + int(np.count_nonzero(index_of[codes[:row]] == task)) - 1

    def _index(self, name: str, starts_after: tuple[int, int] | None) -> int:
        if name not in self.index_of:
            self.index_of[name] = len(self.tasks)
            self.tasks.append(TaskBuilder(name, starts_after))
        return self.index_of[name]

    def _coded(self, file: Labels) -> Labels:
        """The file of each row by a code that holds for the whole trace, -1 where it names none."""
        codes = [self.file_codes.setdefault(name, len(self.file_codes) - 1) for name in file.names]
        return Labels(np.array(codes or [-1], np.int32)[file.codes], [])

    def _check_content(self, run: Columns) -> None:
        if run.content is None or self.images is None:
            return
        beyond = np.flatnonzero(run.content >= self.images.count)
        if beyond.size:
            row = int(beyond[0])
            raise TraceError(
                f"{run.place(row)}: column 'content': {run.content[row]}; "
                f"expected an image id below {self.images.count}, as many as the recording has"
            )

    def finish(self, name: str, header: dict[str, Any]) -> Trace:
        """The trace, once every row is in."""
        builders = self.tasks
        firsts = np.cumsum([0, *(task.pages for task in builders)]).tolist()
        if firsts[-1] > MAX_PAGES:
            raise TraceError(f"{name}: more than {MAX_PAGES} distinct pages")
        tasks = [task.finish(first) for task, first in zip(builders, firsts, strict=False)]
        trace = Trace(
            name=name,
            digest="",
            tasks=tasks,
            pages=firsts[-1],
            footprint_pages=sum(len(task.numbers.pages) for task in builders),
            owner=np.repeat(np.arange(len(builders), dtype=np.uint16), [task.pages for task in builders]),
            is_file=np.concatenate([task.is_file() for task in builders]),
            numbers=np.concatenate([task.page_numbers() for task in builders]),
            content=content_log([task.log for task in builders], [task.accesses for task in tasks], firsts[-1]),
            images=self.images,
            header=header,
        )
        if len(self.file_codes) > 1:
            trace.objects = number_objects(np.concatenate([task.file_codes() for task in builders]), trace)
        return trace


def build(table: Table, name: str, images: Images | None = None, place: str = "") -> Trace:
    """Read a table to its end and make a trace of it; `TraceError` where it is empty or not in order."""
    builder = Builder(images)
    rows = 0
    for run in table.chunks:
        if len(run):
            builder.add(run)
            rows += len(run)
    if not rows:
        raise TraceError(f"{place or name}: no accesses; expected at least one row")
    trace = builder.finish(name, table.header)
    trace.digest = digest(trace)
    return trace


def digest(trace: Trace) -> str:
    """sha256 over everything of the trace that a replay sees, hexadecimal; independent of the file format."""
    state = hashlib.sha256(b"zsim-trace-1")
    for task in trace.tasks:
        state.update(json.dumps([task.name, task.starts_after, task.remaps]).encode())
        state.update(_bytes(task.accesses))
        if task.times_ns is not None:
            state.update(b"times")
            state.update(_bytes(task.times_ns))
    for array in (trace.owner, trace.is_file, trace.numbers):
        state.update(_bytes(array))
    if trace.objects is not None:
        state.update(b"objects")
        state.update(_bytes(trace.objects))
    _update_contents(state, trace.content, trace.images)
    return state.hexdigest()


def _update_contents(state: Any, content: ContentLog | None, images: Images | None) -> None:
    if content is not None:
        for column in (content.starts, content.rows, content.ids):
            state.update(_bytes(np.asarray(column)))
    if images is not None:
        for codec, sizes in sorted(images.sizes_bytes.items()):
            state.update(codec.encode())
            state.update(_bytes(sizes))
        state.update(_bytes(images.same_filled))
        state.update(_bytes(images.slots))


def _bytes(values: npt.NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(values).data
