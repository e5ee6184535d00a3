"""Record on your own kernel what `zsim validate` replays: the outcome of every access of a trace under a memory limit.

    sudo python3 examples/record_kernel_run.py my-runs --trace mixed --limit 32M --name k68-zsmalloc-lz4-mixed
    zsim validate --cases my-runs

Needs Linux with cgroup v2, root, swap that is on, and an otherwise idle machine, best a guest; --unlimited tries all
but the limit, and then nothing is swapped. docs/recording-kernel-runs.md says what is measured and how.
"""

import argparse
import ctypes
import gc
import json
import mmap
import os
import platform
import re
import resource
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import lz4.block
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import zstandard

PAGE = 4096
READ, REWRITE, DIRTY = range(3)
HIT, MINOR, MAJOR_STORE, MAJOR_DEVICE = range(4)
CGROUPS = Path("/sys/fs/cgroup")
DEBUG = Path("/sys/kernel/debug/zswap")
PARAMETERS = Path("/sys/module/zswap/parameters")
VMSTAT = os.open("/proc/vmstat", os.O_RDONLY)
MCL_CURRENT, MCL_ONFAULT = 1, 4
SHIPPED = Path(__file__).parent.parent / "zsim" / "validation" / "cases" / "zswap" / "traces"


def main() -> None:
    """Record one run into a folder of cases."""
    options = parse()
    trace = parquet.read_table(options.trace_path).to_pandas()
    pages = contents(options.pages_from)
    trace["cid"] = trace["cid"] % len(pages)
    if (options.folder / "runs" / options.name).exists():
        raise SystemExit(f"{options.folder}: there is a run {options.name} already")
    before = counters()
    outcomes, found = record(trace, pages, options)
    after = counters()
    final = {name: after[name] - before.get(name, 0) if name.startswith("vm.") else after[name] for name in after}
    save(options, trace, pages, outcomes, final | {"pm.present": found["present"]}, found["address"])


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of cases, made or added to")
    parser.add_argument("--name", required=True, help="of the run; a repeat is called the same with -again")
    parser.add_argument("--trace", default="mixed", help="a trace that comes with zsim, or a parquet of page, op, cid")
    parser.add_argument("--limit", default="32M", help="memory.max of the cgroup")
    parser.add_argument("--unlimited", action="store_true", help="try everything but the limit")
    parser.add_argument("--pages-from", type=Path, default=Path(os.__file__).parent, help="files to take contents from")
    options = parser.parse_args()
    options.limit_bytes = int(options.limit.rstrip("KMG")) << {"K": 10, "M": 20, "G": 30}.get(options.limit[-1], 0)
    known = SHIPPED / f"{options.trace}.parquet"
    options.trace_path = known if known.exists() else Path(options.trace)
    options.trace_name = options.trace_path.stem
    if not options.unlimited and not (CGROUPS / "cgroup.controllers").exists():
        parser.error("no cgroup v2 at /sys/fs/cgroup; --unlimited tries the rest")
    return options


# What the pages hold.


def contents(folder: Path, most: int = 4000) -> list[bytes]:
    """Distinct pages of files, text and binary, and one page of zeros."""
    found = {bytes(PAGE): None}
    for path in sorted((*folder.glob("*.py"), *folder.glob("**/*.so"))):
        data = path.read_bytes()
        for first in range(0, len(data) - PAGE + 1, PAGE):
            found[data[first : first + PAGE]] = None
        if len(found) > most:
            break
    return list(found)


