"""What a recorded guest was, as a configuration and as a trace: nothing here is fitted to a case."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zsim.compressors.population import Population
from zsim.config import Config, resolve
from zsim.eras import ERAS
from zsim.errors import TraceError
from zsim.imagesizes import file_digest
from zsim.kernels import Kernel, parse_kernel
from zsim.tables import PTRS_PER_PTE
from zsim.traces import arrow
from zsim.traces.trace import ContentLog, Images, TaskTrace, Trace
from zsim.units import PAGE_SIZE
from zsim.validation.cases import MAJOR_STORE, Case

READ, REWRITE, DIRTY = range(3)
"""What an access of a recorded trace does: reads; writes new content; reads, then writes with the content as it is."""

SWAP_SLOTS = 65_535
"""A 256 MiB swap device, less its header."""
IDLE_PAGES = 32
"""Pages of idle processes, swapped out early on: frames that the trace gets besides those that were free."""
SLAB_PAGES = 12
"""By so many pages slab memory grew in the runs without zswap, on average: nodes of the swap cache, and what else."""
REQUEST_PAGES = 254
"""Most pages of a request of the guests' swap disk: the 256 descriptors of a virtio queue less two."""
GUEST = {
    "swap.request_pages": REQUEST_PAGES,
    "device.read_ns": 200_000,
    "device.write_ns": 560_000,
    "device.bandwidth_bytes_per_s": 10**15,
    "device.parallel": 65536,
    "cost.access_ns": 25_000,
    "cost.reclaim_page_ns": 15_000,
}
"""The guests' emulated disk and processor: an access, a store, a load and a read as the recordings' clock has them on
average, and a write so long that of the pages zswap writes back as many get on reclaim's lists before it ends, and are
freed at once, as in the recordings (docs/validation.md: how much it matters)."""
FIRST_TLB_ENTRIES = 256
"""Of QEMU's emulated processor (CPU_TLB_DYN_DEFAULT_BITS in accel/tcg)."""
LEAK_FIXED: Kernel = (6, 6)
"""From here on zswap leaks no references to a full pool ("fix pool refcount bug around shrink_worker()", which was
not taken over to 6.1: it did not apply)."""
CODEC_NS = {"lz4": (75_000, 40_000), "zstd": (155_000, 75_000)}
"""What a store and a load take in the guests, as their clocks have it; lzo's are like lz4's."""
RECENCY: Kernel = (6, 3)
"""From here on accesses to memory mapped MADV_RANDOM leave no trace (vma_has_recency)."""
STALE: Kernel = (6, 12)
"""From here on reclaim does not bring a cgroup's statistics up to date (mem_cgroup_flush_stats_ratelimited)."""
NEVER_NS = 10**18
FLUSH_TIME_NS = 2 * 10**9
"""Between two turns of the kernel's own thread that brings statistics up to date (FLUSH_TIME in mm/memcontrol.c)."""
ALIGNED: Kernel = (6, 7)
"""From here on a large anonymous mapping begins where a page table does (thp_get_unmapped_area)."""
RANDOM_CONTENTS = 512
"""Contents after the population's: random bytes, which no codec makes smaller."""
EEVDF: Kernel = (6, 6)
"""From here on kswapd and the task share the guest's only processor by EEVDF; before, by CFS."""
WAKEUP_NS = 50_000
"""From waking a thread that preempts the one that runs until it runs itself."""
PCP_TUNED: Kernel = (6, 7)
"""From here on the per-CPU lists of free pages grow with what is freed at a time (pcp->free_count)."""
PCP_PAGES = (6, 27)
"""Free pages in those lists, before and after PCP_TUNED, where neither marks nor MemFree see them: medians of all
readings of the recordings."""
DOES_NOT_FIT = PAGE_SIZE + 1


def config_of(case: Case) -> Config:
    """The machine that ran the case."""
    return resolve((f"case {case.name}", config_values(case))).config


