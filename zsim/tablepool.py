"""What the table says of the store: which one it is, and how its pool stands at the end; each in its own words."""

from zsim.metrics import METRICS
from zsim.results import Result
from zsim.tabletext import aligned, count, figure, ns, number, pages
from zsim.units import PAGE_SIZE, format_bytes, parse_bytes

REJECTS = [name for name in METRICS if name.startswith("reject_")] + ["mean_compress_poor", "failed_writes"]

Row = tuple[str, str]


def store_words(result: Result) -> str:
    """The store, its allocator and compressor, and what decides where pages go from there."""
    config = result.config
    if config["store"] == "none":
        return "none: every page reclaimed goes to the device"
    level = f" level {config['compressor_level']}" if config["compressor_level"] else ""
    tell = _WORDS.get(config["store"], _own_words)
    return f"{config['store']}, {config['allocator']}, {config['compressor']}{level}, {tell(result)}"


def _zswap_words(result: Result) -> str:
    config = result.config
    return f"writeback {config['writeback']}, pool at most {config['zswap']['max_pool_percent']} % of RAM"


def _zcache_words(result: Result) -> str:
    zcache = result.config["zcache"]
    kept = [name for name in ("frontswap", "cleancache") if zcache[name]]
    writes = result.config["store"] == "zcache2" and zcache["writeback"]
    return f"{' and '.join(kept) or 'nothing kept'}, {'writeback' if writes else 'no writeback'}"


def _zram_words(result: Result) -> str:
    zram, swap = result.config["zram"], result.config["swap"]
    footprint_bytes = result.trace["footprint_pages"] * PAGE_SIZE
    size_bytes = footprint_bytes if zram["disksize"] == "auto" else parse_bytes(zram["disksize"], footprint_bytes)
    limit = "" if zram["mem_limit"] == "none" else f" in at most {zram['mem_limit']}"
    below = "no disk behind it" if swap["size"] == "none" else "before the disk"
    backing = "" if zram["backing_device"] == "none" else f", backed by {zram['backing_device']}"
    return f"disksize {format_bytes(size_bytes)}{limit}, {below}{backing}"


def _own_words(result: Result) -> str:
    return f"writeback {result.config['writeback']}"


_WORDS = {"zswap": _zswap_words, "zcache1": _zcache_words, "zcache2": _zcache_words, "zram": _zram_words}


def pool_lines(result: Result) -> list[str]:
    """Frames, pages, ratios, traffic, refusals, what left for a device; nothing where there is no store."""
    store = result.config["store"]
    if store == "none":
        return []
    over = number(result, "pool_pages_over_limit_peak")
    rows = [
        ("  frames", f"{pages(result, 'pool_pages')}, peak {pages(result, 'pool_pages_peak')}"
         + (f", {over:,.0f} above the limit" if over else "")),
        ("  stored", f"{pages(result, 'stored_pages')}, peak {pages(result, 'stored_pages_peak')}; "
         f"{count(result, 'same_filled_pages')} same-filled"),
        ("  ratio", f"compression {figure(result, 'compression_ratio')}, effective "
         f"{figure(result, 'effective_ratio')}; density {figure(result, 'density')} pages per frame"),
        ("  traffic", f"{count(result, 'zswpout')} stores, {count(result, 'zswpin')} loads; {_limit(result)}"),
        ("  rejects", _rejects(result)),
        *_OF_STORE.get(store, _written_back)(result),
        *_order(result),
    ]  # fmt: skip
    return ["pool at the end", *aligned(rows)]


def _limit(result: Result) -> str:
    if result.config["store"] == "zswap":
        return f"pool found full {count(result, 'pool_limit_hit')} times"
    return f"{count(result, 'rejected_stores')} refused"


def _rejects(result: Result) -> str:
    happened = [(name.removeprefix("reject_"), amount) for name in REJECTS if (amount := number(result, name))]
    return ", ".join(f"{name} {amount:,.0f}" for name, amount in happened) or "none"


def _written_back(result: Result) -> list[Row]:
    back, freed, calls = (
        number(result, name) for name in ("written_back_pages", "freed_pool_pages", "free_page_calls")
    )
    text = (
        f"{pages(result, 'written_back_pages')}, {count(result, 'writeback_refaults')} faulted in again; "
        f"{freed:,.0f} frames freed, {figure(result, 'evictions_per_freed_page')} evictions each"
    )
    if not back:
        text = f"none; {calls:,.0f} times a frame was wanted and none came free" if calls > freed else "none"
    return [("  written back", text)]


def _zcache_rows(result: Result) -> list[Row]:
    """Page cache: what it saved, and what that took."""
    never = result.metrics["puts_never_read"]
    share = "" if never is None else f" ({never:.0%} never read)"
    reads = f"{count(result, 'succ_gets')} reads saved, {count(result, 'failed_gets')} not"
    metadata = format_bytes(number(result, "tmem_metadata_bytes"))
    return [
        *(_written_back(result) if number(result, "written_back_pages") else []),
        ("  page cache", f"{count(result, 'puts')} puts{share}, {reads}; {ns(result, 'cleancache_ns')} of processor"),
        ("  dropped", f"{count(result, 'evicted_eph_zpages')} pages of page cache for "
         f"{count(result, 'evicted_eph_pageframes')} frames; tmem took {metadata}"),
    ]  # fmt: skip


def _zram_rows(result: Result) -> list[Row]:
    """What is stored as it is, and what userspace had done."""
    huge = f"{count(result, 'huge_pages')} now, {count(result, 'huge_pages_since')} in all"
    backed = result.config["zram"]["backing_device"] != "none"
    text = f"{count(result, 'bd_writes')}, {count(result, 'bd_reads')} read again, {count(result, 'bd_count')} there"
    done = f"; {count(result, 'recompressed_pages')} recompressed, {count(result, 'pages_compacted')} frames compacted"
    return [("  huge pages", huge + done), *([("  written back", text)] if backed else [])]


_OF_STORE = {"zcache1": _zcache_rows, "zcache2": _zcache_rows, "zram": _zram_rows}


def _order(result: Result) -> list[Row]:
    """Whether it was the oldest pages that went to a device."""
    passed, share = number(result, "lru_inversions"), number(result, "lru_inversion_share")
    if not passed:
        return []
    text = f"{passed:,.0f} pages went to a device past older ones; {share:.0%} of those that stayed were older"
    return [("  inversions", text)]
