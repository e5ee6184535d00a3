"""zsim.traces.build, task, numbering and contentlog: the trace that rows make."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from tests.traces.strategies import Row, as_csv, plain, tables, write_csv
from zsim.errors import TraceError
from zsim.traces import Trace, columns, open_trace, streams
from zsim.traces.numbering import PageNumbers


def opened(rows: list[Row]) -> Trace:
    """The trace that a CSV of the rows gives."""
    with tempfile.TemporaryDirectory() as folder:
        return open_trace(write_csv(Path(folder) / "t.csv", rows))


@given(tables())
@settings(max_examples=40, deadline=None)
def test_trace_is_what_rows_say(rows: list[Row]) -> None:
    """Every access, start, remap and image is where a row-by-row reading puts it."""
    trace, expected = opened(rows), plain(rows)
    assert [task.name for task in trace.tasks] == list(expected.tasks)
    logged: dict[int, list[tuple[int, int]]] = {}
    for i, task in enumerate(trace.tasks):
        pages = task.accesses >> 1
        found = [
            (int(trace.numbers[page]), "file" if trace.is_file[page] else "anon", int(access & 1))
            for page, access in zip(pages, task.accesses, strict=True)
        ]
        assert found == expected.tasks[task.name]
        assert (trace.owner[pages] == i).all()
        assert task.starts_after == expected.starts[task.name]
        remaps = [(r, int(trace.numbers[p]), "file" if trace.is_file[p] else "anon") for r, p in task.remaps]
        assert remaps == expected.remaps[task.name]
        incarnations: dict[int, list[int]] = {}
        for page in dict.fromkeys(pages.tolist()):
            incarnations.setdefault(int(trace.numbers[page]), []).append(page)
        for (name, number, nth), log in expected.logs.items():
            if name == task.name:
                logged[incarnations[number][nth]] = log
    assert trace.footprint_pages == len({(row.task, row.page) for row in rows})
    assert len(trace.owner) == len(trace.is_file) == len(trace.numbers) == trace.pages
    check_log(trace, logged)


def check_log(trace: Trace, expected: dict[int, list[tuple[int, int]]]) -> None:
    """The content log has these (row, image) of each page, and no others."""
    if trace.content is None:
        assert not expected
        return
    for page in range(trace.pages):
        first, end = trace.content.starts[page], trace.content.starts[page + 1]
        found = list(zip(trace.content.rows[first:end], trace.content.ids[first:end], strict=True))
        assert found == expected.get(page, [])


@given(tables())
@settings(max_examples=60, deadline=None)
def test_runs_do_not_matter(rows: list[Row]) -> None:
    """A trace read a few rows at a time equals the trace read at once, digest included."""
    text = as_csv(rows)
    whole = opened(rows)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(streams, "BLOCK_BYTES", 16)
        patch.setattr("zsim.traces.streams.PIECE_BYTES", 16)
        path = Path(folder) / "t.csv"
        path.write_text(text)
        assert open_trace(path).digest == whole.digest


def test_accesses_and_pages_of_a_small_trace(tmp_path: Path) -> None:
    """Pages are numbered in the order of first touch, writes are the low bit."""
    trace = opened([Row(90, 0), Row(7, 1), Row(90, 1), Row(1 << 63, 0)])
    assert trace.tasks[0].accesses.tolist() == [0, 3, 1, 4]
    assert trace.tasks[0].accesses.dtype == np.uint32
    assert trace.numbers.tolist() == [90, 7, 1 << 63]
    assert (trace.accesses, trace.pages, trace.footprint_pages) == (4, 3, 3)


def test_times_are_in_ns() -> None:
    """Microseconds become nanoseconds."""
    trace = opened([Row(1, 0, time_us=5), Row(1, 0, time_us=9)])
    assert trace.tasks[0].times_ns is not None
    assert trace.tasks[0].times_ns.tolist() == [5000, 9000]


def test_time_going_back_is_refused_with_its_line(tmp_path: Path) -> None:
    """A time before the one before it in the same task is an error that names the line."""
    path = tmp_path / "t.csv"
    path.write_text("time_ns,task,page,op\n5,a,1,R\n2,b,1,R\n\n9,a,2,R\n8,a,3,R\n")
    with pytest.raises(TraceError, match=r"t.csv:6: column 'time': 8 ns after 9 ns; .* within task 'a'"):
        open_trace(path)


def test_content_is_looked_up_by_row() -> None:
    """The image of a page is the last one named at or before the row, else the next later one, else none."""
    trace = opened([Row(1, 1, content=-1), Row(1, 1, content=4), Row(2, 1, content=-1), Row(1, 0, content=6)])
    assert trace.content is not None
    assert [trace.content.at(0, row) for row in range(4)] == [4, 4, 4, 6]
    assert trace.content.at(1, 3) == -1


def test_digest_tells_traces_apart() -> None:
    """Any change of an access, a time, a task's name or an image changes the digest."""
    base = Row(1, 0, time_us=1, task="a", kind="anon", content=1)
    changed = [{"page": 2}, {"write": 1}, {"time_us": 2}, {"task": "b"}, {"kind": "file"}, {"content": 2}]
    digests = {opened([base]).digest, *(opened([Row(**{**vars(base), **change})]).digest for change in changed)}
    assert len(digests) == 7


def test_page_numbers_keep_their_dense_number() -> None:
    """Numbers given out in one call are the same in later ones, wherever the pages lie."""
    rng = np.random.default_rng(3)
    pages = rng.integers(0, 2**64 - 1, 3000, dtype=np.uint64) >> rng.integers(0, 60, 3000, dtype=np.uint64)
    numbers = PageNumbers()
    found = np.concatenate([numbers.number(part) for part in np.array_split(pages, 17)])
    first: dict[int, int] = {}
    assert found.tolist() == [first.setdefault(page, len(first)) for page in pages.tolist()]
    assert numbers.pages.data.tolist() == list(first)


def test_limit_reads_so_many_rows(tmp_path: Path) -> None:
    """A limit cuts the trace, and what is wrong behind it is not seen."""
    path = tmp_path / "t.csv"
    path.write_text("page,op\n1,R\n2,W\n3,R\n")
    assert open_trace(path, limit=2).accesses == 2
    assert open_trace(path, limit=9).accesses == 3


def test_run_is_cut_in_all_columns() -> None:
    """Cutting a run cuts every column it has."""
    labels = columns.Labels(np.zeros(3, np.int32), ["a"])
    run = columns.Columns(
        np.arange(3, dtype=np.uint64),
        np.zeros(3, np.uint8),
        np.arange(3),
        labels,
        np.zeros(3, np.uint8),
        np.arange(3, dtype=np.int32),
        labels,
    )
    cut = run.cut(2)
    assert cut.time_ns is not None and cut.task is not None and cut.kind is not None
    assert [len(cut), len(cut.time_ns), len(cut.task.codes), len(cut.kind)] == [2, 2, 2, 2]