def config_values(case: Case) -> dict[str, Any]:
    """Dotted keys: the era of the kernel, and what run.json says of the guest."""
    guest = case.config
    total_pages = guest["managed_pages" if case.is_machine else "totalram_pages"]
    values: dict[str, Any] = {
        "era": era_of(case),
        "compressor": codec_of(case),
        "memory.total": str(total_pages * PAGE_SIZE),
        "memory.tables": True,
        "memory.tlb_entries": guest["tlb_entries"] if "tlb_entries" in guest else tlb_entries(case),
        "file.track_dirty": bool(guest.get("file_rw")),
        "swap.size": str(max(guest.get("swap_pages", SWAP_SLOTS), 1) * PAGE_SIZE),
        "swap.page_cluster": guest.get("page_cluster", 0),
    }
    if guest.get("swap_rotational") or not guest.get("vma_ra_enabled", True):
        values["swap.readahead"] = "cluster"
    compress_ns, decompress_ns = CODEC_NS.get(values["compressor"], CODEC_NS["lz4"])
    values |= {"cost.compress_ns": compress_ns, "cost.decompress_ns": decompress_ns}
    return values | _zswap(case) | _reclaim(case) | GUEST | (_ram(case) if case.is_machine else _cgroup(guest))


def _zswap(case: Case) -> dict[str, Any]:
    """zswap's parameters, as far as they are known."""
    guest = case.config
    if not guest["zswap"]:
        return {"store": "none"}
    given = guest | guest.get("zswap_params", {})
    names = ("max_pool_percent", "accept_threshold_percent", "same_filled_pages_enabled")
    values = {f"zswap.{name}": given[name] for name in names if name in given}
    switches = {"zswap.shrinker_enabled": _shrinks(case), "zswap.older_pool_left": older_pool_left(case)}
    return {"store": "zswap", "allocator": guest["zpool"]} | values | switches


def _reclaim(case: Case) -> dict[str, Any]:
    """The policy, and what it sees."""
    guest = case.config
    values: dict[str, Any] = {"reclaim.policy": "mglru" if case.is_mglru else "two-list"}
    if case.is_mglru:
        values["reclaim.mm_walk"] = case.walks_page_tables
    if "swappiness" in guest:
        values["reclaim.swappiness"] = guest["swappiness"]
    if guest.get("madvise_random") and case.kernel >= RECENCY:
        values["reclaim.file_recency"] = False
    if has_stale_statistics(case):
        values["reclaim.stats_interval_ns"] = NEVER_NS if statistics_read_every(case) else FLUSH_TIME_NS
    return values


def tlb_entries(case: Case) -> int:
    """The size that QEMU's TLB has come to at the end of the trace; 0 where no other process's turns are known.

    When it is flushed it is doubled if more than 70 % of it was used, and cut to fit if less than 30 % was
    (tlb_mmu_resize_locked in accel/tcg/cputlb.c).
    """
    every = case.config.get("every")
    if not every:
        return 0
    page, entries = _columns(case.trace_path)[0], FIRST_TLB_ENTRIES
    for first in range(0, len(page), every):
        used = len(np.unique(page[first : first + every] % entries))
        if used > 0.7 * entries:
            entries *= 2
        elif used < 0.3 * entries:
            entries = 1 << (used - 1).bit_length()
            entries *= 1 + (used > 0.7 * entries)
    return entries


def older_pool_left(case: Case) -> bool:
    """Whether a pool of an earlier run in the same boot was the one that zswap shrank, so that this one never was.

    run.json does not say what ran before, so it is read off the recording: the pool could be shrunk (zsmalloc's
    cannot), the worker ran as a rule when the limit was hit, and every turn of it failed.
    """
    final, shrinks = case.final, case.config.get("zpool") in ("zbud", "z3fold")
    turns, hits = final.get("zswap.reject_reclaim_fail", 0), final.get("zswap.pool_limit_hit", 0)
    in_vain = turns > 0 and 2 * turns >= hits and not final.get("zswap.written_back_pages", 0)
    return case.kernel < LEAK_FIXED and shrinks and in_vain


def has_stale_statistics(case: Case) -> bool:
    """Neither reclaim nor zswap's shrinker (zswap_shrinker_count) brings them up to date; MGLRU does not go by them."""
    return case.kernel >= STALE and not case.is_mglru and not case.has_shrinker


def statistics_read_every(case: Case) -> int:
    """After so many accesses the recorder read memory.stat, which alone kept 6.12's statistics up to date.

    0 for the root cgroup, whose statistics the recorder does not read, and where they are not stale.
    """
    if not has_stale_statistics(case):
        return 0
    in_cgroup = bool(case.config.get("memory_max") or case.config.get("cgroup"))
    return int(case.config.get("flush_every") or case.config.get("every", 0) * in_cgroup)


