"""The configuration: frozen dataclasses whose defaults are the documentation, and where each value came from."""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from zsim.configfile import FileConfig
from zsim.configkey import key
from zsim.configzram import ZramConfig
from zsim.configzswap import ZcacheConfig, ZswapConfig
from zsim.eras import ERAS, OF_STORE
from zsim.errors import ConfigError
from zsim.registry import suggestion


@dataclass(frozen=True)
class MemoryConfig:
    """The RAM, or the cgroup's share of it."""

    size: str = key("50%", "RAM (machine) or the cgroup's limit (memcg); bytes, units, or a share of the footprint")
    mode: str = key(
        "machine",
        "machine: --memory is the RAM, shared by pages, pool and metadata; memcg: it is a cgroup's limit, charged with "
        "pages and compressed bytes",
        choices=("machine", "memcg"),
    )
    cgroups: str = key(
        "one",
        "task: each task is in a cgroup of its own, whose zswap entries have an order of their own (6.8 and later); "
        "limits and page lists stay common",
        choices=("one", "task"),
    )
    total: str = key(
        "auto", "RAM that pool percentages are of; auto: the RAM (machine), 4 times the footprint (memcg)", "bytes"
    )
    min_free_kbytes: int = key(-1, "vm.min_free_kbytes; -1: the kernel's own choice, isqrt(16 kB)", "KiB", at_least=-1)
    watermark_scale_factor: int = key(10, "vm.watermark_scale_factor", "1/10000 of RAM", at_least=0)
    watermark_min_pages: int = key(-1, "direct reclaim below this; -1: from min_free_kbytes", "pages", at_least=-1)
    watermark_low_pages: int = key(-1, "kswapd wakes below this; -1: from min_free_kbytes", "pages", at_least=-1)
    watermark_high_pages: int = key(-1, "kswapd stops here; -1: from min_free_kbytes", "pages", at_least=-1)
    zones: str = key(
        "",
        "zones with marks of their own, the one that allocations prefer first: size/min/low/high[/reserve] of each, "
        "reserve being its lowmem protection; empty: one zone",
        "pages",
    )
    page_table_bytes: int = key(
        0, "page tables charged (96 KiB in the recorded kernel runs) or held; 0: not counted", "bytes", at_least=0
    )
    tlb_entries: int = key(
        0,
        "translations a processor has at hand: an access to one of these pages does not set the accessed bit that "
        "reclaim has cleared, as on x86; 0: every access sets it. For two-list, mglru and clock",
        at_least=0,
    )
    task_exit: bool = key(
        True, "a task that ends while others go on frees its anonymous pages, their swap slots and compressed copies"
    )
    tables: bool = key(
        False,
        "page tables and the page cache's trees take memory as pages are touched for the first time",
    )
    entry_bytes: int = key(
        -1,
        "zswap's slab memory per stored page (entry, handle, tree node), never given back; machine mode only; -1: the "
        "kernel's, 48 to 96 by era and allocator",
        "bytes",
        at_least=-1,
    )


@dataclass(frozen=True)
class CostConfig:
    """What things cost on the processor."""

    access_ns: int = key(100, "one access, where the trace has no times", "ns", at_least=1)
    minor_fault_ns: int = key(500, "a minor fault; the usual figure for x86, not measured here", "ns", at_least=0)
    major_fault_ns: int = key(
        3000, "software cost of a major fault, without decompression and device; 2-5 us is usual", "ns", at_least=0
    )
    compress_ns: int = key(-1, "compressing one page; -1: the compressor's own figure", "ns", at_least=-1)
    decompress_ns: int = key(-1, "decompressing one page; -1: the compressor's own figure", "ns", at_least=-1)
    reclaim_page_ns: int = key(0, "scanning one page in reclaim; no published figure, so left out", "ns", at_least=0)
    wakeup_ns: int = key(5000, "from waking kswapd or a worker until it runs; a typical wake-up", "ns", at_least=0)
    processor: str = key(
        "own",
        "where kswapd runs: own: on a processor of its own; cfs (to 6.5), eevdf (6.6 on): it shares the task's",
        choices=("own", "cfs", "eevdf"),
    )
    tick_ns: int = key(4_000_000, "between two looks of the scheduler at who runs (HZ = 250)", "ns", at_least=1)


