"""The engine: runs from fault to fault what the reference replays access by access, and keeps its order of time."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.machines import SizesByHash, SizesByPage, config_of, configs, left_behind, make_trace, replayed, traces
from zsim.config import Config
from zsim.contents import load_contents
from zsim.engine import Engine, ReferenceEngine
from zsim.sampler import COLUMNS
from zsim.tasks import unlimited_runtime_ns
from zsim.traces import open_trace
from zsim.traces.trace import Trace

LOOSE = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
RECORDINGS = Path(__file__).parent.parent / "traces"
BOTH = pytest.mark.parametrize("kind", [Engine, ReferenceEngine])
PLENTY = {"memory__size": "64M", "memory__entry_bytes": 0}

Faults = list[tuple[int, int, int, str]]


def watched(kind: type[Engine], trace: Trace, config: Config) -> tuple[Engine, Faults]:
    """A replay, and its faults in the order they happened: (start in ns, task, row, kind)."""
    engine = kind(trace, config, SizesByPage())
    faults: Faults = []
    engine.on_fault = lambda task, row, kind: faults.append((int(engine.clock.now), task, row, kind))
    engine.run()
    return engine, faults


# Both engines agree.


@LOOSE
@given(traces(), configs(), st.booleans())
def test_fast_equals_reference(trace: Trace, config: Config, quiet: bool) -> None:
    """Every counter, page, latency, sample and end time is the same whichever engine replays."""
    fast = left_behind(replayed(trace, config, quiet=quiet))
    assert fast == left_behind(replayed(trace, config, reference=True, quiet=quiet))


@LOOSE
@given(traces(), configs(**{"check.every": st.just(1)}))
def test_every_version_is_somewhere(trace: Trace, config: Config) -> None:
    """With the audit after every fault, no page version is lost, doubled or stale, and all books agree."""
    engine = replayed(trace, config, check=True, quiet=True)
    engine.machine.validate()


@LOOSE
@given(traces(), configs())
def test_time_adds_up(trace: Trace, config: Config) -> None:
    """Faults are minor or major, hits the rest; stalls are what the histograms hold; no run beats plenty of memory."""
    engine = replayed(trace, config, quiet=True)
    count, latency = engine.machine.counters, engine.machine.latency
    assert count.pgfault == count.minor_faults + count.major_store + count.major_device <= trace.accesses
    kinds = ("minor", "major_store", "major_device")
    assert [latency[kind].count for kind in kinds] == [count.minor_faults, count.major_store, count.major_device]
    assert sum(latency[kind].total_ns for kind in kinds) == count.stall_ns
    assert latency["direct_reclaim"].total_ns == count.direct_reclaim_ns
    assert engine.outcome == "oom" or engine.end_ns() >= engine.unlimited_ns


@settings(LOOSE, max_examples=60)
@given(traces(), configs())
def test_watching_changes_nothing(trace: Trace, config: Config) -> None:
    """The same again gives the same, and so does a replay that tells how far it is."""
    told: list[tuple[int, int]] = []
    engine = Engine(trace, config, SizesByHash())
    engine.run(lambda done, all_: told.append((done, all_)))
    assert left_behind(engine) == left_behind(replayed(trace, config))
    assert told == sorted(told)


def test_scans_are_void_after_an_eviction() -> None:
    """What was seen ahead of a task counts no more once another task's fault took one of its pages.

    Nothing is due for long, so the quiet task is seen to hit to its end before the greedy one pushes its pages out.
    """
    quiet = [(page, 0) for page in range(6)] * 40
    greedy = [(page % 30, 1) for page in range(60)]
    trace = make_trace([quiet, greedy], [[100 * row for row in range(240)], [5000 + 20 * row for row in range(60)]])
    config = config_of(pages=16, memory__mode="memcg", reclaim__policy="fifo", reclaim__batch=4, store="none")
    fast = replayed(trace, config, quiet=True)
    assert fast.machine.counters.pgfault > 6 + 60
    assert left_behind(fast) == left_behind(replayed(trace, config, reference=True, quiet=True))


# The order of time: by (start, task); an event comes before the accesses that start at its time.


@BOTH
def test_events_come_before_accesses_of_their_time(kind: type[Engine]) -> None:
    """A sample at 1,000 ns counts the accesses that started before then, not the one that starts at 1,000."""
    engine, _ = watched(kind, make_trace([[(0, 0)] * 2555]), config_of(**PLENTY))
    assert engine.sampler.interval_ns == (500 + 2555 * 100) // 256 == 1000
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in engine.sampler.rows[:4]]
    # Access 0 starts at 0 and stalls for 500; access r > 0 starts at 500 + 100 r.
    assert [(row["time_ns"], row["accesses"]) for row in rows] == [(0, 0), (1000, 5), (2000, 15), (3000, 25)]


@BOTH
def test_lower_task_first(kind: type[Engine]) -> None:
    """Accesses that start at the same time happen in the order of their tasks."""
    trace = make_trace([[(0, 0), (1, 0)], [(0, 0), (1, 0)], [(0, 0), (1, 0)]], [[0, 700], [0, 700], [0, 600]])
    _, faults = watched(kind, trace, config_of(**PLENTY))
    assert [fault[:3] for fault in faults] == [
        (0, 0, 0), (0, 1, 0), (0, 2, 0), (1100, 2, 1), (1200, 0, 1), (1200, 1, 1),
    ]  # fmt: skip


@BOTH
@pytest.mark.parametrize("toucher", [0, 1])
def test_a_hit_at_the_time_of_a_fault(kind: type[Engine], toucher: int) -> None:
    """A fault of task 1 at T sees that task 0 used its page at T; a fault of task 0 takes that of task 1 before it.

    Eight frames are full at T = 10,000 and the toucher's page is the least recently used, unless it is used at T.
    """
    tasks = [[(0, 0), (0, 0)], [(page, 0) for page in range(8)]]
    times = [[0, 10_000 - 500], [*range(1, 8), 10_000 - 7 * 500]]
    if toucher == 1:
        tasks.reverse()
        times.reverse()
    config = config_of(pages=8, memory__mode="memcg", reclaim__policy="lru", reclaim__batch=1)
    engine = kind(make_trace(tasks, times), config, SizesByPage(same=range(9)))
    faults: list[tuple[int, int, int]] = []
    engine.on_fault = lambda task, row, _: faults.append((int(engine.clock.now), task, row))
    engine.run()
    assert faults[8:] == ([(10_000, 1, 7)] if toucher == 0 else [(10_000, 0, 7), (10_000, 1, 1)])


@BOTH
def test_a_task_starts_where_its_parent_has_come(kind: type[Engine]) -> None:
    """A child's clock starts at the end of the row before its first; from there on both go on side by side."""
    trace = make_trace([[(0, 0), (1, 0), (2, 0)], [(0, 0), (1, 0)]], starts_after=[None, (0, 1)])
    engine, faults = watched(kind, trace, config_of(**PLENTY))
    # Row 1 of task 0 starts at 600, stalls to 1,100 and takes 100 ns: row 2 and the child start at 1,200.
    assert [fault[:3] for fault in faults] == [(0, 0, 0), (600, 0, 1), (1200, 0, 2), (1200, 1, 0), (1800, 1, 1)]
    assert engine.end_ns() == 2400