def era_of(case: Case) -> str:
    """The newest era that is not newer than the kernel."""
    known = {parse_kernel(era): era for era in ERAS}
    return known[max(version for version in known if version <= case.kernel)]


def codec_of(case: Case) -> str:
    """What zswap compressed with; where it was off, any: nothing asks for the sizes."""
    return str(case.config["compressor"]) if case.config["zswap"] else "lz4"


def _shrinks(case: Case) -> bool:
    """zswap's shrinker sizes itself by a cgroup's charge: for processes in the root cgroup it does nothing (6.8 on)."""
    return case.has_shrinker and not (case.is_machine and not case.config.get("cgroup"))


def _cgroup(guest: dict[str, Any]) -> dict[str, Any]:
    limit = guest["memory_max"] if isinstance(guest.get("memory_max"), int) else guest["cgroup"]
    return {"memory.mode": "memcg", "memory.size": str(limit)}


def _ram(case: Case) -> dict[str, Any]:
    """The frames that were free before the trace, zone by zone; those of idle processes beside.

    Of those in per-CPU lists the trace gets what is not there later.
    """
    guest = case.config
    zones = sorted(guest["zones"].values(), key=lambda zone: -zone["managed"])
    usable = guest["free_pages_before"] + guest.get("pcp_free_before", 0) + IDLE_PAGES - SLAB_PAGES
    usable -= PCP_PAGES[case.kernel >= PCP_TUNED]
    sizes = [zone["free"] for zone in zones]
    sizes[0] += usable - sum(sizes)
    marks = [[zone[mark] for mark in ("min", "low", "high")] + [max(zone["protection"])] for zone in zones]
    return {
        "memory.mode": "machine",
        "memory.size": str(usable * PAGE_SIZE),
        "cost.wakeup_ns": WAKEUP_NS,
        "cost.processor": "eevdf" if case.kernel >= EEVDF else "cfs",
        "memory.zones": " ".join("/".join(map(str, [size, *own])) for size, own in zip(sizes, marks, strict=True)),
    }


def load_guest_trace(case: Case) -> tuple[Trace, npt.NDArray[np.int64]]:
    """The accesses as a trace, and for each of its rows the recorded access it belongs to."""
    number, op, cid = _columns(case.trace_path)
    images = _images(case)
    _check(case, op, cid, images)
    numbers, page = np.unique(number, return_inverse=True)
    pages = len(numbers)
    is_file = np.zeros(pages, np.uint8)
    if "file_from" in case.config:
        is_file = (numbers >= case.config["file_from"]).astype(np.uint8)
        if not is_file.any():
            raise TraceError(f"{case.folder / 'run.json'}: config.file_from is beyond the last page of the trace")
        if not case.config.get("file_rw"):
            op = np.where(is_file[page], READ, op)
    access = np.repeat(np.arange(len(op)), np.where(op == DIRTY, 2, 1))
    second = np.r_[False, access[1:] == access[:-1]]
    write = np.where(op[access] == DIRTY, second, op[access] == REWRITE)
    rows = np.flatnonzero(op[access] == REWRITE)
    log = _content_log(page[access][rows], rows, cid[access][rows], pages)
    trace = Trace(
        name=case.name,
        digest=file_digest(case.trace_path),
        tasks=[TaskTrace("trace", (page[access] << 1 | write).astype(np.uint32), switches=_readings(case, access))],
        pages=pages,
        footprint_pages=pages,
        owner=np.zeros(pages, np.uint16),
        is_file=is_file,
        numbers=(numbers + first_page_number(case, number)).astype(np.uint64),
        content=log,
        images=images,
    )
    return trace, access


def _readings(case: Case, access: npt.NDArray[np.int64]) -> list[int]:
    """The rows before which another process read the kernel's counters."""
    every: int = case.config.get("every", 0)
    return np.searchsorted(access, np.arange(every, access[-1] + 1, every)).tolist() if every else []


