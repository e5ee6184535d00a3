"""Small machines for tests: traces made by hand or by hypothesis, contents without images, and what a replay leaves."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from zsim.allocators import ALLOCATORS
from zsim.audit import Audit
from zsim.config import Config, resolve
from zsim.devices import DEVICES
from zsim.engine import Engine, ReferenceEngine
from zsim.eras import ERAS
from zsim.faults import Faults
from zsim.machine import Machine
from zsim.reclaim import FREED, RECLAIM
from zsim.stores import STORES, Counting
from zsim.traces.trace import TaskTrace, Trace
from zsim.units import PAGE_SIZE
from zsim.vmscan import Vmscan
from zsim.writeback import WRITEBACK
from zsim.writes import Write


class SizesByHash:
    """Contents whose sizes depend on page and version only: some same-filled, some incompressible."""

    def __init__(self, contents: int = 97) -> None:
        self.size_bytes = [(content * 131) % 4300 + 20 for content in range(contents)]
        self.same_filled = bytearray(content % 11 == 0 for content in range(contents))
        self.recompressed_bytes = [size // 2 if size % 2 else size for size in self.size_bytes]
        self.zero_filled = bytearray(content % 22 == 0 for content in range(contents))

    def of(self, page: int, row: int, version: int) -> int:
        """A content id, the same whenever it is asked."""
        return (page * 7 + version * 13) % len(self.size_bytes)


class SizesByPage:
    """Contents named by page, whatever its version: sizes as told (1,000 bytes), and which pages are same-filled."""

    def __init__(self, sizes: dict[int, int] | None = None, same: Iterable[int] = (), zero: Iterable[int] = ()) -> None:
        self.size_bytes = [(sizes or {}).get(page, 1000) for page in range(1000)]
        self.same_filled = bytearray(page in {*same, *zero} for page in range(1000))
        self.zero_filled = bytearray(page in {*zero} for page in range(1000))

    def of(self, page: int, row: int, version: int) -> int:
        """The page's own number."""
        return page


def make_trace(
    tasks: list[list[tuple[int, int]]],
    times_ns: list[list[int]] | None = None,
    starts_after: list[tuple[int, int] | None] | None = None,
    files: frozenset[tuple[int, int]] = frozenset(),
    remaps: list[list[tuple[int, int]]] | None = None,
    switches: list[list[int]] | None = None,
) -> Trace:
    """A trace of (page, write) accesses per task; page numbers are the task's own."""
    numbering: dict[tuple[int, int], int] = {}
    built = []
    for number, accesses in enumerate(tasks):
        dense = [numbering.setdefault((number, page), len(numbering)) << 1 | write for page, write in accesses]
        built.append(
            TaskTrace(
                f"task{number}",
                np.array(dense, dtype=np.uint32),
                None if times_ns is None else np.array(times_ns[number], dtype=np.int64),
                None if starts_after is None else starts_after[number],
                [(row, numbering[number, page]) for row, page in (remaps[number] if remaps else ())],
                switches[number] if switches else [],
            )
        )
    keys = list(numbering)
    return Trace(
        name="made",
        digest="0" * 64,
        tasks=built,
        pages=len(keys),
        footprint_pages=len(keys),
        owner=np.array([task for task, _ in keys], dtype=np.uint16),
        is_file=np.array([key in files for key in keys], dtype=np.uint8),
        numbers=np.array([page for _, page in keys], dtype=np.uint64),
    )


def config_of(**values: Any) -> Config:
    """A configuration; `memory__mode="memcg"` names a dotted key, `pages` the memory in pages."""
    named = {name.replace("__", "."): value for name, value in values.items() if name != "pages"}
    if "pages" in values:
        named["memory.size"] = str(values["pages"] * PAGE_SIZE)
    return resolve(("test", named)).config


def replayed(trace: Trace, config: Config, reference: bool = False, check: bool = False, quiet: bool = False) -> Engine:
    """A finished replay; `quiet`: no samples on the way, so that nothing cuts the runs from fault to fault short."""
    engine = (ReferenceEngine if reference else Engine)(trace, config, SizesByHash(), check=check)
    if quiet:
        engine.sampler.interval_ns = 1 << 60
    engine.run()
    return engine


def left_behind(engine: Engine) -> dict[str, Any]:
    """Everything two equal replays must agree on."""
    machine = engine.machine
    memory = machine.memory
    return {
        "outcome": engine.outcome,
        "counters": machine.counters.as_dict(),
        "gauges": machine.gauges(),
        "end_ns": engine.end_ns(),
        "rows": [task.row for task in engine.tasks],
        "pte": bytes(memory.pte),
        "flags": bytes(memory.flags),
        "slots": memory.slot,
        "latency": {name: histogram.to_json() for name, histogram in machine.latency.items()},
        "series": engine.sampler.rows,
        "versions": machine.versions,
        "own": machine.store.statistics() if isinstance(machine.store, Counting) else {},
    }


