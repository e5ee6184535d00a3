"""Accesses per second where nearly all hit, against libcachesim's LRU on the same accesses in the same run.

    python benchmarks/hits.py [TRACE ...] [--accesses 20000000] [--runs 5]

The recording is repeated as one task until it has enough accesses. Both sides run alternately and are timed in CPU
time once opened: `Engine.run` here, `process_trace` over an oracleGeneral file there, medians of all runs. Needs numba
and libcachesim.

"All fits": a cache of as many objects as there are pages never evicts; `reclaim.batch = 1` means the same here, for it
keeps no frames in reserve (with a batch of 32 a machine as large as its pages would reclaim to its watermarks). Below
that, on a quarter of the accesses, misses of exact LRU must be libcachesim's.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import libcachesim
import numpy as np
import numpy.typing as npt

from zsim.config import load_config
from zsim.contents import load_contents
from zsim.engine import Engine
from zsim.traces import TaskTrace, Trace, open_trace

Comparison = tuple[float, float, Engine, int]
"""Median CPU seconds of each side, the last engine, libcachesim's misses."""

ORACLE_GENERAL = np.dtype([("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next_access", "<i8")])


def repeated(trace: Trace, accesses: int) -> Trace:
    """All tasks one after the other as one task, again and again; what it remaps or writes is left out."""
    once = np.concatenate([task.accesses for task in trace.tasks])
    times = -(-accesses // len(once))
    task = TaskTrace("all", np.tile(once, times), _times_ns(trace, times))
    return Trace(
        name=trace.name, digest="", tasks=[task], pages=trace.pages, footprint_pages=trace.pages,
        owner=np.zeros(trace.pages, np.uint16), is_file=trace.is_file, numbers=np.arange(trace.pages, dtype=np.uint64),
        images=trace.images, content=trace.content,
    )  # fmt: skip


def _times_ns(trace: Trace, times: int) -> npt.NDArray[np.int64] | None:
    if any(task.times_ns is None for task in trace.tasks):
        return None
    start, once = 0, []
    for task in trace.tasks:
        assert task.times_ns is not None
        once.append(task.times_ns + start)
        start = int(once[-1][-1]) + 1
    starts = np.arange(times, dtype=np.int64) * start
    return (np.concatenate(once) + starts[:, None]).ravel()


def untimed(trace: Trace) -> Trace:
    """The same accesses, 100 ns each."""
    return Trace(**{**vars(trace), "tasks": [TaskTrace("all", trace.tasks[0].accesses)]})


def engine_of(trace: Trace, pages: int, policy: str, **values: object) -> Engine:
    """A replay, ready to run."""
    config = load_config(memory=str(pages * 4096), reclaim__policy=policy, **values)
    return Engine(trace, config, load_contents(trace, config.compressor))


def misses(engine: Engine) -> int:
    """First touches and major faults: minor faults of a page that is already there are hits to a cache."""
    counters = engine.machine.counters
    return len(np.unique(engine.trace.tasks[0].accesses >> 1)) + counters.major_store + counters.major_device


def write_oracle_general(trace: Trace, path: Path) -> None:
    """One page, one object of size 1."""
    rows = np.zeros(trace.accesses, ORACLE_GENERAL)
    rows["object"] = (trace.tasks[0].accesses >> 1) + 1
    rows["size"] = 1
    rows["next_access"] = -2
    rows.tofile(path)


class Lru:
    """libcachesim's LRU as its users run it."""

    def __init__(self, path: Path, accesses: int) -> None:
        self.accesses = accesses
        self.reader = libcachesim.TraceReader(str(path), libcachesim.TraceType.ORACLE_GENERAL_TRACE)

    def run(self, pages: int) -> tuple[float, int]:
        """CPU seconds and misses."""
        self.reader.reset()
        cache = libcachesim.LRU(pages)
        seconds, (ratio, _) = timed(lambda: cache.process_trace(self.reader))
        return seconds, round(ratio * self.accesses)


def timed(what: Callable[[], object]) -> tuple[float, tuple]:
    began = time.process_time()
    result = what()
    return time.process_time() - began, result


def compare(trace: Trace, lru: Lru, pages: int, policy: str, runs: int, **values: object) -> Comparison:
    """Run both sides alternately."""
    ours, theirs = [], []
    for _ in range(runs):
        engine = engine_of(trace, pages, policy, **values)
        ours.append(timed(engine.run)[0])
        seconds, missed = lru.run(pages)
        theirs.append(seconds)
    return median(ours), median(theirs), engine, missed


def row(what: str, trace: Trace, result: Comparison) -> None:
    seconds, lru_seconds, engine, missed = result
    faults = engine.machine.counters.pgfault
    print(
        f"{what:<34}{trace.accesses / seconds / 1e6:8.1f}{trace.accesses / lru_seconds / 1e6:9.1f}"
        f"{lru_seconds / seconds:8.2f}{misses(engine):10}{missed:10}{faults:10}{seconds / faults * 1e6:9.1f}"
    )


def main() -> None:
    """One table per recording."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", nargs="*", default=["traces/sort"])
    parser.add_argument("--accesses", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    for name in args.trace:
        trace = open_trace(name)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "accesses.bin"
            all_fits(repeated(trace, args.accesses), path, args.runs)
            short(repeated(trace, args.accesses // 4), path)


def all_fits(trace: Trace, path: Path, runs: int) -> None:
    write_oracle_general(trace, path)
    lru = Lru(path, trace.accesses)
    cache = {"reclaim__batch": 1, "store": "none"}
    engine_of(trace, trace.pages, "two-list", **cache).run()
    print(
        f"\n{trace.name}: {trace.accesses:,} accesses of {trace.pages:,} pages; million accesses a second of CPU time"
    )
    print(f"{'':<34}{'zsim':>8}{'lcs LRU':>9}{'ratio':>8}{'misses':>10}{'lcs':>10}{'faults':>10}{'us/fault':>9}")
    row("two-list, all fits", trace, compare(trace, lru, trace.pages, "two-list", runs, **cache))
    row("exact LRU, all fits", trace, compare(trace, lru, trace.pages, "lru", runs, **cache))
    row("exact LRU, all fits, no times", trace, compare(untimed(trace), lru, trace.pages, "lru", runs, **cache))


def short(trace: Trace, path: Path) -> None:
    write_oracle_general(trace, path)
    lru = Lru(path, trace.accesses)
    cache = {"reclaim__batch": 1, "store": "none"}
    for percent in (75, 50, 25):
        pages = trace.pages * percent // 100
        row(f"exact LRU, {percent} %", trace, compare(trace, lru, pages, "lru", 1, **cache))
        row(f"two-list, {percent} %, plain swap", trace, compare(trace, lru, pages, "two-list", 1, store="none"))
        row(f"two-list, {percent} %, zswap and zbud", trace, compare(trace, lru, pages, "two-list", 1))


if __name__ == "__main__":
    main()
