"""What `zsim trace reduce` leaves out, and how far replays of what is left are off.

    python benchmarks/reduce.py [TRACE ...] [--share 0.25]

Each recording is reduced for a memory of a share of its pages, and replayed with that and more: major faults of the
whole recording, and in how many per cent the reduced ones differ, under exact LRU (as a cache: no store, one page
reclaimed at a time) and under Linux's two lists with zswap.
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

from zsim import load_config, replay
from zsim.traces import Trace, open_table, open_trace
from zsim.traces.build import build
from zsim.traces.columns import Table
from zsim.traces.reduce import METHODS, reduced

MACHINES: dict[str, dict[str, Any]] = {
    "lru": {"reclaim__policy": "lru", "reclaim__batch": 1, "store": "none"},
    "two-list, zswap": {"reclaim__policy": "two-list"},
}
SHARES = (1.0, 1.25, 1.5, 2.0, 3.0)


def less(name: str, whole: Trace, pages: int, method: str) -> Trace:
    """The recording reduced, and a line on what that did."""
    began = time.process_time()
    table = reduced(open_table(f"{name}.trace.parquet"), pages, method)
    runs = list(table.chunks)
    seconds = time.process_time() - began
    found = build(Table(iter(runs), table.header), whole.name, whole.images)
    share = found.accesses / whole.accesses
    print(f"  {method:<10}{found.accesses:9,} rows ({share:.1%}), {whole.accesses / seconds / 1e6:.2f} M rows/s")
    return found


def faults(trace: Trace, pages: int, values: dict[str, Any]) -> int:
    """Major faults of a replay with so many pages of memory."""
    metrics = replay(trace, load_config(memory=str(pages * 4096), **values)).metrics
    return int(metrics["pgmajfault"] or 0)


def lines(traces: dict[str, Trace], least: int, footprint: int) -> Iterator[str]:
    """A line for each policy and memory: major faults of the whole, difference of the others."""
    for policy, values in MACHINES.items():
        for pages in [round(least * share) for share in SHARES if least * share < footprint]:
            whole, *others = (faults(trace, pages, values) for trace in traces.values())
            off = "".join(f"{(other - whole) / max(whole, 1):10.2%}" for other in others)
            yield f"  {policy:<18}{pages:7,} pages{whole:9,}{off}"


def main() -> None:
    """A table for each recording."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", nargs="*", default=["traces/gcc", "traces/sort", "traces/sqlite"])
    parser.add_argument("--share", type=float, default=0.25)
    args = parser.parse_args()
    for name in args.trace:
        whole = open_trace(name)
        least = round(whole.footprint_pages * args.share)
        print(f"{name}: {whole.accesses:,} rows, {whole.footprint_pages:,} pages; reduced for {least:,} pages")
        traces = {"whole": whole} | {method: less(name, whole, least, method) for method in METHODS}
        print(f"  {'':<31}{'faults':>9}{'sad':>10}{'batches':>10}")
        for line in lines(traces, least, whole.footprint_pages):
            print(line, flush=True)


if __name__ == "__main__":
    main()
