"""What a fault costs the simulator, and where the time goes.

    python benchmarks/faults.py [TRACE ...] [--accesses 1000000] [--memory 50%]

Machines short of memory: a cgroup, which is charged with compressed bytes only, so that the pool holds all that it
evicts (faults are pool hits); two with plain swap (faults read the device, evictions of dirty pages write to it). CPU
time of `Engine.run`, less that of the same accesses with memory for all, per fault; evictions and the daemons' work are
in it. The split is from a second run under cProfile, which makes small functions look dearer than they are: read it as
shares.
"""

import argparse
import cProfile
import pstats
import time
from statistics import median

from hits import misses, repeated, untimed

from zsim.config import load_config
from zsim.contents import load_contents
from zsim.engine import Engine
from zsim.traces import Trace, open_trace

MACHINES: dict[str, dict[str, object]] = {
    "pool hits (zswap, zbud, memcg)": {"memory__mode": "memcg"},
    "disk (no store, nvme)": {"store": "none"},
    "disk, one page at a time, LRU": {"store": "none", "reclaim__batch": 1, "reclaim__policy": "lru"},
}
SHOWN = 18


def engine_of(trace: Trace, memory: str, values: dict[str, object]) -> Engine:
    config = load_config(memory=memory, **values)
    return Engine(trace, config, load_contents(trace, config.compressor))


def seconds(engine: Engine) -> float:
    began = time.process_time()
    engine.run()
    return time.process_time() - began


def split(engine: Engine) -> list[tuple[float, int, str]]:
    """(share of the time in the function itself, calls, where), the dearest first."""
    profile = cProfile.Profile()
    profile.runcall(engine.run)
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(own for _, _, own, _, _ in stats.values())
    rows = [(own / total, calls, _place(where)) for where, (_, calls, own, _, _) in stats.items()]
    return sorted(rows, reverse=True)[:SHOWN]


def _place(where: tuple[str, int, str]) -> str:
    path, _, name = where
    return f"{path.rpartition('zsim/')[2].removesuffix('.py')}.{name}" if path != "~" else name


def measure(trace: Trace, memory: str, runs: int) -> None:
    print(f"{trace.name}: {trace.accesses:,} accesses of {trace.pages:,} pages, memory {memory}")
    for name, values in MACHINES.items():
        hits_s = median(seconds(engine_of(trace, "200%", values)) for _ in range(runs))
        engines = [engine_of(trace, memory, values) for _ in range(runs)]
        faults_s = median(map(seconds, engines)) - hits_s
        report(name, engines[0], faults_s)
        for share, calls, where in split(engine_of(trace, memory, values)):
            print(f"  {share:6.1%} {calls:>10,}  {where}")


def report(name: str, engine: Engine, faults_s: float) -> None:
    counters, touched = engine.machine.counters, engine.trace.pages
    steal = counters.pgsteal_direct + counters.pgsteal_kswapd
    print(
        f"\n{name}: {faults_s / counters.pgfault * 1e6:.1f} us a fault; {counters.pgfault:,} faults "
        f"({counters.major_store:,} pool, {counters.major_device:,} device, {misses(engine) - touched:,} major), "
        f"{steal:,} pages freed, {counters.pgscan:,} scanned, {counters.pswpout:,} written"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", nargs="*", default=["traces/sort"])
    parser.add_argument("--accesses", type=int, default=1_000_000)
    parser.add_argument("--memory", default="50%")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    for name in args.trace:
        measure(untimed(repeated(open_trace(name), args.accesses)), args.memory, args.runs)


if __name__ == "__main__":
    main()
