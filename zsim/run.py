"""One replay from a trace and a configuration to a result."""

import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zsim.allocators import make_allocator
from zsim.compressors import COMPRESSORS
from zsim.config import Config, load_config
from zsim.configzram import ZramConfig
from zsim.contents import Contents, load_contents
from zsim.devices import DEVICES, make_device
from zsim.engine import Engine, ReferenceEngine
from zsim.errors import UsageError
from zsim.machine import LATENCIES
from zsim.metrics import METRICS
from zsim.reclaim import RECLAIM
from zsim.registry import suggestion
from zsim.results import MODEL_VERSION, Number, Result, Series, run_digest
from zsim.sampler import COLUMNS
from zsim.stores import STORES, Counting
from zsim.traces import Trace, open_trace
from zsim.units import PAGE_SIZE, parse_bytes
from zsim.writeback import WRITEBACK

ENGINES: dict[str, type[Engine]] = {"fast": Engine, "reference": ReferenceEngine}

SAMPLE_BYTES = 1 << 30
"""A footprint to try size options on before the trace is known."""


class NoContents(Contents):
    """What pages hold where no store asks: no size is looked up, none is drawn."""

    def __init__(self) -> None:
        pass

    def of(self, page: int, row: int, version: int) -> int:
        """Always the same."""
        return 0


def replay(  # noqa: PLR0913
    trace: Trace | str | Path,
    config: Config | None = None,
    *,
    check: bool = False,
    engine: str = "fast",
    progress: Callable[[int, int], None] | None = None,
    contents: Contents | None = None,
) -> Result:
    """Replay a trace (a `Trace`, a file, a recording's name) on the machine that `config` describes.

    check     audit the whole machine every `check.every` faults and at the end
    engine    "fast", or "reference": access by access, with equal results
    progress  called now and then with (accesses done, accesses in all)
    contents  what `contents_of` gave for this trace and an equal `contents_key`: saves loading it again
    A `ZsimError` for input that cannot be run; running out of memory is an outcome of the result, not an error.
    """
    config = load_config() if config is None else config
    check_config(config)
    if engine not in ENGINES:
        raise UsageError(f"unknown engine {engine!r}{suggestion(engine, list(ENGINES))}")
    started_s = time.perf_counter()
    opened = trace if isinstance(trace, Trace) else open_trace(trace)
    contents = contents or contents_of(opened, config)
    run = ENGINES[engine](opened, config, contents, check)
    ready_s = time.perf_counter()
    run.run(progress)
    ended_s = time.perf_counter()
    result = _result(run, contents)
    result.run = _host() | {"ready_s": round(ready_s - started_s, 3), "replay_s": round(ended_s - ready_s, 3)}
    return result


def check_config(config: Config) -> None:
    """A `UsageError` for a name that is unknown or a size that is none, before any trace is opened."""
    STORES.load(config.store)
    COMPRESSORS.load(config.compressor)
    WRITEBACK.load(config.writeback)
    RECLAIM.load(config.reclaim.policy)
    DEVICES.load(config.file.device)
    make_device(config.swap.device, 1, config.seed, config.device)
    make_allocator(config.allocator, config.era, config.chain_size)
    _check_zram(config.zram)
    _check_size("memory.size", config.memory.size)
    _check_size("memory.total", config.memory.total, "auto")
    _check_size("swap.size", config.swap.size, "auto", "none")


def _check_zram(zram: ZramConfig) -> None:
    if zram.backing_device != "none":
        DEVICES.load(zram.backing_device)
    if zram.recomp_algorithm != "none":
        COMPRESSORS.load(zram.recomp_algorithm)
    _check_size("zram.disksize", zram.disksize, "auto")
    _check_size("zram.mem_limit", zram.mem_limit, "none")
    _check_size("zram.backing_size", zram.backing_size, "auto")


def _check_size(name: str, text: str, *words: str) -> None:
    """A size, or one of the words that may stand in its place."""
    if text in words:
        return
    try:
        size_bytes = parse_bytes(text, SAMPLE_BYTES)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    if size_bytes < 1:
        raise UsageError(f"{name}: {text!r} leaves nothing")


def config_values(config: Config) -> dict[str, Any]:
    """The configuration as nested plain values, with the settings that the swap device takes by itself."""
    values = config.as_dict()
    values["device"] = DEVICES.load(config.swap.device).settings() | values["device"]
    return values


def trace_summary(trace: Trace) -> dict[str, Any]:
    """What a result says about its trace."""
    return {
        "name": trace.name,
        "digest": trace.digest,
        "accesses": trace.accesses,
        "pages": trace.pages,
        "footprint_pages": trace.footprint_pages,
        "file_pages": int(trace.is_file.sum()),
        "tasks": len(trace.tasks),
        "k": trace.header.get("k"),
        "min_memory_pages": trace.header.get("min_memory_pages"),
    }


