"""zsim.traces.reduce and sieves: what is left out makes no difference to any memory above the threshold."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces.strategies import Row
from zsim import load_config, replay
from zsim.errors import UsageError
from zsim.table import warnings
from zsim.traces import open_table, open_trace
from zsim.traces.build import build
from zsim.traces.columns import Columns, Labels, Table
from zsim.traces.convert import convert
from zsim.traces.generate import Pattern, generate, table
from zsim.traces.recording import BATCHES_IN_MEMORY
from zsim.traces.reduce import reduced
from zsim.traces.write import write_table

SHIPPED = Path(__file__).parents[2] / "traces"
NAMES = ["a", "b"]
Key = tuple[str | None, int]


@st.composite
def sequences(draw: st.DrawFn, kinds: bool = True) -> list[Row]:
    """Rows of two tasks and few pages, in stretches with a working set of their own, so that rows repeat soon."""
    made: list[Row] = []
    for _ in range(draw(st.integers(1, 6))):
        near = draw(st.lists(st.integers(0, 11), min_size=1, max_size=4))
        for _ in range(draw(st.integers(1, 15))):
            made.append(
                Row(
                    page=draw(st.sampled_from(near)),
                    write=draw(st.integers(0, 1)),
                    time_us=len(made),
                    task=draw(st.sampled_from(["a", "a", "b"])),
                    kind=draw(st.sampled_from(["anon"] * 9 + ["file"])) if kinds else "anon",
                    content=draw(st.sampled_from([-1, -1, len(made)])),
                )
            )
    return made


def as_table(rows: list[Row], cuts: list[int]) -> Table:
    """The rows as runs that end at `cuts`."""

    def runs() -> Iterator[Columns]:
        for first, end in pairwise(sorted({0, *(cut for cut in cuts if cut < len(rows)), len(rows)})):
            part = rows[first:end]
            yield Columns(
                page=np.array([row.page for row in part], np.uint64),
                write=np.array([row.write for row in part], np.uint8),
                time_ns=np.array([row.time_us for row in part], np.int64),
                task=Labels(np.array([NAMES.index(str(row.task)) for row in part], np.int32), NAMES),
                kind=np.array([row.kind == "file" for row in part], np.uint8),
                content=np.array([row.content for row in part], np.int32),
            )

    return Table(runs())


def rows_in(table: Table) -> list[Row]:
    """The rows of a table."""
    found = []
    for run in table.chunks:
        assert run.time_ns is not None and run.task is not None and run.kind is not None and run.content is not None
        for i in range(len(run)):
            kind = ["anon", "file"][run.kind[i]]
            task = run.task.names[run.task.codes[i]]
            found.append(Row(int(run.page[i]), int(run.write[i]), int(run.time_ns[i]), task, kind, int(run.content[i])))
    return found


class Lru:
    """An LRU memory, row by row: every fault and eviction in order, with what is written away and what it holds."""

    def __init__(self, rows: list[Row], pages: int) -> None:
        self.logs: dict[tuple[Key, int], list[tuple[int, int]]] = {}
        self.events: list[tuple[object, ...]] = []
        self.faults = 0
        lives, kinds = self._lives(rows), {}
        memory: OrderedDict[Key, bool] = OrderedDict()
        for number, row in enumerate(rows):
            key = row.task, row.page
            if kinds.setdefault(key, row.kind) != row.kind:
                memory.pop(key, None)
                kinds[key] = row.kind
            if key not in memory:
                self.faults += 1
                self.events.append(("fault", key, row.write))
                if len(memory) == pages:
                    victim, dirty = memory.popitem(last=False)
                    life = max(life for at, life in lives[victim] if at < number)
                    self.events.append(("evict", victim, dirty, self.held(victim, life, number)))
                memory[key] = False
            memory[key] = memory[key] or row.write == 1
            memory.move_to_end(key)
        self.end = {key: self.held(key, lives[key][-1][1], len(rows)) for key in lives}

    def _lives(self, rows: list[Row]) -> dict[Key, list[tuple[int, int]]]:
        """Per page (row, number of the kinds of memory it has been): and what is logged of each."""
        lives: dict[Key, list[tuple[int, int]]] = {}
        kinds: dict[Key, str | None] = {}
        for number, row in enumerate(rows):
            key = row.task, row.page
            life = lives[key][-1][1] + (kinds[key] != row.kind) if key in lives else 0
            lives.setdefault(key, []).append((number, life))
            kinds[key] = row.kind
            if row.content is not None and row.content >= 0:
                self.logs.setdefault((key, life), []).append((number, row.content))
        return lives

    def held(self, key: Key, life: int, number: int) -> int:
        """The image of a page before row `number`: the last logged, else the next."""
        log = self.logs.get((key, life), [])
        return next((image for at, image in reversed(log) if at < number), log[0][1] if log else -1)


@given(sequences(), st.integers(2, 8), st.lists(st.integers(1, 80), max_size=3))
@settings(max_examples=60, deadline=None)
def test_sad_is_exact(rows: list[Row], pages: int, cuts: list[int]) -> None:
    """In every memory of at least so many pages: the same faults, evictions, dirty pages and images, in order."""
    left = rows_in(reduced(as_table(rows, cuts), pages))
    assert len(left) <= len(rows)
    for memory in range(pages, 14):
        assert Lru(left, memory).events == Lru(rows, memory).events
    assert Lru(left, 99).end == Lru(rows, 99).end


@given(sequences(kinds=False), st.integers(1, 4), st.lists(st.integers(1, 80), max_size=3))
@settings(max_examples=50, deadline=None)
def test_bound_of_batches(rows: list[Row], k: int, cuts: list[int]) -> None:
    """Batches of K pages fault as a memory of up to K - 1 pages more or less would; pages end up holding the same."""
    left = rows_in(reduced(as_table(rows, cuts), BATCHES_IN_MEMORY * k, "batches"))
    for memory in range(k, 14):
        assert Lru(rows, memory + k - 1).faults <= Lru(left, memory).faults <= Lru(rows, memory - k + 1).faults
    assert Lru(left, 99).end == Lru(rows, 99).end
    assert {(row.task, row.page) for row in rows if row.write} == {(row.task, row.page) for row in left if row.write}


@given(sequences(), st.sampled_from(["sad", "batches"]), st.lists(st.integers(1, 80), max_size=4))
@settings(max_examples=60, deadline=None)
def test_what_stays(rows: list[Row], method: str, cuts: list[int]) -> None:
    """Rows stay as they were but for their image, whatever the runs; tasks start where they did; the last row stays."""
    left = rows_in(reduced(as_table(rows, cuts), 4, method))
    assert left == rows_in(reduced(as_table(rows, []), 4, method))
    whole = {row.time_us: row for row in rows}
    for row in left:
        was = whole[row.time_us]
        assert (row.page, row.write, row.task, row.kind) == (was.page, was.write, was.task, was.kind)
    assert left[-1].time_us == rows[-1].time_us
    for task in ("a", "b"):
        first = next((i for i, row in enumerate(rows) if row.task == task), 0)
        if first:
            assert rows[first - 1].time_us in [row.time_us for row in left]


def test_by_hand() -> None:
    """Of 1 2 1 2 1 2 3 1 in memories from 2 pages on, the middle 1 and 2 go: their neighbours are near enough."""
    rows = [Row(page, 0, i, "a", "anon", -1) for i, page in enumerate([1, 2, 1, 2, 1, 2, 3, 1])]
    assert [row.time_us for row in rows_in(reduced(as_table(rows, []), 2))] == [0, 1, 4, 5, 6, 7]
    assert [row.time_us for row in rows_in(reduced(as_table(rows, []), 3))] == [0, 1, 5, 6, 7]


def test_header_and_times(tmp_path: Path) -> None:
    """The threshold is in the header, not below what a recording is good for; rows left out leave their time."""
    write_table(table(Pattern("zipf", pages=50, accesses=5000)), tmp_path / "a.csv")
    done = convert(str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), change=lambda rows: reduced(rows, 10))
    again = open_trace(tmp_path / "b.csv")
    assert again.digest == done.digest and again.header["generated"] == "zipf"
    assert (again.header["reduced"], again.header["min_memory_pages"]) == ("sad", 10)
    times = again.tasks[0].times_ns
    assert times is not None and len(times) == again.accesses < 5000 and times[-1] == 499_900
    assert reduced(open_table(str(tmp_path / "b.csv")), 4, "batches").header["min_memory_pages"] == 10
    said = reduced(open_table(str(tmp_path / "b.csv")), 64, "batches").header
    assert (said["reduced"], said["k"], said["min_memory_pages"]) == ("batches", 16, 64)


@pytest.mark.parametrize("store, policy", [("none", "lru"), ("zswap", "lru")])
def test_replay_of_a_reduced_recording(tmp_path: Path, store: str, policy: str) -> None:
    """A recording reduced for 500 pages: whole replays above that have the same faults, traffic and stored bytes."""
    change = convert(str(SHIPPED / "sqlite"), f"{tmp_path}/less.trace.parquet", change=lambda rows: reduced(rows, 500))
    assert change.accesses < 110_000
    config = load_config(memory="60%", store=store, reclaim__policy=policy, reclaim__batch=1)
    whole, less = (replay(name, config).metrics for name in (SHIPPED / "sqlite", tmp_path / "less"))
    names = ["pgmajfault", "pswpin", "pswpout", "pgsteal", "zswpin", "zswpout", "same_filled_pages", "pool_pages"]
    assert {name: less[name] for name in names} == {name: whole[name] for name in names}


def test_warning_below_the_threshold() -> None:
    """A replay with less memory than a reduced trace is good for says so."""
    trace = generate(Pattern("uniform", pages=400, accesses=8000))
    config = load_config(memory="50%", store="none")
    for pages, warned in ((300, True), (100, False)):
        rows = reduced(table(Pattern("uniform", pages=400, accesses=8000)), pages)
        assert ("fewer than the" in str(warnings(replay(build(rows, "less"), config)))) == warned
    assert "fewer than the" not in str(warnings(replay(trace, config)))


def test_refusals() -> None:
    """An unknown method, a threshold that leaves nothing, an empty trace."""
    for pages, method, message in ((1, "sad", "expected at least 2"), (9, "sod", "did you mean 'sad'")):
        with pytest.raises(UsageError, match=message):
            reduced(Table(iter([])), pages, method)
    assert list(reduced(Table(iter([])), 9).chunks) == []
