"""The table a person reads after a run."""

from collections.abc import Iterable, Sequence
from functools import partial
from statistics import median

from zsim.metrics import METRICS
from zsim.results import Result
from zsim.units import PAGE_SIZE, format_bytes, format_ns, parse_bytes

NONE = "-"
REJECTS = [name for name in METRICS if name.startswith("reject_")]
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
    parts = (_what, _outcome, _latencies, _pool, _devices, _time)
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
        ("store", _store(result)),
        ("swap", config["swap"]["device"] + _readahead(config["swap"]["page_cluster"])),
    ]
    return _aligned(what)


def _store(result: Result) -> str:
    config = result.config
    if config["store"] == "none":
        return "none: every page reclaimed goes to the device"
    level = f" level {config['compressor_level']}" if config["compressor_level"] else ""
    limit = config["zswap"]["max_pool_percent"]
    return (
        f"{config['store']}, {config['allocator']}, {config['compressor']}{level}, writeback {config['writeback']}, "
        f"pool at most {limit} % of RAM"
    )


def _readahead(page_cluster: int) -> str:
    return f", readahead of {1 << page_cluster} pages" if page_cluster else ", no readahead"


def _outcome(result: Result) -> list[str]:
    if result.outcome != "oom":
        return []
    done, of = _number(result, "accesses"), result.trace["accesses"]
    at = format_ns(_number(result, "runtime_ns"))
    return [
        f"OUT OF MEMORY after {done:,.0f} of {of:,} accesses ({done / of:.1%}), at {at}: nothing was left",
        "to reclaim, and Linux would have killed a task. What follows is up to then.",
    ]


# Faults and other latencies.


def _latencies(result: Result) -> list[str]:
    pgfault, accesses = _number(result, "pgfault"), _number(result, "accesses")
    rows: list[tuple[str, ...]] = [("faults", "count", "of accesses", "mean", "p50", "p99", "max")]
    for label, (latency, metric) in FAULTS.items():
        if latency == "major_store" and result.config["store"] == "none":
            continue
        rows.append(_latency_row(result, label, latency, _number(result, metric), accesses))
    rows.append(("all", f"{pgfault:,.0f}", _share(pgfault, accesses), "", "", "", ""))
    rows.append(("other latencies", "count", "", "mean", "p50", "p99", "max"))
    for label, latency in TIMES.items():
        if result.latency_ns[latency]["count"]:
            rows.append(_latency_row(result, label, latency, result.latency_ns[latency]["count"] or 0, 0))
    if rows[-1][0] == "other latencies":
        rows.pop()
    return _columns(rows, headings={"faults", "other latencies"})


def _latency_row(result: Result, label: str, latency: str, count: float, of: float) -> tuple[str, ...]:
    figures = result.latency_ns[latency]
    times = (figures[name] for name in ("mean", "p50", "p99", "max"))
    return (label, f"{count:,.0f}", _share(count, of), *(NONE if t is None else format_ns(t) for t in times))


def _share(amount: float, of: float) -> str:
    return f"{amount / of:.2%}" if of else ""


# The pool.


def _pool(result: Result) -> list[str]:
    if result.config["store"] == "none":
        return []
    number = partial(_number, result)
    rows = [
        ("  frames", f"{_pages(result, 'pool_pages')}, peak {_pages(result, 'pool_pages_peak')}"),
        (
            "  stored",
            f"{_pages(result, 'stored_pages')}, peak {_pages(result, 'stored_pages_peak')}; "
            f"{number('same_filled_pages'):,.0f} same-filled",
        ),
        (
            "  ratio",
            f"compression {_figure(result, 'compression_ratio')}, effective {_figure(result, 'effective_ratio')}; "
            f"density {_figure(result, 'density')} pages per frame",
        ),
        (
            "  traffic",
            f"{number('zswpout'):,.0f} stores, {number('zswpin'):,.0f} loads; "
            f"pool found full {number('pool_limit_hit'):,.0f} times",
        ),
        ("  rejects", _rejects(result)),
        ("  written back", _written_back(result)),
    ]
    return ["pool at the end", *_aligned(rows)]


