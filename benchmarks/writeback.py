"""The tables of docs/writeback.md: where writeback belongs, store by store, from the studies in configs/writeback.

    python benchmarks/writeback.py [--results DIR] [--update docs/writeback.md]

About 130 replays, each a second or two; what is in DIR already is not run again. Without --update the tables are
printed. A line `<!-- NAME -->` in the page has the table of that name after it.
"""

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import zsim
from zsim.histogram import LatencyHistogram
from zsim.results import Result
from zsim.stores.rbtree import RbTree
from zsim.studyfiles import load_studies
from zsim.units import format_bytes, format_ns

STUDIES = Path(__file__).parent.parent / "configs" / "writeback"
FAULTS = ("minor", "major_store", "major_device")
PLACES = ["store-path", "worker", "daemon", "reclaim", "shrinker", "none"]
SIZES = ["40%", "50%"]
ENTRY_BYTES = range(56, 73)
"""zswap's entry with its red-black node, by kernel."""

HEAD = [
    "slowdown", "faults: store", "device", "swap in / out", "file reads", "store p99 / max", "fault p99",
    "direct reclaim", "refused", "inversions", "written back (again)",
]  # fmt: skip


def main() -> None:
    """Sweep, and print or update."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results/writeback"), help="folder of the runs")
    parser.add_argument("--update", type=Path, help="the page to update")
    given = parser.parse_args()
    zsim.sweep(STUDIES, given.results)
    tables = {name: make(given.results) for name, make in TABLES.items()}
    if given.update:
        given.update.write_text(updated(given.update.read_text(), tables))
        return
    for name, table in tables.items():
        print(f"<!-- {name} -->\n{table}")


def updated(page: str, tables: dict[str, str]) -> str:
    """The page with each table in its place; a `KeyError` for a name that has none."""
    return re.sub(
        r"^<!-- ([\w ,%-]+) -->\n(?:\|.*\n)*",
        lambda found: f"<!-- {found[1]} -->\n{tables[found[1]]}",
        page,
        flags=re.M,
    )


def runs(folder: Path, study: str) -> list[tuple[dict[str, str], Result]]:
    """Every point of a study: its place on the axes, and its result."""
    (found,) = (each for each in load_studies(folder) if each.name == study)
    results = [({"trace": point.trace, **point.values}, found.result(point)) for point in found.points]
    return [(at, result) for at, result in results if result is not None]


# Cells.


def figures(result: Result) -> list[str]:
    """The cells under HEAD."""
    metrics, store = result.metrics, result.latency_ns["store"]
    share = f" ({metrics['lru_inversion_share'] or 0:.0%})" if metrics["lru_inversions"] else ""
    return [
        slowdown(result),
        f"{metrics['major_store']:,}",
        f"{metrics['major_device']:,}",
        f"{metrics['pswpin']:,} / {metrics['pswpout']:,}",
        f"{metrics['filein']:,}",
        f"{time_of(store['p99'])} / {time_of(store['max'])}",
        time_of(fault_percentile(result, 99)),
        f"{metrics['allocstall']:,} ({format_ns(metrics['direct_reclaim_ns'] or 0)})",
        f"{metrics['rejected_stores']:,}",
        f"{metrics['lru_inversions']:,}{share}",
        f"{metrics['written_back_pages']:,} ({metrics['writeback_refaults']:,})",
    ]


def slowdown(result: Result) -> str:
    """Times the runtime with unlimited memory; or how far it came."""
    value = result.metrics["slowdown"]
    if value is None:
        return f"OOM at {(result.metrics['accesses'] or 0) / result.trace['accesses']:.0%}"
    return f"{value:.2f}"


def time_of(value_ns: float | None) -> str:
    """A latency, where there is one."""
    return "-" if value_ns is None else format_ns(value_ns)


def fault_percentile(result: Result, percent: float) -> int | None:
    """Of the faults of all kinds together."""
    merged = LatencyHistogram()
    for kind in FAULTS:
        merged.merge(LatencyHistogram.from_buckets(result.histograms[kind]))
    return merged.percentile(percent)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> str:
    """A table whose first `words` columns are text and whose others are figures."""
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, rule, *rows])


# Tables.


def placements(folder: Path, size: str) -> str:
    """Allocator by placement on the NVMe drive."""
    rows = [
        [at["allocator"], at["writeback"], *figures(result)]
        for at, result in runs(folder, "placements")
        if (at["memory.size"], at["swap.device"]) == (size, "nvme")
    ]
    return markdown(["allocator", "writeback", *HEAD], rows, 2)


def slow_device(folder: Path) -> str:
    """The slowdown of each placement before a disk."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for at, result in runs(folder, "placements"):
        if at["swap.device"] == "hdd":
            cells.setdefault((at["memory.size"], at["allocator"]), {})[at["writeback"]] = slowdown(result)
    rows = [[*key, *(found[place] for place in PLACES)] for key, found in cells.items()]
    return markdown(["memory", "allocator", *PLACES], rows, 2)