def digest_of(trace: Trace, config: Config) -> str:
    """The digest that the result of this run will have."""
    return run_digest(trace.digest, config.digest())


def default_directory(trace: Trace, config: Config) -> Path:
    """Where a result goes if nobody says: results/<trace>-<store>-<allocator>-<digest8>."""
    names = [trace.name, config.store, *([] if config.store == "none" else [config.allocator])]
    return Path("results") / "-".join([name.replace(os.sep, "_") for name in names] + [digest_of(trace, config)[:8]])


def contents_key(config: Config) -> tuple[object, ...]:
    """What `contents_of` looks at in a configuration."""
    sizes = (config.compressor, config.compressor_level, config.era, config.seed)
    return (config.store == "none", config.store == "zram", config.swap.zeromap, config.zram.recomp_algorithm, *sizes)


def contents_of(trace: Trace, config: Config) -> Contents:
    """What the pages of a trace hold, with the sizes that `config` compresses them to; not changed by a replay."""
    if config.store == "none" and not config.swap.zeromap:
        return NoContents()
    sizes = config.compressor_sizes
    contents = load_contents(trace, config.compressor, config.compressor_level, config.era, config.seed, sizes)
    if config.store == "zram" and config.zram.recomp_algorithm != "none":
        second = load_contents(trace, config.zram.recomp_algorithm, 0, config.era, config.seed, sizes)
        contents.recompressed_bytes = second.size_bytes
    return contents


def _result(run: Engine, contents: Contents) -> Result:
    trace, config, latency = run.trace, run.config, run.machine.latency
    metrics = _metrics(run)
    if config.store != "none":
        metrics["drawn_share"] = round(contents.drawn_share, 6)
    return Result(
        config=config_values(config),
        trace=trace_summary(trace),
        outcome=run.outcome,
        metrics={name: metrics[name] for name in METRICS},
        latency_ns={name: latency[name].to_json() for name in LATENCIES},
        provenance={
            "zsim_version": version("zsim"),
            "model_version": MODEL_VERSION,
            "trace_digest": trace.digest,
            "config_digest": config.digest(),
            "digest": digest_of(trace, config),
            "seed": config.seed,
        },
        series=Series(COLUMNS, run.sampler.rows),
        histograms={name: latency[name].buckets() for name in LATENCIES},
    )


def _metrics(run: Engine) -> dict[str, Number]:
    """Counters, gauges at the end, and what follows from them."""
    machine, count, now = run.machine, run.machine.counters, run.machine.gauges()
    accesses = sum(machine.cursors)
    stored_bytes = now["stored_pages"] * PAGE_SIZE
    swap, files = machine.swap_device, machine.file_device
    derived: dict[str, Number] = {
        "accesses": accesses,
        "hits": accesses - count.pgfault,
        "pgmajfault": count.major_store + count.major_device,
        "pgsteal": count.pgsteal_kswapd + count.pgsteal_direct,
        "swap_read_requests": swap.read_requests,
        "swap_write_requests": swap.write_requests,
        "file_read_requests": files.read_requests,
        "file_write_requests": files.write_requests,
        "pool_pages_peak": machine.store.pages_peak,
        "stored_pages_peak": machine.store.stored_peak,
        "compression_ratio": _ratio(stored_bytes, now["compressed_bytes"]),
        "effective_ratio": _ratio(stored_bytes, now["pool_pages"] * PAGE_SIZE),
        "density": _ratio(now["stored_pages"] - now["same_filled_pages"], now["pool_pages"]),
        "evictions_per_freed_page": _ratio(count.evictions, count.freed_pool_pages),
        "lru_inversion_share": _ratio(machine.inversions.older_share, machine.inversions.writes, zero=0.0),
        "drawn_share": None,
    }
    own = machine.store.statistics() if isinstance(machine.store, Counting) else {}
    return dict.fromkeys(METRICS) | count.as_dict() | now | derived | own | _times(run)


def _times(run: Engine) -> dict[str, Number]:
    """Runtime, and how much longer it is than with memory in plenty; None where the run did not come to its end."""
    runtime_ns = run.end_ns()
    if run.outcome != "done":
        return {"runtime_ns": runtime_ns, "slowdown": None}
    assert runtime_ns >= run.unlimited_ns, f"{runtime_ns} ns is less than {run.unlimited_ns} with unlimited memory"
    return {"runtime_ns": runtime_ns, "slowdown": round(runtime_ns / run.unlimited_ns, 6)}


def _ratio(amount: float, of: int, zero: float | None = None) -> float | None:
    return round(amount / of, 6) if of and amount else zero if of else None


def _host() -> dict[str, Any]:
    """Where and when: nothing of this is in the deterministic part of a result."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }
