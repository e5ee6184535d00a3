"""Fewer rows with the same page faults in every memory above a threshold.

Two ways, both in one pass and in memory that grows with the threshold, not with the trace:

sad      Safely Allowed Drop: accesses that no LRU memory of so many pages can tell from none go. Exact.
batches  first touches and first writes in batches of K distinct pages, as recorders make them: shorter, and off by at
         most K - 1 pages of memory, K being a quarter of the threshold.

Kaplan, Smaragdakis, Wilson, "Flexible reference trace reduction for VM simulations" (ACM TOMACS 13(1), 2003).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zsim.errors import UsageError
from zsim.registry import suggestion
from zsim.traces.columns import ROWS, Columns, Labels, Table, joined
from zsim.traces.numbering import PageNumbers
from zsim.traces.recording import BATCHES_IN_MEMORY
from zsim.traces.sieves import Batches, Rows, SafelyAllowedDrop
from zsim.traces.trace import NO_CONTENT

METHODS = ("sad", "batches")
ACCESS_NS = 100
"""What an access takes in a trace without times (the default of `access_ns`): so rows left out keep their time."""
Flags = npt.NDArray[np.bool_]


def reduced(table: Table, pages: int, method: str = "sad") -> Table:
    """The table with rows left out that matter in no memory of at least `pages` pages; its header says so.

    A `UsageError` for another method than sad and batches, or fewer than 2 pages. Tasks that run at the same time are
    taken in the order of the table. A trace without times gets them.
    """
    if method not in METHODS:
        raise UsageError(f"unknown way to reduce {method!r}{suggestion(method, list(METHODS))}")
    if pages < 2:
        raise UsageError(f"a smallest memory of {pages} pages; expected at least 2")
    least = max(pages, int(table.header.get("min_memory_pages", 0)))
    said = {"reduced": method, "min_memory_pages": least}
    k = max(pages // BATCHES_IN_MEMORY, 1)
    if method == "batches":
        said["k"] = max(k, int(table.header.get("k", 0)))
    sieve = SafelyAllowedDrop(pages) if method == "sad" else Batches(k)
    return Table(_left(table.chunks, sieve), table.header | said, table.time)


def _left(runs: Iterator[Columns], sieve: SafelyAllowedDrop | Batches) -> Iterator[Columns]:
    """The rows that stay, in whole runs."""
    numbering, first = Numbering(), 0
    waiting: Columns | None = None
    numbers = np.empty(0, np.int64)
    for run, pinned in with_pins(map(numbering.regular, runs)):
        sifted = sieve.sift(numbering.rows(run, pinned, first))
        waiting = run if waiting is None else joined(waiting, run)
        numbers = np.r_[numbers, np.arange(first, first + len(run))]
        first += len(run)
        stays = np.ones(len(numbers), bool)
        stays[np.searchsorted(numbers, sifted.dropped)] = False
        waiting = _named(waiting, np.searchsorted(numbers, list(sifted.content)), list(sifted.content.values()))
        waiting, numbers = waiting.take(stays), numbers[stays]
        settled = int(np.searchsorted(numbers, sifted.settled))
        if settled >= ROWS:
            yield waiting.cut(settled)
            waiting, numbers = waiting.take(slice(settled, None)), numbers[settled:]
    if waiting is not None and len(waiting):
        yield waiting


def _named(waiting: Columns, rows: npt.NDArray[np.intp], images: list[int]) -> Columns:
    """The rows, some of them with another image."""
    if waiting.content is None or not images:
        return waiting
    content = waiting.content.copy()
    content[rows] = images
    return replace(waiting, content=content)


def with_pins(runs: Iterator[Columns]) -> Iterator[tuple[Columns, Flags]]:
    """The runs, with the rows that must stay: those before a task's first row, which start it, and the last of all."""
    known, held = -1, None
    for run in runs:
        whole = run if held is None else joined(held, run)
        codes = np.zeros(len(whole), np.int32) if whole.task is None else whole.task.codes
        highest = np.maximum.accumulate(np.r_[known, codes])
        known = int(highest[-1])
        starts = codes > highest[:-1]
        held = whole.take(slice(-1, None))
        if len(whole) > 1:
            yield whole.cut(-1), starts[1:]
    if held is not None:
        yield held, np.ones(1, bool)


class Numbering:
    """Dense numbers for the pages of all tasks, and names of tasks and files that hold for the whole trace."""

    def __init__(self) -> None:
        self.names: dict[str, dict[str, int]] = {"task": {}, "file": {}}
        self.in_task: dict[int, PageNumbers] = {}
        self.overall = PageNumbers()
        self.accesses: dict[int, int] = {}

    def regular(self, run: Columns) -> Columns:
        """The run with labels that mean the same in all runs, and with times."""
        run = replace(run, task=self._labels("task", run.task), file=self._labels("file", run.file))
        return run if run.time_ns is not None else replace(run, time_ns=self._times_ns(run))

    def _labels(self, kind: str, labels: Labels | None) -> Labels | None:
        """Codes in the order of first appearance."""
        if labels is None:
            return None
        known = self.names[kind]
        present, firsts = np.unique(labels.codes, return_index=True)
        codes = np.zeros(len(labels.names), np.int32)
        for code in present[np.argsort(firsts)]:
            codes[code] = known.setdefault(labels.names[code], len(known))
        return Labels(codes[labels.codes], list(known))

    def _tasks(self, run: Columns) -> Iterator[tuple[int, slice | npt.NDArray[np.intp]]]:
        if run.task is None:
            yield 0, slice(None)
            return
        for code in np.unique(run.task.codes).tolist():
            yield code, np.flatnonzero(run.task.codes == code)

    def _times_ns(self, run: Columns) -> npt.NDArray[np.int64]:
        times = np.empty(len(run), np.int64)
        for task, rows in self._tasks(run):
            before, count = self.accesses.get(task, 0), len(times[rows])
            times[rows] = (before + np.arange(count)) * ACCESS_NS
            self.accesses[task] = before + count
        return times

    def rows(self, run: Columns, pinned: Flags, first: int) -> Rows:
        """The run as a sieve takes it."""
        keys = np.empty(len(run), np.uint64)
        for task, rows in self._tasks(run):
            numbers = self.in_task.setdefault(task, PageNumbers())
            keys[rows] = numbers.number(run.page[rows]).astype(np.uint64) | np.uint64(task << 32)
        page = self.overall.number(keys).tolist()
        op = run.write if run.kind is None else run.kind << np.uint8(1) | run.write
        content = [NO_CONTENT] * len(run) if run.content is None else run.content.tolist()
        return Rows(first, page, len(self.overall.pages), op.tolist(), content, pinned.tolist())