@BOTH
def test_a_chain_of_tasks(kind: type[Engine]) -> None:
    """Tasks that start at the end of one another run one by one, in time of their own."""
    tasks = [[(0, 1), (0, 0)], [(0, 1)], [(0, 1)]]
    trace = make_trace(tasks, [[0, 5000], [70], [0]], starts_after=[None, (0, 1), (1, 0)])
    engine, faults = watched(kind, trace, config_of(**PLENTY))
    # 5,500 + 100 is the end of task 0; task 1 begins 70 ns into its own time, stalls 500 and takes 100.
    assert [fault[:3] for fault in faults] == [(0, 0, 0), (5670, 1, 0), (6270, 2, 0)]
    assert engine.end_ns() == 6870


@BOTH
def test_remapped_pages_are_given_up_first(kind: type[Engine]) -> None:
    """Before the row named the task unmaps a page: it holds no frame then, and its next touch is a first one."""
    trace = make_trace([[(0, 1), (1, 1), (2, 0), (0, 0)]], remaps=[[(2, 0), (2, 1)]])
    engine, faults = watched(kind, trace, config_of(**PLENTY))
    assert [fault[2:] for fault in faults] == [(row, "minor") for row in range(4)]
    assert (engine.machine.memory.frames, engine.machine.memory.flags[1]) == (2, 0)
    engine.machine.validate()


# What comes out.


@BOTH
def test_hits_alone_take_their_time(kind: type[Engine]) -> None:
    """One first touch, 999 hits: one fault, no event of their own, and an exact end."""
    engine, faults = watched(kind, make_trace([[(0, 1)] * 1000]), config_of(**PLENTY))
    assert faults == [(0, 0, 0, "minor")]
    assert engine.end_ns() == 1000 * 100 + 500
    assert engine.machine.counters.stall_ns == 500


