"""The tables of docs/writeback.md: where writeback belongs, store by store, from the studies in configs/writeback.

    python benchmarks/writeback.py [--results DIR] [--update docs/writeback.md]

About 160 replays, each a second or two; what is in DIR already is not run again. Without --update the tables are
printed. A line `<!-- NAME -->` in the page has the table of that name after it.
"""

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
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
INVERTED = ["zram before disk", "zswap 6.1", "zswap 6.12"]
BY_AGE = ["daemon", "reclaim", "shrinker"]
ON_DISK = "plain swap, 6.12, before a disk"
NO_SWAP_AT = ("sqlite", "70%")
ENTRY_BYTES = range(56, 73)
"""zswap's entry with its red-black node, by kernel."""


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


def slowdown(result: Result) -> str:
    """Times the runtime with unlimited memory; or how far it came."""
    value = result.metrics["slowdown"]
    if value is None:
        return f"OOM at {(result.metrics['accesses'] or 0) / result.trace['accesses']:.0%}"
    return f"{value:.2f}"


def time_of(value_ns: float | None) -> str:
    """A latency, where there is one."""
    return "-" if value_ns is None else format_ns(value_ns)


def fault_tail(result: Result) -> str:
    """The 99th percentile and the longest of the faults of all kinds together."""
    merged = LatencyHistogram()
    for kind in FAULTS:
        merged.merge(LatencyHistogram.from_buckets(result.histograms[kind]))
    longest = max(result.latency_ns[kind]["max"] or 0 for kind in FAULTS)
    return f"{time_of(merged.percentile(99))} / {time_of(longest)}"


def store_tail(result: Result) -> str:
    """The same of stores."""
    store = result.latency_ns["store"]
    return f"{time_of(store['p99'])} / {time_of(store['max'])}"


def inversions(result: Result) -> str:
    """Pages that went to a device while older ones stayed, and how many of those that stayed were older."""
    metrics = result.metrics
    share = f" ({metrics['lru_inversion_share'] or 0:.0%})" if metrics["lru_inversions"] else ""
    return f"{metrics['lru_inversions']:,}{share}"


def pair(between: str, *names: str) -> Callable[[Result], str]:
    """Counts, in this form."""
    return lambda result: between.format(*(f"{result.metrics[name] or 0:,}" for name in names))


def direct_reclaim(result: Result) -> str:
    """How often, and how long in all."""
    return f"{result.metrics['allocstall']:,} ({format_ns(result.metrics['direct_reclaim_ns'] or 0)})"


CELLS: dict[str, Callable[[Result], str]] = {
    "slowdown": slowdown,
    "faults: store": pair("{}", "major_store"),
    "device": pair("{}", "major_device"),
    "swap in / out": pair("{} / {}", "pswpin", "pswpout"),
    "file reads": pair("{}", "filein"),
    "store p99 / max": store_tail,
    "fault p99 / max": fault_tail,
    "direct reclaim": direct_reclaim,
    "refused": pair("{}", "rejected_stores"),
    "inversions": inversions,
    "over the limit": pair("{}", "pool_pages_over_limit_peak"),
    "written back (again)": pair("{} ({})", "written_back_pages", "writeback_refaults"),
}


def cells(result: Result, without: str = "") -> list[str]:
    """All of CELLS but one."""
    return [cell(result) for name, cell in CELLS.items() if name != without]


def titles(*first: str, without: str = "") -> list[str]:
    """Their names, after others."""
    return [*first, *(name for name in CELLS if name != without)]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> str:
    """A table whose first `words` columns are text and whose others are figures."""
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, rule, *rows])


# Tables.


def placements(folder: Path, size: str) -> str:
    """Allocator by placement on the NVMe drive."""
    rows = [
        [at["allocator"], at["writeback"], *cells(result, without="file reads")]
        for at, result in runs(folder, "placements")
        if (at["memory.size"], at["swap.device"]) == (size, "nvme")
    ]
    return markdown(titles("allocator", "writeback", without="file reads"), rows, 2)


def inversion(folder: Path) -> str:
    """Stores that send the newest pages to a device, and placements that send the oldest."""
    rows = []
    for at, result in runs(folder, "stores"):
        if at["series"] in INVERTED:
            rows.append(inversion_row(at["memory.size"], at["series"], result))
    for at, result in runs(folder, "placements"):
        if at["writeback"] in BY_AGE and (at["allocator"], at["swap.device"]) == ("zsmalloc", "nvme"):
            rows.append(inversion_row(at["memory.size"], f"zswap 6.12, {at['writeback']}", result))
    head = ["memory", "store", "to a device", "while older ones stayed", "older share", "read back"]
    return markdown(head, sorted(rows, key=lambda row: row[0]), 2)