def _check(case: Case, op: npt.NDArray[np.int64], cid: npt.NDArray[np.int64], images: Images) -> None:
    """One outcome an access; every operation and every content that is written is known."""
    outcomes = len(case.outcomes())
    unknown = np.flatnonzero((op < READ) | (op > DIRTY))
    if len(unknown):
        raise TraceError(f"{case.trace_path}: row {unknown[0]}: op {op[unknown[0]]} is not one of 0 .. 2")
    if outcomes != len(op):
        raise TraceError(
            f"{case.folder / 'outcome.u8.zst'}: {outcomes} outcomes of the {len(op)} accesses of the trace"
        )
    wrong = np.flatnonzero((op == REWRITE) & ((cid < 0) | (cid >= images.count)))
    if len(wrong):
        row = int(wrong[0])
        raise TraceError(f"{case.trace_path}: row {row}: cid {cid[row]} is not one of 0 .. {images.count - 1}")


def first_page_number(case: Case, page: npt.NDArray[np.int64]) -> int:
    """The virtual page number of page 0, up to whole page tables: readahead by address stops where a page table ends.

    Where run.json has no `address` it is read off the recording: windows that are cut short time and again at the same
    place in a sequential run end there. Otherwise 0.
    """
    if "address" in case.config:
        return int(case.config["address"]) // PAGE_SIZE % PTRS_PER_PTE
    window = 1 << case.config.get("page_cluster", 0)
    if window == 1 or case.kernel >= ALIGNED:
        return 0
    major = page[case.outcomes() >= MAJOR_STORE]
    step = np.diff(major)
    cut = np.flatnonzero((step[:-1] == window) & (step[1:] > 0) & (step[1:] < window)) + 2
    places, times = np.unique(major[cut] % PTRS_PER_PTE, return_counts=True)
    return -int(places[times.argmax()]) % PTRS_PER_PTE if times.max(initial=0) > 1 else 0


def _columns(path: Path) -> tuple[npt.NDArray[np.int64], ...]:
    import pyarrow.parquet as parquet

    try:
        table = parquet.ParquetFile(path).read(columns=["page", "op", "cid"])
        return tuple(arrow.numbers(table.column(name)).astype(np.int64) for name in ("page", "op", "cid"))
    except FileNotFoundError:
        raise TraceError(f"{path}: no such trace") from None
    except (OSError, ValueError, KeyError) as error:
        raise TraceError(f"{path}: not a trace with page, op and cid: {error}") from None


def _content_log(
    page: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], cid: npt.NDArray[np.int64], pages: int
) -> ContentLog:
    order = np.argsort(page, kind="stable")
    starts = np.searchsorted(page[order], np.arange(pages + 1))
    return ContentLog(starts.tolist(), rows[order].tolist(), cid[order].tolist())


def _images(case: Case) -> Images:
    """What the contents compress to: contents.csv beside the traces, else the population as that kernel measured it."""
    codec = codec_of(case)
    path = case.trace_path.with_name("contents.csv")
    if path.exists():
        sizes, same, zero = _own_contents(path, codec if case.config["zswap"] else "")
    else:
        population = Population(case.config["kernel"])
        more = np.zeros(RANDOM_CONTENTS, np.uint8)
        sizes = np.r_[population.sizes_bytes(codec), np.full(RANDOM_CONTENTS, DOES_NOT_FIT)]
        same, zero = np.r_[population.same_filled, more], np.r_[population.zero_filled, more]
    return Images(len(sizes), {codec: sizes}, same, np.full(len(sizes), -1), None, zero)


def _own_contents(path: Path, codec: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Columns cid, same_filled, zero and one named after the codec ("": none is needed)."""
    names = ["cid", "same_filled", "zero", *([codec] if codec else [])]
    try:
        with path.open(newline="", encoding="ascii") as file:
            rows = [[int(row[name]) for name in names] for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TraceError(f"{path}: expected the columns {', '.join(names)}: {error}") from None
    table = np.array(rows, np.int64).reshape(-1, len(names))
    table = table[np.argsort(table[:, 0])]
    if not len(table) or (table[:, 0] != np.arange(len(table))).any():
        raise TraceError(f"{path}: cid is not 0 .. {max(len(table) - 1, 0)}, each once")
    if (table < 0).any() or (table[:, 1:3] > 1).any():
        raise TraceError(f"{path}: a size is below 0, or same_filled or zero is neither 0 nor 1")
    sizes = table[:, 3] if codec else np.zeros(len(table), np.int64)
    return sizes, table[:, 1].astype(np.uint8), table[:, 2].astype(np.uint8)
