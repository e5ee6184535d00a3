"""Recorded runs that nobody has seen yet: whatever a guest's run.json may say is replayed, or refused in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import zstandard

from zsim.errors import TraceError
from zsim.validation.cases import find_cases
from zsim.validation.compare import compare
from zsim.validation.replay import Replayed, replay_case

PAGES, AFTER = 700, 1500
GUEST = {
    "kernel": "6.1", "mode": "memcg", "memory_max": 2 << 20, "zswap": True, "zpool": "zbud", "compressor": "lz4",
    "max_pool_percent": 20, "accept_threshold_percent": 90, "shrinker": None, "page_cluster": 0, "swappiness": 60,
    "lru_gen_state": "0x0000", "totalram_pages": 4000, "trace": "made",
}  # fmt: skip
ZONE = {"managed": 1500, "free": 500, "min": 10, "low": 13, "high": 16, "protection": [0, 0, 0]}
MACHINE = {
    "mode": "machine", "managed_pages": 1500, "free_pages_before": 500, "pcp_free_before": 12, "zones": {"DMA32": ZONE},
}  # fmt: skip


def replayed(folder: Path, contents: int = 4612, pages: int = PAGES, after: int = AFTER, **guest: Any) -> Replayed:
    """A made run: pages once, then accesses of all kinds; the outcomes are made up, it only has to be replayed."""
    draw = np.random.default_rng(7)
    count = pages + after
    trace = {
        "page": np.r_[np.arange(pages), draw.integers(0, pages, after)],
        "op": np.r_[np.ones(pages, int), draw.integers(0, 3, after)],
        "cid": draw.integers(0, contents, count),
    }
    config = {key: value for key, value in (GUEST | guest).items() if value != "absent"}
    run = folder / "runs" / "made"
    run.mkdir(parents=True)
    (folder / "traces").mkdir()
    parquet.write_table(pa.table(trace), folder / "traces" / "made.parquet")
    (run / "run.json").write_text(
        json.dumps({"config": config, "summary": {"accesses_after_fill": after, "final": {}}})
    )
    (run / "outcome.u8.zst").write_bytes(zstandard.compress(draw.integers(0, 4, count).astype(np.uint8).tobytes()))
    (case,) = find_cases(folder)
    return replay_case(case)


@pytest.mark.parametrize("zpool", ["zbud", "z3fold", "zsmalloc"])
@pytest.mark.parametrize("kernel", ["5.15", "6.1", "6.6", "6.8", "6.12", "6.18"])
def test_kernels_and_allocators(tmp_path: Path, kernel: str, zpool: str) -> None:
    """Every era, and kernels between two of them; a pool that is small enough to be full."""
    found = replayed(tmp_path, kernel=kernel, zpool=zpool, max_pool_percent=2)
    assert found.outcome == "done"
    assert found.zsim["faults"] > 0 and found.zsim["zswpout"] > 0


@pytest.mark.parametrize("compressor", ["lzo", "lzo-rle", "lz4", "lz4hc", "zstd", "deflate"])
def test_compressors(tmp_path: Path, compressor: str) -> None:
    """All whose sizes a kernel measured."""
    assert replayed(tmp_path, compressor=compressor).zsim["zswpout"] > 0


def test_an_unknown_compressor_is_named(tmp_path: Path) -> None:
    """842 has no Python codec and was not measured."""
    with pytest.raises(Exception, match="842") as raised:
        replayed(tmp_path, compressor="842")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "guest",
    [
        {"max_pool_percent": 1},
        {"max_pool_percent": 50, "accept_threshold_percent": 100},
        {"max_pool_percent": 0},
        {"accept_threshold_percent": 0},
        {"page_cluster": 1},
        {"page_cluster": 5, "address": 0x7F0000123000},
        {"page_cluster": 3, "kernel": "6.12", "zpool": "zsmalloc"},
        {"page_cluster": None, "swappiness": None, "max_pool_percent": None},
        {"swappiness": 200},
        {"swappiness": 1, "lru_gen_state": "0x0007", "kernel": "6.12"},
        {"lru_gen_state": "0x0001"},
        {"lru_gen_state": "absent", "lru_gen": "Y"},
        {"shrinker": "Y", "kernel": "6.12", "zpool": "zsmalloc"},
        {"shrinker": "Y", "kernel": "6.12", "zpool": "zsmalloc", "lru_gen_state": "0x0007"},
        {"zswap": False},
        {"zswap": False, "compressor": "842", "zpool": "absent"},
        {"mode": "absent", "swap_pages": 2000},
        {"mode": "memcg+file", "file_from": 300, "file_rw": 1},
        {"mode": "memcg+file", "file_from": 300, "file_rw": 0, "kernel": "6.12", "madvise_random": True},
        {"mode": "memcg+file", "file_from": 0},
        MACHINE,
        MACHINE | {"kernel": "6.12", "zpool": "zsmalloc", "lru_gen_state": "0x0007", "max_pool_percent": 5},
        MACHINE | {"kernel": "6.12", "shrinker": "Y", "zpool": "zsmalloc", "cgroup": "unlimited", "pcp_free_before": 0},
    ],
    ids=str,
)  # fmt: skip
def test_settings(tmp_path: Path, guest: dict[str, Any]) -> None:
    """Other limits, thresholds, readahead, swappiness, policies, files and machines are replayed and judged."""
    found = replayed(tmp_path, **guest)
    assert found.outcome == "done"
    assert found.zsim["resident_pages"] <= PAGES
    assert compare(found).verdict


@pytest.mark.parametrize(("pages", "after"), [(5, 3), (600, 1), (1300, 4000)])
def test_lengths(tmp_path: Path, pages: int, after: int) -> None:
    """Traces of any length and footprint."""
    assert replayed(tmp_path, pages=pages, after=after).outcome == "done"


def test_a_cgroup_that_may_not_swap(tmp_path: Path) -> None:
    """Swappiness 0 leaves a cgroup of anonymous memory nothing to reclaim, as in the kernel (get_scan_count)."""
    assert replayed(tmp_path, swappiness=0).outcome == "oom"


def test_lengths_that_differ(tmp_path: Path) -> None:
    """A trace and outcomes of two runs do not go together."""
    replayed(tmp_path, after=10)
    path = tmp_path / "runs" / "made" / "outcome.u8.zst"
    path.write_bytes(zstandard.compress(bytes(PAGES + 20)))
    with pytest.raises(TraceError, match=f"{PAGES + 20} outcomes of the {PAGES + 10} accesses"):
        replay_case(find_cases(tmp_path)[0])


def test_only_zeros(tmp_path: Path) -> None:
    """A trace of one content."""
    assert replayed(tmp_path, contents=1, kernel="6.12", zpool="zsmalloc").outcome == "done"


def test_a_content_beyond_the_table(tmp_path: Path) -> None:
    """Random contents are known up to 4611."""
    with pytest.raises(TraceError, match=r"made\.parquet"):
        replayed(tmp_path, contents=5000)