def content_table(pages: list[bytes]) -> str:
    """contents.csv: what each content compresses to, by the Python packages, a few bytes off the kernel's figures."""
    zstd = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters.from_level(3, source_size=0, write_content_size=True)
    )
    lines = ["cid,same_filled,zero,lz4,zstd,deflate"]
    for cid, page in enumerate(pages):
        same, zero = page == page[:8] * (PAGE // 8), page == bytes(PAGE)
        sizes = len(lz4.block.compress(page, store_size=False)), len(zstd.compress(page)), deflated(page)
        lines.append(",".join(map(str, (cid, int(same), int(zero), *sizes))))
    return "\n".join(lines) + "\n"


def deflated(page: bytes) -> int:
    """Bytes under deflate with the kernel's window and memory level."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -11, 8)
    return len(deflate.compress(page) + deflate.flush())


# The run.


def record(trace: Any, pages: list[bytes], options: argparse.Namespace) -> tuple[bytearray, dict[str, int]]:
    """Make every access under the limit; outcomes, how many pages are mapped at the end, and where the mapping is.

    All that this process needs is touched and locked before it joins the cgroup, so that only the trace's pages are
    charged to it, reclaimed and counted.
    """
    page, op, cid = (array("q", trace[name].astype(np.int64).tolist()) for name in ("page", "op", "cid"))
    outcomes = bytearray(len(page))
    make_accesses(anonymous(64), array("q", range(64)), op[:64], cid[:64], pages, bytearray(64))
    gc.disable()
    with locked(), nullcontext() if options.unlimited else cgroup(options.limit_bytes):
        memory = anonymous(max(page) + 1)
        make_accesses(memory, page, op, cid, pages, outcomes)
        found = {"present": mapped(memory), "address": address_of(memory)}
        memory.close()
    return outcomes, found


def anonymous(pages: int) -> mmap.mmap:
    """Private memory in small pages."""
    memory = mmap.mmap(-1, pages * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    return memory


def make_accesses(  # noqa: PLR0913
    memory: mmap.mmap, page: array, op: array, cid: array, pages: list[bytes], outcomes: bytearray
) -> None:
    """The loop: an access, and what it took, by the faults and the reads from swap that were counted around it."""
    usage, thread = resource.getrusage, resource.RUSAGE_THREAD
    reads = swap_reads()
    for row in range(len(page)):
        at = page[row] * PAGE
        before = usage(thread)
        if op[row] == REWRITE:
            memory[at : at + PAGE] = pages[cid[row]]
        elif op[row] == DIRTY:
            memory[at] = memory[at]
        else:
            memory[at]
        after = usage(thread)
        if after.ru_majflt > before.ru_majflt:
            reads, known = swap_reads(), reads
            outcomes[row] = MAJOR_DEVICE if reads > known else MAJOR_STORE
        elif after.ru_minflt > before.ru_minflt:
            outcomes[row] = MINOR


def swap_reads() -> int:
    """Pages read from swap devices since the machine started."""
    text = os.pread(VMSTAT, 1 << 16, 0)
    first = text.index(b"pswpin ") + 7
    return int(text[first : text.index(b"\n", first)])


def address_of(memory: mmap.mmap) -> int:
    """Where the mapping begins."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def mapped(memory: mmap.mmap) -> int:
    """Pages of the mapping that are in memory and mapped: bit 63 of /proc/self/pagemap."""
    first = address_of(memory) // PAGE
    with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
        entries = np.frombuffer(os.pread(pagemap.fileno(), len(memory) // PAGE * 8, first * 8), np.uint64)
    return int((entries >> np.uint64(63)).sum())


@contextmanager
def locked() -> Iterator[None]:
    """What this process has touched so far stays in memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_ONFAULT):
        raise OSError(ctypes.get_errno(), "mlockall")
    yield
    libc.munlockall()


@contextmanager
def cgroup(limit_bytes: int) -> Iterator[None]:
    """A cgroup with a limit for what this process touches from now on; no trace of it afterwards."""
    group = CGROUPS / f"zsim-{os.getpid()}"
    (CGROUPS / "cgroup.subtree_control").write_text("+memory")
    group.mkdir()
    try:
        (group / "memory.max").write_text(str(limit_bytes))
        (group / "cgroup.procs").write_text(str(os.getpid()))
        yield
    finally:
        (CGROUPS / "cgroup.procs").write_text(str(os.getpid()))
        group.rmdir()


# What else is recorded.


def counters() -> dict[str, int]:
    """vmstat's counters and zswap's, where debugfs is mounted."""
    vmstat = (line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    found = {f"vm.{name}": int(value) for name, value in vmstat if name.startswith(("pswp", "zswp", "pgmajfault"))}
    if DEBUG.is_dir():
        found |= {f"zswap.{path.name}": int(path.read_text()) for path in sorted(DEBUG.iterdir())}
    return found


def guest(options: argparse.Namespace, address: int) -> dict[str, Any]:
    """The machine as run.json describes it."""
    memory = {name: int(kb) // 4 for name, kb in re.findall(r"(\w+):\s+(\d+) kB", Path("/proc/meminfo").read_text())}
    major, minor = platform.release().split(".")[:2]
    return {
        "mode": "memcg",
        "name": options.name,
        "kernel": f"{major}.{re.match('[0-9]+', minor).group()}",
        "uname": platform.release(),
        "trace": options.trace_name,
        "address": address,
        "memory_max": memory["MemTotal"] * PAGE if options.unlimited else options.limit_bytes,
        "totalram_pages": memory["MemTotal"],
        "swap_pages": memory["SwapTotal"],
        "page_cluster": int(said("/proc/sys/vm/page-cluster", "0")),
        "swappiness": int(said("/proc/sys/vm/swappiness", "60")),
        "lru_gen_state": said("/sys/kernel/mm/lru_gen/enabled", "0x0000"),
        "zswap": said(PARAMETERS / "enabled", "N") == "Y",
        "compressor": said(PARAMETERS / "compressor", "lz4"),
        "zpool": said(PARAMETERS / "zpool", "zsmalloc"),
        "max_pool_percent": int(said(PARAMETERS / "max_pool_percent", "20")),
        "accept_threshold_percent": int(said(PARAMETERS / "accept_threshold_percent", "90")),
        "shrinker": said(PARAMETERS / "shrinker_enabled", "N"),
    }


def said(path: Path | str, otherwise: str) -> str:
    """A setting, or what holds where the kernel has none."""
    path = Path(path)
    return path.read_text().strip() if path.exists() else otherwise


def save(  # noqa: PLR0913
    options: argparse.Namespace,
    trace: Any,
    pages: list[bytes],
    outcomes: bytearray,
    final: dict[str, int],
    address: int,
) -> None:
    """The files of one case: the fill is over when every page has been touched once."""
    fill = int(trace["page"].duplicated().to_numpy().argmax())
    run = options.folder / "runs" / options.name
    traces = options.folder / "traces"
    run.mkdir(parents=True)
    traces.mkdir(exist_ok=True)
    (run / "outcome.u8.zst").write_bytes(zstandard.compress(bytes(outcomes)))
    summary = {"accesses_after_fill": len(outcomes) - fill, "final": final}
    (run / "run.json").write_text(json.dumps({"config": guest(options, address), "summary": summary}, indent=1) + "\n")
    parquet.write_table(pa.Table.from_pandas(trace[["page", "op", "cid"]]), traces / f"{options.trace_name}.parquet")
    (traces / "contents.csv").write_text(content_table(pages))


if __name__ == "__main__":
    main()