class Bench:
    """A machine of `pages` pages without a clock: faults and evictions by hand, in memory to spare unless told.

    Pages leave in the order they came. Writes are in `writes` and end when `end_writes` is called.
    """

    def __init__(
        self, pages: int = 40, contents: Any = None, files: Iterable[int] = (), audited: bool = False, **values: Any
    ) -> None:
        trace = make_trace([[(page, 0) for page in range(pages)]], files=frozenset((0, page) for page in files))
        settings = {"reclaim__policy": "fifo", "memory__entry_bytes": 0, "memory__size": "800K"} | values
        self.machine = Machine(trace, config_of(**settings), contents or SizesByPage())
        self.memory, self.counters = self.machine.memory, self.machine.counters
        self.audit = Audit(trace, self.machine) if audited else None
        self.vmscan = Vmscan(self.machine, self.audit)
        self.faults = Faults(self.machine, self.vmscan, self.audit)
        self.writes: list[Write] = []
        self.machine.writes.on_write = self.writes.append

    def fault(self, page: int, write: int = 0, now_ns: int = 0, since_ns: int | None = None) -> int:
        """One fault: its cost in ns, or BLOCKED."""
        self.machine.begin(now_ns)
        return self.faults.fault(page, write, now_ns if since_ns is None else since_ns)

    def touch(self, *pages: int) -> None:
        """Read faults, one after the other."""
        for page in pages:
            self.fault(page)

    def evict(self, *pages: int) -> list[int]:
        """Have reclaim try these pages, in this order and in one batch; what became of each."""
        self.machine.begin(0)
        self.machine.drain_lru_add()
        outcomes = []
        for page in pages:
            self.machine.policy.remove(page)
            outcomes.append(self.vmscan.pageout(page))
            if outcomes[-1] != FREED:
                self.machine.policy.insert(page, False)
        self.machine.flush_writes()
        return outcomes

    def end_writes(self) -> None:
        """All writes so far end, in the order of their times."""
        for write in sorted(self.writes):
            self.machine.writes.reap(write.done_ns)
        self.writes.clear()

    def swap_out(self, *pages: int) -> None:
        """Touch pages and have them evicted, to the store or, once the writes have ended, to the device."""
        self.touch(*pages)
        kept = [page for page, outcome in zip(pages, self.evict(*pages), strict=True) if outcome != FREED]
        self.end_writes()
        assert self.evict(*kept) == [FREED] * len(kept)


@st.composite
def traces(draw: st.DrawFn, most_tasks: int = 3) -> Trace:
    """Random traces of a few tasks, with or without times, file pages, tasks that start others."""
    count = draw(st.integers(1, most_tasks))
    access = st.tuples(st.integers(0, draw(st.integers(4, 60))), st.integers(0, 1))
    tasks = [draw(st.lists(access, min_size=1, max_size=300)) for _ in range(count)]
    times = None
    if draw(st.booleans()):
        steps = [st.sampled_from([0, 0, 1, 50, 100, 1000, 100_000]) for _ in tasks]
        times = [
            np.cumsum(draw(st.lists(step, min_size=len(task), max_size=len(task)))).tolist()
            for task, step in zip(tasks, steps, strict=True)
        ]
    starts: list[tuple[int, int] | None] = [None]
    for number in range(1, count):
        parent = draw(st.integers(0, number - 1))
        starts.append(draw(st.one_of(st.none(), st.tuples(st.just(parent), st.integers(0, len(tasks[parent]) - 1)))))
    touched = sorted({(number, page) for number, task in enumerate(tasks) for page, _ in task})
    files = frozenset(draw(st.lists(st.sampled_from(touched), max_size=20)))
    return make_trace(tasks, times, starts, files)


def configs(**fixed: Any) -> st.SearchStrategy[Config]:
    """Random configurations over every registry an engine depends on, small enough to be short of memory."""
    values = {
        "era": st.sampled_from(list(ERAS)),
        "store": st.sampled_from(["zswap", *STORES.builtin]),
        "allocator": st.sampled_from(list(ALLOCATORS.builtin)),
        "writeback": st.sampled_from(list(WRITEBACK.builtin)),
        "memory.mode": st.sampled_from(["machine", "memcg"]),
        "memory.size": st.integers(8, 60).map(lambda pages: str(pages * PAGE_SIZE)),
        "memory.total": st.sampled_from(["auto", "100K", "1M"]),
        "memory.min_free_kbytes": st.sampled_from([0, 8, 16]),
        "memory.cgroups": st.sampled_from(["one", "task"]),
        "memory.entry_bytes": st.sampled_from([0, 95]),
        "memory.tlb_entries": st.sampled_from([0, 1, 7, 64]),
        "memory.tables": st.booleans(),
        "file.track_dirty": st.booleans(),
        "file.device": st.sampled_from(["nvme", "nvme", "hdd", "failing"]),
        "file.dirty_background_ratio": st.sampled_from([0, 10, 100]),
        "reclaim.policy": st.sampled_from(["two-list", "two-list", *RECLAIM.builtin]),
        "reclaim.batch": st.sampled_from([1, 4, 32]),
        "swap.device": st.sampled_from(list(DEVICES.builtin)),
        "swap.page_cluster": st.sampled_from([0, 0, 3]),
        "swap.size": st.sampled_from(["4x", "80K", "1x", "none"]),
        "zram.disksize": st.sampled_from(["auto", "40K"]),
        "zswap.nr_zpools": st.sampled_from([1, 1, 4]),
        "zswap.shrinker_enabled": st.sampled_from([False, False, True]),
        "zswap.max_pool_percent": st.sampled_from([1, 10, 20, 50]),
        "cost.wakeup_ns": st.sampled_from([0, 5000, 200_000]),
        "cost.processor": st.sampled_from(["own", "cfs", "eevdf"]),
        "cost.tick_ns": st.sampled_from([100_000, 4_000_000]),
    }
    return st.fixed_dictionaries({**values, **fixed}).map(lambda chosen: resolve(("random", chosen)).config)