def _written_back(result: Result) -> str:
    back, freed, calls = (
        _number(result, name) for name in ("written_back_pages", "freed_pool_pages", "free_page_calls")
    )
    if not back:
        return f"none; {calls:,.0f} times a frame was wanted and none came free" if calls else "none"
    return (
        f"{_pages(result, 'written_back_pages')}, {_number(result, 'writeback_refaults'):,.0f} faulted in again; "
        f"{freed:,.0f} frames freed, {_figure(result, 'evictions_per_freed_page')} evictions each"
    )


def _rejects(result: Result) -> str:
    happened = [(name.removeprefix("reject_"), count) for name in REJECTS if (count := _number(result, name))]
    return ", ".join(f"{name} {count:,.0f}" for name, count in happened) or "none"


# Devices and time.


def _devices(result: Result) -> list[str]:
    rows: list[tuple[str, ...]] = [("device", "pages in", "pages out", "reads", "writes")]
    for label, name, into, out in (("swap", "swap", "pswpin", "pswpout"), ("files", "file", "filein", "fileout")):
        metrics = (into, out, f"{name}_read_requests", f"{name}_write_requests")
        counts = [_number(result, metric) for metric in metrics]
        if name == "swap" or any(counts):
            device = result.config[name]["device"]
            rows.append((f"{label} ({device})", *(f"{count:,.0f}" for count in counts)))
    lines = _columns(rows, headings={"device"})
    errors = _number(result, "write_errors")
    return [*lines, f"  {errors:,.0f} pages could not be written"] if errors else lines


def _time(result: Result) -> list[str]:
    stalled = (
        f"{_ns(result, 'stall_ns')}: device reads {_ns(result, 'device_read_ns')}, "
        f"direct reclaim {_ns(result, 'direct_reclaim_ns')} ({_number(result, 'allocstall'):,.0f} times)"
    )
    runtime = _ns(result, "runtime_ns")
    slowdown = result.metrics["slowdown"]
    if slowdown is not None:
        runtime += f", {slowdown:.4g} times that with unlimited memory"
    return _aligned([("processor", _processor(result)), ("stalled", stalled), ("runtime", runtime)])


def _processor(result: Result) -> str:
    """What was computed, and by whom where it was not the tasks themselves."""
    spent = _named(result, {"compress": "compress_ns", "decompress": "decompress_ns"})
    daemons = _named(result, {"kswapd": "kswapd_ns", "writeback worker": "writeback_ns"})
    return (spent or "nothing that has a cost") + (f" (of that {daemons})" if daemons else "")


def _named(result: Result, times: dict[str, str]) -> str:
    return ", ".join(f"{label} {_ns(result, name)}" for label, name in times.items() if result.metrics[name])


# Warnings.


def _drawn(result: Result) -> str:
    share = result.metrics["drawn_share"]
    if not share:
        return ""
    return f"{share:.1%} of the page contents have no recorded size: theirs was drawn from a population of real pages"


def _too_small(result: Result) -> str:
    """Below 2 K resident pages a recording does not say what really happened in between."""
    least = result.trace["min_memory_pages"]
    scanned = result.series.column("pgscan")
    held = [pages for pages, scan in zip(result.series.column("resident_pages"), scanned, strict=True) if scan]
    if not least or not held or median(held) >= least:
        return ""
    return (
        f"{median(held):,.0f} pages were resident while memory was short, fewer than the {least:,} this recording is "
        "valid for: figures mean little; give more --memory"
    )


# Numbers as text.


def _number(result: Result, name: str) -> float:
    return result.metrics[name] or 0


def _ns(result: Result, name: str) -> str:
    return format_ns(_number(result, name))


def _pages(result: Result, name: str) -> str:
    pages = int(_number(result, name))
    return f"{pages:,} ({format_bytes(pages * PAGE_SIZE)})" if pages else "0"


def _figure(result: Result, name: str) -> str:
    value = result.metrics[name]
    return NONE if value is None else f"{value:.3g}"


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Label and text, the texts under one another."""
    rows = list(rows)
    width = max(len(label) for label, _ in rows) + 2
    return [f"{label:<{width}}{text}" for label, text in rows]


def _columns(rows: Sequence[tuple[str, ...]], headings: set[str]) -> list[str]:
    """First column to the left, figures to the right; what is no heading is set in."""
    first = [row[0] if row[0] in headings else "  " + row[0] for row in rows]
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    label_width = max(map(len, first))
    lines = []
    for label, row in zip(first, rows, strict=True):
        figures = "".join(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append((label.ljust(label_width) + figures).rstrip())
    return lines