def stores(folder: Path, size: str) -> str:
    """Every store as it was."""
    rows = [[at["series"], *figures(r)] for at, r in runs(folder, "stores") if at["memory.size"] == size]
    return markdown(["store", *HEAD], rows, 1)


def page_cache(folder: Path) -> str:
    """What the zcaches did with clean pages of files."""
    rows = []
    for at, result in runs(folder, "stores"):
        metrics = result.metrics
        if at["series"].startswith("zcache") and metrics["puts"] or at["series"] == "no store":
            puts = metrics["puts"]
            cells = [f"{puts:,}", f"{metrics['puts_never_read']:.0%}", f"{metrics['succ_gets']:,}",
                     format_ns(metrics["cleancache_ns"] or 0)] if puts else ["-"] * 4  # fmt: skip
            rows.append([at["memory.size"], at["series"], *cells, f"{metrics['filein']:,}", slowdown(result)])
    head = ["memory", "store", "puts", "never read", "reads saved", "processor", "reads left", "slowdown"]
    return markdown(head, rows, 2)


def metadata(folder: Path) -> str:
    """tmem's bytes and steps for each page against those of zswap's one tree, for the most pages there ever were."""
    rows = []
    for at, result in runs(folder, "stores"):
        metrics, pages = result.metrics, int(result.metrics["stored_pages_peak"] or 0)
        if at["series"].startswith("zcache"):
            held = metrics["tmem_metadata_bytes"] or 0
            steps = (metrics["tmem_lookup_steps"] or 0) / (metrics["tmem_lookups"] or 1)
            counts = f"{metrics['obj_count_max']:,} objects, {metrics['objnode_count_max']:,} nodes"
            tmem = [counts, format_bytes(held), f"{held / pages:.0f} B", f"{steps:.1f}"]
        elif at["series"] == "zswap 3.11":
            low, high = (format_bytes(pages * size) for size in (ENTRY_BYTES[0], ENTRY_BYTES[-1]))
            tmem = [
                f"{pages:,} entries",
                f"{low} to {high}",
                f"{ENTRY_BYTES[0]} to {ENTRY_BYTES[-1]} B",
                tree_steps(pages),
            ]
        else:
            continue
        rows.append([at["memory.size"], at["series"], f"{pages:,}", *tmem])
    return markdown(["memory", "store", "most pages", "of", "bytes", "a page", "steps a lookup"], rows, 2)


def tree_steps(pages: int) -> str:
    """Mean nodes met looking up each of so many neighbouring slots in one red-black tree."""
    tree: RbTree[int] = RbTree()
    for slot in range(pages):
        tree.insert(slot, slot)
    return f"{sum(tree.find(slot)[1] for slot in range(pages)) / pages:.1f}"


def no_swap(folder: Path) -> str:
    """The failing device and the mode without writeback."""
    rows = []
    for at, result in runs(folder, "no-swap"):
        metrics = result.metrics
        spent_ns = (metrics["compress_ns"] or 0) + (metrics["decompress_ns"] or 0)
        cells = [f"{metrics[name]:,}" for name in ("write_errors", "written_back_pages", "rejected_stores")]
        share = f"{format_ns(spent_ns)} ({spent_ns / (metrics['runtime_ns'] or 1):.1%})"
        rows.append([at["trace"], at["memory.size"], at["series"], slowdown(result), *cells, share])
    head = [
        "trace",
        "memory",
        "swap",
        "slowdown",
        "failed writes",
        "written back",
        "refused",
        "compression (of runtime)",
    ]
    return markdown(head, rows, 3)


TABLES: dict[str, Callable[[Path], str]] = {
    **{f"placements {size}": lambda folder, size=size: placements(folder, size) for size in SIZES},
    "slow device": slow_device,
    **{f"stores {size}": lambda folder, size=size: stores(folder, size) for size in SIZES},
    "page cache": page_cache,
    "metadata": metadata,
    "no swap": no_swap,
}

if __name__ == "__main__":
    main()
