"""Verdicts: what is judged by which bar, what is only reported, how far the kernel repeats itself."""

from dataclasses import replace

import pytest

from zsim.validation.cases import Case, find_cases
from zsim.validation.compare import all_met, base_name, compare, counters_judged, repeat_of, summaries, why_reported
from zsim.validation.replay import Replayed

CASES = {case.name: case for case in find_cases()}
KERNEL = {
    "faults": 10_000, "zswpin": 5000, "zswpout": 6000, "pswpin": 5000, "pswpout": 6000, "stored_pages": 900,
    "written_back_pages": 0, "resident_pages": 8000, "pool_pages": 3000, "rejects": 0,
}  # fmt: skip


def replayed(name: str, same: float = 0.99, **zsim: int) -> Replayed:
    """A replay that met the kernel's figures but for `zsim`."""
    extra = {"free_pages": 450} if CASES[name].is_machine else {}
    if CASES[name].set == "zswap-file":
        extra = {"anon_faults": 4000, "file_faults": 6000}
    return Replayed(CASES[name], KERNEL | extra, KERNEL | extra | zsim, same, "done")


def test_all_equal() -> None:
    """Nothing misses where nothing differs."""
    for name in ("k61-none-mixed", "m61-none-mixed", "f61-none-f_hot-sw60"):
        comparison = compare(replayed(name))
        assert (comparison.error, comparison.verdict) == (0, "ok")


@pytest.mark.parametrize(
    ("zsim", "misses"),
    [
        ({"faults": 10_501}, ["faults +5.0% (10000 > 10501)"]),
        ({"faults": 10_499}, []),
        ({"zswpin": 5151}, ["zswpin +3.0%"]),
        ({"zswpin": 5150}, []),
        ({"pool_pages": 3031}, ["pool pages +1.0%"]),
        ({"pool_pages": 3030}, []),
        ({"same": 0.91}, ["same outcome 91.0%"]),
    ],
)
def test_bars_of_zswap(zsim: dict[str, int], misses: list[str]) -> None:
    """5 % of the faults, 92 % of the outcomes, 3 % of the counters, 1 % of the pool."""
    assert compare(replayed("k61-zbud-lz4-mixed", **zsim)).misses == misses


def test_thirty_pages_are_nothing() -> None:
    """A counter may be 30 pages off however small it is."""
    base = replayed("k61-none-mixed")
    few = replace(base, kernel=base.kernel | {"pswpin": 10}, zsim=base.zsim | {"pswpin": 40})
    assert compare(few).misses == []


def test_bars_of_the_machine() -> None:
    """4 % of the faults, 30 free pages; nothing about outcomes and counters."""
    assert compare(replayed("m61-none-mixed", same=0.5, zswpin=0, faults=10_399)).misses == []
    assert compare(replayed("m61-none-mixed", free_pages=481, faults=10_401)).misses == [
        "faults +4.0% (10000 > 10401)",
        "free pages +31",
    ]


def test_bars_of_files() -> None:
    """5 % of either kind, 15 % with MGLRU."""
    assert compare(replayed("f61-none-f_hot-sw60", anon_faults=4240)).misses == ["anon_faults +6.0% (4000 > 4240)"]
    assert compare(replayed("f612-none-f_hot-sw60-mglru", anon_faults=4240)).misses == []
    assert compare(replayed("f612-none-f_hot-sw60-mglru", file_faults=6960)).misses == [
        "file_faults +16.0% (6000 > 6960)"
    ]


@pytest.mark.parametrize("name", ["k61-none-mixed", "m612-none-mixed-classic"])
def test_an_end_without_memory_is_no_agreement(name: str) -> None:
    """Also where the case is only reported otherwise."""
    found = compare(replace(replayed(name), outcome="oom"))
    assert (found.reported, found.misses) == ("", ["the end: out of memory"])
    assert not all_met([found])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("k612-zsmalloc-lz4-mixed-shrinker-classic", ""),
        ("m612-zsmalloc-lz4-mixed-shrinker-mglru", "shrinker"),
        ("m61-zsmalloc-lz4-mixed-boost", "boost"),
        ("m612-none-mixed-classic", "stale statistics"),
        ("m612-none-mixed-fresh-classic", ""),
        ("m612-none-mixed-mglru", ""),
        ("c612-zsmalloc-lz4-mixed-fresh-classic", ""),
        ("f612-none-f_hot-sw60-classic", "stale statistics"),
        ("f61-zsmalloc-lz4-f_stream-sw60-madvrandom", ""),
    ],
)
def test_what_is_reported(name: str, why: str) -> None:
    """Shrinker, boost and stale statistics of the machine, stale statistics of files; of zswap/ nothing."""
    assert why_reported(CASES[name]) == why


def test_counters_that_a_worker_decides() -> None:
    """6.12 with 1 or 2 % of pool, or with the shrinker."""
    judged = {name for name, case in CASES.items() if case.set == "zswap" and counters_judged(case)}
    assert "k61-zbud-lz4-mixed-pool2" in judged
    assert "k612-zsmalloc-lz4-mixed-classic" in judged
    assert not judged & {"k612-zsmalloc-lz4-mixed-pool2-mglru", "k612-zsmalloc-lz4-mixed-shrinker-classic"}


@pytest.mark.parametrize(
    ("name", "base"),
    [("a-again", "a"), ("a-again-classic", "a-classic"), ("a-third", "a"), ("a-against", "a-against"), ("a", "a")],
)
def test_names_of_repeats(name: str, base: str) -> None:
    """-again and -third mark a repeat wherever they stand."""
    assert base_name(name) == base


def test_the_kernels_own_spread() -> None:
    """Three runs of one configuration: 0.4 % of the faults, 98.9 % of the outcomes, as the recorder measured."""
    repeat = repeat_of(CASES["k61-zbud-lz4-mixed"], CASES.values())
    assert repeat is not None
    assert repeat.faults == pytest.approx(0.0041, abs=1e-4)
    assert repeat.same == pytest.approx(0.989, abs=2e-3)
    assert repeat_of(CASES["k61-none-mixed"], CASES.values()) is None


def test_a_set_is_judged_by_its_median() -> None:
    """Twelve cases 1 % off, each within its own bar, miss the set's median of 0.6 %."""
    names = [name for name, case in CASES.items() if case.set == "zswap"][:12]
    comparisons = [compare(replayed(name, faults=10_100)) for name in names]
    (summary,) = summaries(comparisons)
    assert (summary.judged, summary.missing_cases, summary.median) == (12, 0, 0.01)
    assert summary.misses == ["median 1.00% above 0.6%"]
    assert not all_met(comparisons)
    assert all_met(comparisons[:5])


def test_running_out_of_memory_is_a_miss() -> None:
    """The kernel's run came to its end."""
    assert compare(replace(replayed("k61-none-mixed"), outcome="oom")).misses == ["the end: out of memory"]


def test_nothing_of_nothing() -> None:
    """A case in which the kernel had no fault."""
    base: Case = CASES["k61-none-mixed"]
    none = Replayed(base, KERNEL | {"faults": 0}, KERNEL | {"faults": 0}, 1.0, "done")
    assert compare(none).error == 0
