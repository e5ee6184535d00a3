"""Guests as configurations, recorded accesses as traces."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zsim.errors import TraceError
from zsim.validation.cases import Case, find_cases
from zsim.validation.guest import config_of, config_values, era_of, load_guest_trace, statistics_read_every


def case(name: str, **changed: object) -> Case:
    """A shipped case, its guest changed."""
    (found,) = find_cases(names=[name])
    return replace(found, config=found.config | changed)


def test_a_cgroup() -> None:
    """32 MiB, page tables as pages are touched, pool limits of the guest's RAM, all but 64 KiB of 256 MiB swap."""
    config = config_of(case("k61-zbud-lz4-mixed-pool2-accept50"))
    assert (config.memory.mode, config.memory.size) == ("memcg", str(32 << 20))
    assert config.memory.total == str(117095 * 4096)
    assert config.memory.tables
    assert config.swap.size == str(65535 * 4096)
    assert (config.zswap.max_pool_percent, config.zswap.accept_threshold_percent) == (2, 50)
    assert (config.allocator, config.compressor, config.era) == ("zbud", "lz4", "6.1")


def test_who_keeps_statistics_fresh() -> None:
    """6.12's two lists in a cgroup: the recorder, every 64 or 2,048 accesses; else reclaim, the shrinker or nobody."""
    readings = {
        "c612-zsmalloc-lz4-mixed-fresh-classic": 64,
        "k612-zsmalloc-lz4-mixed-classic": 2048,
        "m612-zsmalloc-lz4-mixed-classic": 0,
        "k612-zsmalloc-lz4-mixed-shrinker-classic": 0,
        "m612-zsmalloc-lz4-mixed-shrinker-classic": 0,
        "k612-zsmalloc-lz4-mixed-mglru": 0,
        "k61-zsmalloc-lz4-mixed": 0,
    }
    assert {name: statistics_read_every(case(name)) for name in readings} == readings
    interval_ns = {name: config_of(case(name)).reclaim.stats_interval_ns for name in readings}
    assert interval_ns.pop("m612-zsmalloc-lz4-mixed-classic") == 2 * 10**9
    assert interval_ns["m612-zsmalloc-lz4-mixed-shrinker-classic"] == 0
    assert all((interval_ns[name] > 10**12) == (readings[name] > 0) for name in interval_ns)


def test_a_pool_of_an_earlier_run_may_be_the_one_that_is_shrunk() -> None:
    """To 6.5, where every turn of the worker failed; zbud's did not, and 6.12 leaks no references."""
    left = {
        "k61-z3fold-lz4-mixed-pool2-accept100": True,
        "k61-zbud-lz4-mixed-pool2-accept100": False,
        "k61-z3fold-lz4-mixed": False,
        "k612-zsmalloc-lz4-mixed-pool2-classic": False,
    }
    assert {name: config_of(case(name)).zswap.older_pool_left for name in left} == left


@pytest.mark.parametrize(
    ("zpool", "turns", "hits", "left"),
    [("zbud", 5, 10, True), ("zbud", 5, 11, False), ("zbud", 0, 0, False), ("zsmalloc", 10, 10, False)],
)
def test_few_turns_in_vain_say_nothing_of_an_earlier_pool(zpool: str, turns: int, hits: int, left: bool) -> None:
    """As many as half of the times that the limit was hit; zsmalloc's all are."""
    final = {"zswap.reject_reclaim_fail": turns, "zswap.pool_limit_hit": hits, "zswap.written_back_pages": 0}
    found = replace(case("k61-zbud-lz4-mixed-pool2", zpool=zpool), final=final)
    assert config_of(found).zswap.older_pool_left == left


def test_a_machine() -> None:
    """Free frames and 32 of idle processes less 12 for slab and 6 in per-CPU lists, in two zones, the larger first."""
    config = config_of(case("m61-zsmalloc-lz4-mixed"))
    assert config.memory.mode == "machine"
    assert int(config.memory.size) // 4096 == 9216 + 32 - 12 - 6
    assert config.memory.zones == "5422/240/300/360/0 3808/52/65/78/78"


def test_kernels_schedule_and_free_in_their_way() -> None:
    """6.12: EEVDF on the only processor, pages freed 31 at a time, and per-CPU lists that hold 27 pages."""
    older, newer = (config_of(case(name)) for name in ("m61-none-mixed", "m612-none-mixed-mglru"))
    assert (older.cost.processor, newer.cost.processor) == ("cfs", "eevdf")
    assert (older.reclaim.free_batch, newer.reclaim.free_batch) == (0, 31)
    assert int(newer.memory.size) // 4096 == 9216 + 32 - 12 - 27


def test_the_tlb_is_as_large_as_qemu_makes_it() -> None:
    """The fill doubles it to 4,096; 1,050 pages between two readings are 26 % of that, 1,390 are 34 %."""
    names = ("k61-zbud-lz4-mixed", "f61-none-f_stream-sw60", "m61-none-seqloop")
    assert [config_of(case(name)).memory.tlb_entries for name in names] == [2048, 4096, 4096]