@dataclass(frozen=True)
class ReclaimConfig:
    """Which page leaves memory next."""

    policy: str = key("two-list", "two-list, mglru (both Linux), lru, clock, fifo, opt: `zsim list reclaim`")
    batch: int = key(
        32,
        "pages a reclaim frees at a time (SWAP_CLUSTER_MAX); 1: one page when a frame is needed and no watermarks, "
        "as cache simulators do",
        "pages",
        at_least=1,
    )
    folio_batch: int = key(
        15,
        "pages read to be written back join the page lists in batches of so many: 14 (to 4.15), 15 (to 6.9), 31",
        "pages",
        at_least=1,
    )
    free_batch: int = key(
        0,
        "with zones, what a batch of reclaim evicts is freed so many pages at a time (31 from 6.10 on), and when the "
        "batch ends; 0: only then",
        "pages",
        at_least=0,
    )
    swappiness: int = key(60, "vm.swappiness", at_least=0)
    new_anon: str = key(
        "inactive",
        "list that new anonymous pages start on: inactive since 5.9, active before",
        choices=("inactive", "active"),
    )
    second_look: bool = key(
        True,
        "an accessed inactive page stays once before it is activated (5.9 and later); false: only page cache does, "
        "anonymous pages are activated at once",
    )
    refault_activates: bool = key(True, "refaults within the working set go to the active list (anon: 5.9 and later)")
    balance: str = key(
        "cost",
        "anon against file: weighed: by refaults, pages written and, at a 32nd, pages kept (6.2 and later); cost: by "
        "the first two (5.8 to 6.1); rotated: by the share rotated (before)",
        choices=("weighed", "cost", "rotated"),
    )
    stats_interval_ns: int = key(
        0,
        "how old the statistics get that the two lists are balanced by: 0: brought up to date at each pass (before "
        "6.12); 6.12 has a thread that does so every 2 s",
        "ns",
        at_least=0,
    )
    file_recency: bool = key(
        True,
        "accesses to mapped files are seen; false: they are mapped MADV_RANDOM or MADV_SEQUENTIAL, of which two-list "
        "and mglru take no notice (6.3 and later)",
    )
    mglru: str = key(
        "6.1",
        "with policy mglru: a pass that ages goes on to evict (6.1) or leaves that to the next pass (6.12)",
        choices=("6.1", "6.12"),
    )
    mm_walk: bool = key(
        True,
        "with policy mglru: aging walks page tables (0x2 in /sys/kernel/mm/lru_gen/enabled); false: only eviction "
        "looks at accessed bits",
    )


@dataclass(frozen=True)
class SwapConfig:
    """The swap device, its slots, the swap cache."""

    device: str = key("nvme", "hdd, sata-ssd, nvme, optane, network, failing: `zsim list devices`")
    size: str = key(
        "auto", "swap space; auto: 4 times the footprint, so that it is never half full; none: no device", "bytes"
    )
    page_cluster: int = key(0, "vm.page-cluster: readahead of up to 2^n pages; 0: none", at_least=0)
    readahead: str = key(
        "vma",
        "vma: by virtual address, unless the swap device rotates (4.14 and later); cluster: the aligned block of "
        "slots, as large as readahead was of use (3.14 and later, or vma_ra_enabled = false); block: always "
        "2^page_cluster slots",
        choices=("vma", "cluster", "block"),
    )
    slots_cache: int = key(
        64,
        "slots are given back, and zswap's copies dropped, so many at a time (4.11 to 6.13); 0: at once",
        "slots",
        at_least=0,
    )
    request_pages: int = key(
        256,
        "adjacent pages are merged into one request of at most so many; 1 MiB lies between the usual limits of 512 KiB "
        "and 1.25 MiB",
        "pages",
        at_least=1,
    )
    write_frees_copy: bool = key(
        False, "a write to a page that kept its slot frees slot and copy at once (before 5.18); else they go stale"
    )
    zeromap: bool = key(False, "zero-filled pages are a bit in a map, stored nowhere (6.12 and later)")
    map_writable: bool = key(False, "a read fault maps the page writable although it keeps its slot (6.2 and later)")


@dataclass(frozen=True)
class CheckConfig:
    """The audit that `--check` runs."""

    every: int = key(1000, "faults between two audits of the whole machine", "faults", at_least=1)