def test_hits_with_times_of_their_own() -> None:
    """A trace with times ends one access after its last row, later by its stalls."""
    engine = replayed(make_trace([[(0, 0)] * 3], [[0, 50, 1000]]), config_of(cost__access_ns=30, **PLENTY))
    assert engine.end_ns() == 1000 + 500 + 30


@LOOSE
@given(traces())
def test_unlimited_memory_is_no_slowdown(trace: Trace) -> None:
    """With memory for everything the runtime is exactly what slowdown is measured by."""
    engine = replayed(trace, config_of(**PLENTY), quiet=True)
    assert engine.end_ns() == engine.unlimited_ns == unlimited_runtime_ns(trace, engine.config)
    assert engine.machine.counters.major_store == engine.machine.counters.major_device == 0


def test_unlimited_memory_with_remaps_is_no_slowdown() -> None:
    """A page that came back after it was given up is a first touch again, in plenty of memory too."""
    trace = make_trace([[(0, 1), (1, 1), (0, 0)]], remaps=[[(2, 0)]])
    engine = replayed(trace, config_of(**PLENTY))
    assert engine.end_ns() == engine.unlimited_ns


@BOTH
def test_out_of_memory_is_a_result(kind: type[Engine]) -> None:
    """The replay stops at the fault that found nothing to reclaim, with everything in order."""
    config = config_of(pages=8, memory__mode="memcg", store="none", swap__size="4K", reclaim__policy="fifo")
    engine, faults = watched(kind, make_trace([[(page, 1) for page in range(20)]]), config)
    assert engine.outcome == "oom"
    assert [fault[2] for fault in faults] == list(range(9))
    assert engine.machine.cursors == [9]
    assert engine.end_ns() == int(engine.clock.now) >= faults[-1][0]
    assert engine.sampler.rows[-1][0] == engine.end_ns()
    engine.machine.validate()


@BOTH
def test_a_blocked_task_goes_on_when_a_write_ends(kind: type[Engine]) -> None:
    """Its access starts when it first faulted; the write of 4 pages it waits for is part of its stall."""
    config = config_of(pages=8, memory__mode="memcg", store="none", reclaim__policy="fifo", reclaim__batch=4)
    engine, faults = watched(kind, make_trace([[(page, 1) for page in range(9)]]), config)
    first_ns = 8 * 600
    done_ns = first_ns + -(-4 * 4096 // 3) + 20_000
    assert faults[-1] == (done_ns, 0, 8, "minor")
    assert engine.machine.latency["minor"].max_ns == done_ns - first_ns + 500
    assert engine.end_ns() == done_ns + 600
    assert engine.machine.counters.direct_reclaim_ns == done_ns - first_ns


@pytest.mark.parametrize(
    ("name", "percent"),
    [("gcc", "50%"), ("sort", "75%"), ("sqlite", "25%")],
)
def test_recordings_conserve_their_pages(name: str, percent: str) -> None:
    """Real programs, their own contents: no audit objects, and the end is reached."""
    trace = open_trace(RECORDINGS / name)
    config = config_of(memory__size=percent, check__every=4000)
    engine = Engine(trace, config, load_contents(trace, config.compressor), check=True)
    engine.run()
    assert engine.outcome == "done"
    assert engine.machine.cursors == [len(task.accesses) for task in trace.tasks]
    assert engine.end_ns() > engine.unlimited_ns
    count = engine.machine.counters
    assert count.zswpout > 0 and count.zswpin > 0
    first_touches = sum(len(np.unique(task.accesses >> 1)) for task in trace.tasks)
    assert count.minor_faults >= first_touches


@pytest.mark.parametrize("make", [Engine, ReferenceEngine])
@pytest.mark.parametrize(("task_exit", "left"), [(True, 1), (False, 9)])
def test_a_task_that_ends_gives_up_its_memory(make: type[Engine], task_exit: bool, left: int) -> None:
    """Frames, slots and copies of the first to end; what its file had in memory stays; the last task keeps all."""
    short = [(page, 1) for page in range(9)]
    trace = make_trace([short, [(page, 1) for page in range(40)] * 3], files=frozenset({(0, 8)}))
    config = config_of(memory__mode="memcg", memory__size=30 * 4096, memory__task_exit=task_exit)
    engine = make(trace, config, SizesByHash(), check=True)
    engine.run()
    memory = engine.machine.memory
    kept = [page for page in range(9) if memory.flags[page]]
    assert len(kept) == left
    assert sum(slot >= 0 for slot in memory.slot[:8]) == (0 if task_exit else 8)
    assert all(memory.flags[page] for page in range(9, 49))
