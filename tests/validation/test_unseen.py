"""Recorded runs that nobody has seen yet: whatever a guest's run.json may say is replayed, or refused in one line."""

import json
import shutil
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
from zsim.validation.guest import load_guest_trace
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
    (folder / "traces").mkdir(exist_ok=True)
    parquet.write_table(pa.table(trace), folder / "traces" / "made.parquet")
    (run / "run.json").write_text(
        json.dumps({"config": config, "summary": {"accesses_after_fill": after, "final": {}}})
    )
    (run / "outcome.u8.zst").write_bytes(zstandard.compress(draw.integers(0, 4, count).astype(np.uint8).tobytes()))
    (case,) = find_cases(folder)
    return replay_case(case)


@pytest.mark.parametrize("zpool", ["zbud", "z3fold", "zsmalloc"])
@pytest.mark.parametrize("kernel", ["5.15", "6.1", "6.6", "6.8", "6.10", "6.12", "6.18"])
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


def test_pages_far_apart(tmp_path: Path) -> None:
    """Memory goes by the pages that are touched, not by the highest number; what is a file's is by number."""
    near = replayed(tmp_path, mode="memcg+file", file_from=300, pages=400, after=900, memory_max=1 << 20)
    path = tmp_path / "traces" / "made.parquet"
    table = parquet.read_table(path).to_pydict()
    table["page"] = [page if page < 300 else page + (1 << 31) for page in table["page"]]
    parquet.write_table(pa.table(table), path)
    (case,) = find_cases(tmp_path)
    assert load_guest_trace(case)[0].pages == 400
    far = replay_case(case)
    for name in ("anon_faults", "file_faults"):
        assert far.zsim[name] == pytest.approx(near.zsim[name], rel=0.05)  # one page table more
        assert far.zsim[name] > 0


def test_a_file_beyond_the_trace(tmp_path: Path) -> None:
    """Nothing of it would be judged."""
    with pytest.raises(TraceError, match=r"config\.file_from is beyond"):
        replayed(tmp_path, mode="memcg+file", file_from=PAGES)


def test_an_unknown_operation(tmp_path: Path) -> None:
    """0, 1 and 2 are known."""
    replayed(tmp_path)
    path = tmp_path / "traces" / "made.parquet"
    table = parquet.read_table(path).to_pydict()
    table["op"][17] = 3
    parquet.write_table(pa.table(table), path)
    with pytest.raises(TraceError, match="row 17: op 3 is not one of"):
        replay_case(find_cases(tmp_path)[0])


@pytest.mark.parametrize("size", [1, 2 * (PAGES + AFTER) - 2])
def test_free_pages_of_another_run(tmp_path: Path, size: int) -> None:
    """Two bytes an access."""
    replayed(tmp_path, **MACHINE)
    (tmp_path / "runs/made/free.u16.zst").write_bytes(zstandard.compress(bytes(size)))
    with pytest.raises(TraceError, match=rf"free\.u16\.zst: {size} bytes; expected two for each of {PAGES + AFTER}"):
        replay_case(find_cases(tmp_path)[0])


CONTENTS = [f"{cid},{int(cid < 3)},{int(cid == 0)},{1000 + cid}" for cid in range(50)]


def own_contents(folder: Path, lines: list[str], **guest: Any) -> Replayed:
    """A made run whose contents are described in contents.csv."""
    (folder / "traces").mkdir(parents=True)
    (folder / "traces" / "contents.csv").write_text("\n".join(lines) + "\n")
    return replayed(folder, contents=50, **guest)


def test_contents_in_any_order(tmp_path: Path) -> None:
    """A row is of its cid, wherever it stands; without zswap no sizes are needed."""
    head = "cid,same_filled,zero,lz4"
    there = own_contents(tmp_path / "a", [head, *CONTENTS])
    back = own_contents(tmp_path / "b", [head, *CONTENTS[::-1]])
    assert there.zsim == back.zsim
    sizeless = [line.rpartition(",")[0] for line in CONTENTS]
    assert own_contents(tmp_path / "c", ["cid,same_filled,zero", *sizeless], zswap=False).outcome == "done"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["cid,same_filled,zero,lz4", *CONTENTS[1:]], "cid is not 0 .. 48, each once"),
        (["cid,same_filled,zero,lz4"], "cid is not 0 .. 0"),
        (["cid,same_filled,zero,lz4", "0,0,0,-1"], "a size is below 0"),
        (["cid,same_filled,zero,lz4", "0,7,0,1"], "neither 0 nor 1"),
        (["cid,same_filled,zero,zstd", *CONTENTS], "expected the columns cid, same_filled, zero, lz4"),
        (["cid,same_filled,zero,lz4", "0,0"], "expected the columns"),
    ],
)
def test_contents_that_say_nothing(tmp_path: Path, lines: list[str], said: str) -> None:
    """One line about what is wrong."""
    with pytest.raises(TraceError, match="contents") as raised:
        own_contents(tmp_path, lines)
    assert said in str(raised.value)


def test_repeats_that_cannot_be_compared(tmp_path: Path) -> None:
    """A repeat without outcomes, or of another length, is none."""
    one = replayed(tmp_path)
    again = tmp_path / "runs" / "made-again"
    shutil.copytree(tmp_path / "runs" / "made", again)
    assert compare(one, find_cases(tmp_path)).repeat == (0, 1)
    run_json = json.loads((again / "run.json").read_text())
    run_json["summary"]["accesses_after_fill"] = AFTER - 1
    (again / "run.json").write_text(json.dumps(run_json))
    assert compare(one, find_cases(tmp_path)).repeat is None
    (again / "outcome.u8.zst").unlink()
    assert compare(one, find_cases(tmp_path)).repeat is None


@pytest.mark.parametrize("after", [0, -3])
def test_nothing_to_compare(tmp_path: Path, after: int) -> None:
    """At least one access is after the fill."""
    replayed(tmp_path)
    path = tmp_path / "runs" / "made" / "run.json"
    run_json = json.loads(path.read_text())
    run_json["summary"]["accesses_after_fill"] = after
    path.write_text(json.dumps(run_json))
    with pytest.raises(TraceError, match=f"accesses_after_fill is {after}"):
        find_cases(tmp_path)


def test_counters_that_are_none(tmp_path: Path) -> None:
    """What is compared is a number; other things are nobody's business."""
    replayed(tmp_path)
    path = tmp_path / "runs" / "made" / "run.json"
    run_json = json.loads(path.read_text())
    run_json["summary"]["final"] = {"uname": "abc", "vm.nr_dirty": None, "vm.pswpin": 3}
    path.write_text(json.dumps(run_json))
    assert find_cases(tmp_path)[0].final == {"vm.nr_dirty": 0, "vm.pswpin": 3}
    run_json["summary"]["final"]["vm.pswpin"] = "many"
    path.write_text(json.dumps(run_json))
    with pytest.raises(TraceError, match=r"summary.final: vm.pswpin: 'many' is not a number"):
        find_cases(tmp_path)