@dataclass(frozen=True)
class Config:
    """Everything a replay depends on besides the trace."""

    era: str = key("6.1", "kernel whose behaviour the presets give", choices=tuple(ERAS))
    store: str = key("zswap", "zswap, zcache1, zcache2, zram, none: `zsim list stores`")
    allocator: str = key("zbud", "NAME or NAME@KERNEL: `zsim list allocators`")
    chain_size: int = key(0, "zsmalloc: most pages of a zspage; 0: the version's own (4, from 6.3 on 8)", at_least=0)
    compressor: str = key("lz4", "lz4, lzo, lzo-rle, zstd, lz4hc, deflate: `zsim list compressors`")
    compressor_level: int = key(0, "0: the codec's default (zstd 3)", at_least=0)
    compressor_sizes: str = key(
        "library",
        "sizes of page images. library: as the Python package compresses them; kernel: as Linux 6.1 or 6.12 compressed "
        "pages of similar lz4 size, as for pages without an image",
        choices=("library", "kernel"),
    )
    writeback: str = key("worker", "who writes compressed pages back: `zsim list writeback`")
    seed: int = key(1, "of every random draw", at_least=0)
    memory: MemoryConfig = MemoryConfig()
    cost: CostConfig = CostConfig()
    reclaim: ReclaimConfig = ReclaimConfig()
    swap: SwapConfig = SwapConfig()
    zswap: ZswapConfig = ZswapConfig()
    zcache: ZcacheConfig = ZcacheConfig()
    zram: ZramConfig = ZramConfig()
    file: FileConfig = FileConfig()
    check: CheckConfig = CheckConfig()
    device: Mapping[str, Any] = field(
        default_factory=dict, metadata={"doc": "settings of the swap device, such as device.read_ns"}
    )

    def as_dict(self) -> dict[str, Any]:
        """Nested plain values, every key resolved."""
        return asdict(self)

    def digest(self) -> str:
        """SHA-256 of the resolved values that can change a result."""
        values = self.as_dict()
        del values["check"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


PRINCIPAL = {"memory": "memory.size", "reclaim": "reclaim.policy", "swap": "swap.device", "file": "file.device"}
"""A section's name alone means its principal key: `--set memory=64M`."""


def config_keys() -> dict[str, Field[Any]]:
    """Every dotted key that can be set, with its field."""
    keys: dict[str, Field[Any]] = {}
    for top in fields(Config):
        section = top.default
        if is_dataclass(section):
            keys.update({f"{top.name}.{sub.name}": sub for sub in fields(section)})
        elif top.name != "device":
            keys[top.name] = top
    return keys


def full_key(name: str) -> str:
    """The dotted key meant by `name`: itself, a section's principal key, or a last part that is unique.

    A `ConfigError` with a suggestion where there is none.
    """
    keys = config_keys()
    if name in keys or name.startswith("device."):
        return name
    if name in PRINCIPAL:
        return PRINCIPAL[name]
    ending = [known for known in keys if known.endswith("." + name)]
    if len(ending) == 1:
        return ending[0]
    raise ConfigError(f"unknown configuration key {name!r}{suggestion(name, ending or list(keys))}")


def typed(name: str, value: Any) -> Any:
    """`value` as the key's type; text is read as TOML would read it."""
    if name.startswith("device."):
        return _from_text(value) if isinstance(value, str) else value
    spec = config_keys()[name]
    wanted = type(spec.default)
    given = value
    if isinstance(value, str) and wanted is not str:
        value = _from_text(value)
    if wanted is str and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if type(value) is not wanted:
        what = {int: "a whole number", bool: "true or false", str: "text"}[wanted]
        raise ConfigError(f"{name}: {given!r} is not {what}{_unit(spec)}")
    _in_range(name, value, spec)
    return value


def _in_range(name: str, value: Any, spec: Field[Any]) -> None:
    choices, least, most = (spec.metadata[what] for what in ("choices", "min", "max"))
    if choices and value not in choices:
        raise ConfigError(f"{name}: {value!r} is unknown{suggestion(str(value), list(choices))}")
    if least is not None and value < least:
        raise ConfigError(f"{name}: {value} is too small; at least {least}{_unit(spec)}")
    if most is not None and value > most:
        raise ConfigError(f"{name}: {value} is too large; at most {most}{_unit(spec)}")


def _unit(spec: Field[Any]) -> str:
    return f" ({spec.metadata['unit']})" if spec.metadata["unit"] else ""


def _from_text(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


@dataclass(frozen=True)
class Resolved:
    """A configuration and, per dotted key, where its value came from ("default", "era 6.1", a file, "--set")."""

    config: Config
    origins: dict[str, str]


Layer = tuple[str, Mapping[str, Any]]
"""Where values come from, and dotted keys (or names `full_key` knows) with their values."""


def resolve(*layers: Layer) -> Resolved:
    """Defaults, the presets of era and store, then each layer; a `ConfigError` names the key and what is allowed."""
    given: dict[str, tuple[Any, str]] = {}
    for origin, values in layers:
        for name, value in values.items():
            full = full_key(name)
            given[full] = (typed(full, value), origin)
    era = given["era"][0] if "era" in given else Config.era
    preset = {name: (value, f"era {era}") for name, value in ERAS[era].items()}
    store = (preset | given).get("store", (Config.store, ""))[0]
    preset |= {name: (value, f"store {store}") for name, value in OF_STORE.get(store, {}).items()}
    merged = preset | given
    origins = {name: merged[name][1] if name in merged else "default" for name in config_keys()}
    return Resolved(_build({name: value for name, (value, _) in merged.items()}), origins)


def _build(values: Mapping[str, Any]) -> Config:
    top: dict[str, Any] = {name: value for name, value in values.items() if "." not in name}
    for spec in fields(Config):
        section = spec.default
        own = {name.split(".", 1)[1]: value for name, value in values.items() if name.startswith(spec.name + ".")}
        if is_dataclass(section) and not isinstance(section, type):
            top[spec.name] = replace(section, **own)
        elif section is MISSING:
            top[spec.name] = own
    return Config(**top)


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested tables by their dotted keys."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def load_toml(path: Path) -> Layer:
    """The values of a TOML file as a layer of `resolve`."""
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot read the configuration: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    return str(path), dict(flatten(table))


def load_config(path: str | Path | None = None, **overrides: Any) -> Config:
    """A configuration from a TOML file (optional) and overrides; `memory__size="64M"` or `memory="64M"` names a key."""
    layers = [load_toml(Path(path))] if path else []
    layers.append(("argument", {name.replace("__", "."): value for name, value in overrides.items()}))
    return resolve(*layers).config