def test_what_the_codec_takes() -> None:
    """zstd is about twice as slow; lzo is like lz4."""
    costs = [config_of(case(f"k61-zbud-{codec}-mixed")).cost for codec in ("lz4", "lzo", "zstd")]
    assert [(cost.compress_ns, cost.decompress_ns) for cost in costs] == [
        (75_000, 40_000), (75_000, 40_000), (155_000, 75_000)
    ]  # fmt: skip


def test_mglru_and_the_shrinker() -> None:
    """What the guest was told; a shrinker sized by a cgroup's charge does nothing for the root cgroup."""
    assert config_values(case("k612-zsmalloc-lz4-mixed-mglru"))["reclaim.policy"] == "mglru"
    assert config_values(case("k612-zsmalloc-lz4-mixed-shrinker-classic"))["zswap.shrinker_enabled"]
    assert not config_values(case("m612-zsmalloc-lz4-mixed-shrinker-classic"))["zswap.shrinker_enabled"]
    assert config_values(case("m612-zsmalloc-lz4-mixed-shrinker-nolimitcg-classic"))["zswap.shrinker_enabled"]


@pytest.mark.parametrize(
    ("kernel", "era"), [("6.1", "6.1"), ("6.5", "6.1"), ("6.9", "6.9"), ("6.12", "6.12"), ("6.14", "6.12")]
)
def test_the_era_of_a_kernel(kernel: str, era: str) -> None:
    """The newest that is not newer."""
    assert era_of(case("k61-none-mixed", kernel=kernel)) == era


def test_features_of_mglru() -> None:
    """0x1 without 0x2: on, and aging does not walk page tables; 0x6: off."""
    name = "k612-zsmalloc-lz4-mixed-mglru"
    reclaim = [config_of(case(name, lru_gen_state=state)).reclaim for state in (7, 3, 5, 1, 6)]
    assert [(each.policy, each.mm_walk) for each in reclaim] == [
        ("mglru", True), ("mglru", True), ("mglru", False), ("mglru", False), ("two-list", True)
    ]  # fmt: skip


def test_readahead_by_cluster() -> None:
    """Where the disk rotates, or /sys/kernel/mm/swap/vma_ra_enabled says so."""
    name = "k61-none-seqloop-cluster3"
    given: list[dict[str, bool]] = [{}, {"swap_rotational": True}, {"vma_ra_enabled": False}]
    assert [config_of(case(name, **each)).swap.readahead for each in given] == ["vma", "cluster", "cluster"]


def test_same_filled_pages() -> None:
    """As the module's parameter says."""
    off = {"same_filled_pages_enabled": False}
    assert not config_of(case("k61-zbud-lz4-mixed", zswap_params=off)).zswap.same_filled_pages_enabled
    assert config_of(case("k61-zbud-lz4-mixed")).zswap.same_filled_pages_enabled


def test_reads_and_writes() -> None:
    """A dirtying access is a read and a write of the same page; every row knows the access it came from."""
    trace, access = load_guest_trace(case("k61-none-mixed"))
    accesses = trace.tasks[0].accesses
    assert len(access) == len(accesses) > 53248
    assert access[-1] == 53247
    twice = np.flatnonzero(access[1:] == access[:-1])
    assert len(twice) > 1000
    assert np.array_equal(accesses[twice] | 1, accesses[twice + 1])
    assert (accesses[:12288] & 1).all()
    assert trace.pages == trace.footprint_pages == 12288
    assert trace.images is not None and trace.images.count == 4612


def test_file_pages() -> None:
    """From file_from on pages are the file's, and read only unless the run wrote to it."""
    trace, _ = load_guest_trace(case("f61-none-f_hot-sw60"))
    accesses = trace.tasks[0].accesses
    in_file = trace.is_file[accesses >> 1] == 1
    assert trace.is_file.sum() == 6144
    assert not (accesses[in_file] & 1).any()
    written, _ = load_guest_trace(case("f61-none-f_hot-sw60", file_rw=1))
    assert (written.tasks[0].accesses[in_file.nonzero()[0][:100]] & 1).any()


@pytest.mark.parametrize(
    ("name", "changed", "first"),
    [
        ("k61-none-seqloop-cluster3", {}, 94),
        ("k61-none-seqloop-cluster3", {"address": (5 << 21) + 7 * 4096}, 7),
        ("k61-none-seqloop-cluster3", {"kernel": "6.12"}, 0),
        ("k61-none-seqloop", {}, 0),
        ("k61-none-mixed-cluster3", {}, 0),
    ],
)
def test_where_page_tables_end(name: str, changed: dict[str, object], first: int) -> None:
    """As run.json says, as windows of readahead were cut, or unknown; 6.7 and later align large mappings."""
    trace, _ = load_guest_trace(case(name, **changed))
    assert int(trace.numbers[0]) == first
    assert int(trace.numbers[-1]) == first + 12287


def test_a_trace_that_is_not_there(tmp_path: Path) -> None:
    """The missing file is named."""
    lost = replace(case("k61-none-mixed", trace="gone"), folder=find_cases(names=["k61-none-mixed"])[0].folder)
    with pytest.raises(TraceError, match=r"gone\.parquet: no such trace"):
        load_guest_trace(lost)