def inversion_row(size: str, store: str, result: Result) -> list[str]:
    """What went to a device, and in what order."""
    metrics = result.metrics
    counts = (f"{metrics[name] or 0:,}" for name in ("pswpout", "lru_inversions"))
    return [size, store, *counts, f"{metrics['lru_inversion_share'] or 0:.0%}", f"{metrics['pswpin']:,}"]


def slow_device(folder: Path) -> str:
    """The slowdown of each placement before a disk."""
    plain = {at["memory.size"]: slowdown(result) for at, result in runs(folder, "stores") if at["series"] == ON_DISK}
    found: dict[tuple[str, str], dict[str, str]] = {}
    for at, result in runs(folder, "placements"):
        if at["swap.device"] == "hdd":
            found.setdefault((at["memory.size"], at["allocator"]), {})[at["writeback"]] = slowdown(result)
    rows = [[*key, plain[key[0]], *(row[place] for place in PLACES)] for key, row in found.items()]
    return markdown(["memory", "allocator", "plain swap", *PLACES], rows, 2)


def stores(folder: Path, size: str) -> str:
    """Every store as it was."""
    rows = [
        [at["series"], *cells(result, without="over the limit")]
        for at, result in runs(folder, "stores")
        if at["memory.size"] == size and at["series"] != ON_DISK
    ]
    return markdown(titles("store", without="over the limit"), rows, 1)


def page_cache(folder: Path) -> str:
    """What the zcaches did with clean pages of files."""
    rows = [
        [at["trace"], at["memory.size"], at["series"], *page_cache_cells(result)]
        for at, result in runs(folder, "page-cache")
    ]
    head = ["trace", "memory", "store", "puts", "never read", "reads saved", "processor", "reads left", "swap in"]
    return markdown([*head, "slowdown"], rows, 3)


def page_cache_cells(result: Result) -> list[str]:
    """Where there are puts, what came of them; and what was read all the same."""
    metrics, of_puts = result.metrics, ["-"] * 4
    if puts := metrics["puts"]:
        never, spent = f"{metrics['puts_never_read']:.0%}", format_ns(metrics["cleancache_ns"] or 0)
        of_puts = [f"{puts:,}", never, f"{metrics['succ_gets']:,}", spent]
    return [*of_puts, f"{metrics['filein']:,}", f"{metrics['pswpin']:,}", slowdown(result)]


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
    """How slow, or how far, by what stands where the swap device should."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for at, result in runs(folder, "no-swap"):
        found.setdefault((at["trace"], at["memory.size"]), {})[at["series"]] = slowdown(result)
    names = list(next(iter(found.values())))
    return markdown(["trace", "memory", *names], [[*key, *row.values()] for key, row in found.items()], 2)


def no_swap_cost(folder: Path) -> str:
    """What that takes, on one machine."""
    names = ["write_errors", "written_back_pages", "rejected_stores", "pgscan"]
    rows = [
        [at["series"], slowdown(result), *(f"{result.metrics[name]:,}" for name in names), compression(result)]
        for at, result in runs(folder, "no-swap")
        if (at["trace"], at["memory.size"]) == NO_SWAP_AT
    ]
    head = ["swap", "slowdown", "failed writes", "written back", "refused", "scanned", "compression (of runtime)"]
    return markdown(head, rows, 1)


def compression(result: Result) -> str:
    """Its processor time; where the run came to its end, as a share of the runtime."""
    metrics = result.metrics
    spent_ns = (metrics["compress_ns"] or 0) + (metrics["decompress_ns"] or 0)
    share = f" ({spent_ns / (metrics['runtime_ns'] or 1):.1%})" if result.outcome == "done" else ""
    return f"{format_ns(spent_ns)}{share}"


TABLES: dict[str, Callable[[Path], str]] = {
    **{f"placements {size}": partial(placements, size=size) for size in SIZES},
    "slow device": slow_device,
    "inversion": inversion,
    **{f"stores {size}": partial(stores, size=size) for size in SIZES},
    "page cache": page_cache,
    "metadata": metadata,
    "no swap": no_swap,
    "no swap cost": no_swap_cost,
}

if __name__ == "__main__":
    main()
