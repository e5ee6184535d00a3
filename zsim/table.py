"""The table a person reads after a run."""

from statistics import median
from typing import Any

from zsim.happened import happened
from zsim.results import Result
from zsim.tablepool import pool_lines, store_words
from zsim.tabletext import NONE, aligned, columns, ns, number
from zsim.units import PAGE_SIZE, format_bytes, format_ns, parse_bytes

FAULTS = {
    "minor": ("minor", "minor_faults"),
    "major, from the store": ("major_store", "major_store"),
    "major, from a device": ("major_device", "major_device"),
}
TIMES = {
    "direct reclaim": "direct_reclaim",
    "storing a page": "store",
    "writing a page back": "writeback",
    "freeing a pool frame": "free_page",
}


def table(result: Result) -> str:
    """At most 40 lines of at most 100 columns."""
    parts = (_what, happened, _latencies, pool_lines, _devices, _time)
    blocks = [lines for part in parts if (lines := part(result))]
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def warnings(result: Result) -> list[str]:
    """What the reader should know before believing the table."""
    return [text for text in (_drawn(result), _too_small(result)) if text]


# What ran.


def _what(result: Result) -> list[str]:
    config, trace = result.config, result.trace
    memory, footprint_bytes = config["memory"], trace["footprint_pages"] * PAGE_SIZE
    size_bytes = parse_bytes(memory["size"], footprint_bytes)
    tasks = f", {trace['tasks']} tasks" if trace["tasks"] > 1 else ""
    files = f", {trace['file_pages']:,} of them page cache" if trace["file_pages"] else ""
    what = [
        ("trace", f"{trace['name']}: {trace['accesses']:,} accesses, {trace['footprint_pages']:,} pages{files}{tasks}"),
        (
            "memory",
            f"{format_bytes(size_bytes)} ({size_bytes / footprint_bytes:.0%} of {format_bytes(footprint_bytes)}), "
            f"mode {memory['mode']}, reclaim {config['reclaim']['policy']}, era {config['era']}",
        ),
        ("store", store_words(result)),
        ("swap", _swap(config["swap"])),
    ]
    return aligned(what)


def _swap(swap: dict[str, Any]) -> str:
    if swap["size"] == "none":
        return "no device"
    pages = 1 << swap["page_cluster"]
    return f"{swap['device']}, readahead of {pages} pages" if pages > 1 else f"{swap['device']}, no readahead"


# Faults and other latencies.


def _latencies(result: Result) -> list[str]:
    pgfault, accesses = number(result, "pgfault"), number(result, "accesses")
    rows: list[tuple[str, ...]] = [("faults", "count", "of accesses", "mean", "p50", "p99", "max")]
    for label, (latency, metric) in FAULTS.items():
        if latency == "major_store" and result.config["store"] == "none":
            continue
        rows.append(_latency_row(result, label, latency, number(result, metric), accesses))
    rows.append(("all", f"{pgfault:,.0f}", _share(pgfault, accesses), "", "", "", ""))
    rows.append(("other latencies", "count", "", "mean", "p50", "p99", "max"))
    for label, latency in TIMES.items():
        if result.latency_ns[latency]["count"]:
            rows.append(_latency_row(result, label, latency, result.latency_ns[latency]["count"] or 0, 0))
    if rows[-1][0] == "other latencies":
        rows.pop()
    return columns(rows, headings={"faults", "other latencies"})


def _latency_row(result: Result, label: str, latency: str, count: float, of: float) -> tuple[str, ...]:
    figures = result.latency_ns[latency]
    times = (figures[name] for name in ("mean", "p50", "p99", "max"))
    return (label, f"{count:,.0f}", _share(count, of), *(NONE if t is None else format_ns(t) for t in times))


def _share(amount: float, of: float) -> str:
    return f"{amount / of:.2%}" if of else ""


# Devices and time.


def _devices(result: Result) -> list[str]:
    rows: list[tuple[str, ...]] = [("device", "pages in", "pages out", "reads", "writes")]
    for label, name, into, out in (("swap", "swap", "pswpin", "pswpout"), ("files", "file", "filein", "fileout")):
        metrics = (into, out, f"{name}_read_requests", f"{name}_write_requests")
        counts = [number(result, metric) for metric in metrics]
        if name == "swap" or any(counts):
            device = "none" if result.config[name].get("size") == "none" else result.config[name]["device"]
            rows.append((f"{label} ({device})", *(f"{count:,.0f}" for count in counts)))
    lines = columns(rows, headings={"device"})
    errors = number(result, "write_errors")
    return [*lines, f"  {errors:,.0f} pages could not be written"] if errors else lines


def _time(result: Result) -> list[str]:
    stalled = (
        f"{ns(result, 'stall_ns')}: device reads {ns(result, 'device_read_ns')}, "
        f"direct reclaim {ns(result, 'direct_reclaim_ns')} ({number(result, 'allocstall'):,.0f} times)"
    )
    runtime = ns(result, "runtime_ns")
    slowdown = result.metrics["slowdown"]
    if slowdown is not None:
        runtime += f", {slowdown:.4g} times that with unlimited memory"
    return aligned([("processor", _processor(result)), ("stalled", stalled), ("runtime", runtime)])


def _processor(result: Result) -> str:
    """What was computed, and by whom where it was not the tasks themselves."""
    spent = _named(result, {"compress": "compress_ns", "decompress": "decompress_ns"})
    daemons = _named(result, {"kswapd": "kswapd_ns", "writeback worker": "writeback_ns"})
    return (spent or "nothing that has a cost") + (f" (of that {daemons})" if daemons else "")


def _named(result: Result, times: dict[str, str]) -> str:
    return ", ".join(f"{label} {ns(result, name)}" for label, name in times.items() if result.metrics[name])


# Warnings.


def _drawn(result: Result) -> str:
    share = result.metrics["drawn_share"]
    if not share:
        return ""
    level = result.config["compressor_level"]
    at = f", at the default level, not {level}" if level else ""
    said = f"{share:.1%} of the page contents have no recorded size: theirs was drawn from a population of real pages"
    return said + at


def _too_small(result: Result) -> str:
    """Below its smallest valid memory a recording does not say what really happened in between."""
    least = result.trace["min_memory_pages"]
    scanned = result.series.column("pgscan")
    held = [pages for pages, scan in zip(result.series.column("resident_pages"), scanned, strict=True) if scan]
    if not least or not held or median(held) >= least:
        return ""
    return (
        f"{median(held):,.0f} pages were resident while memory was short, fewer than the {least:,} this recording is "
        "valid for: figures mean little; give more --memory"
    )
