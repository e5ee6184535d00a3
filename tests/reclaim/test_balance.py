"""How much of each list a pass scans, against values worked out by hand."""

from collections.abc import Sequence

import pytest

from tests.machines import config_of
from zsim.metrics import Counters
from zsim.reclaim.balance import ANON, FILE, PAGES_PER_GB, Pressure, ScanBalance


def balance_of(sizes: Sequence[int], counters: Counters | None = None, **values: object) -> ScanBalance:
    """Lists of so many pages: inactive and active anonymous, inactive and active file."""
    config = config_of(**values).reclaim
    return ScanBalance(config, [range(size) for size in sizes], counters or Counters())


def pressure_of(priority: int, is_kswapd: bool = False, is_memcg: bool = True) -> Pressure:
    """Of a cgroup, unless the machine's is asked for."""
    pressure = Pressure(32, is_kswapd, is_memcg)
    pressure.priority = priority
    return pressure


@pytest.mark.parametrize(
    ("inactive", "active", "low"),
    [
        (100, 100, False),
        (100, 101, True),
        (0, 0, False),
        (PAGES_PER_GB // 2 - 1, PAGES_PER_GB // 2, True),
        (65_536, 196_608, False),  # 1 GiB: isqrt(10) = 3
        (65_536, 196_609, True),
        (2 * 65_536, 7 * 65_536, False),  # 2.25 GiB: isqrt(20) = 4
        (2 * 65_536, 9 * 65_536, True),
        (PAGES_PER_GB, 10 * PAGES_PER_GB, False),  # 11 GiB: isqrt(110) = 10
        (PAGES_PER_GB, 10 * PAGES_PER_GB + 1, True),
    ],
)
def test_inactive_is_low(inactive: int, active: int, low: bool) -> None:
    """Inactive x isqrt(10 x GiB) below active, of anonymous and of file pages; 1:1 below 1 GiB."""
    assert balance_of([inactive, active, 0, 0]).inactive_is_low(ANON) == low
    assert balance_of([0, 0, inactive, active]).inactive_is_low(FILE) == low


def test_file_lists_were_one_to_one() -> None:
    """In 3.11, whatever their size."""
    sizes = [PAGES_PER_GB, 2 * PAGES_PER_GB, PAGES_PER_GB, 2 * PAGES_PER_GB]
    assert balance_of(sizes, era="3.11").inactive_is_low(FILE)
    assert not balance_of(sizes, era="3.11").inactive_is_low(ANON)
    assert not balance_of(sizes).inactive_is_low(FILE)


def test_weighed_cost() -> None:
    """From 6.2 on a page written or refaulted weighs 32, a page scanned and kept 1; before, kept pages nothing."""
    anon_heavy = [1 << 20] * 4
    old, new = balance_of(anon_heavy, era="6.1"), balance_of(anon_heavy, era="6.12")
    for balance in (old, new):
        balance.note_scan(ANON, 500, 100, 10, 450)
        balance.note_refault(FILE)
    assert (old._cost, new._cost) == ([10, 1], [32 * 10 + 450, 32])


def test_without_history_swappiness_decides() -> None:
    """60 to 140 of 200: 4096 >> 10 is 4 pages of which 1.2 and 2.8 are scanned."""
    balance = balance_of([4096, 8192, 4096, 8192])
    assert balance.scan_counts(pressure_of(10)) == [1, 2, 2, 5]
    assert balance.may_deactivate == [True, True]


def test_cost_shares() -> None:
    """300 pages written for anonymous memory: costs 600 and 300, shares 60 * 901 // 601 and 140 * 901 // 301."""
    balance = balance_of([40_960, 81_920, 40_960, 81_920])
    balance.note_scan(ANON, 400, 77, 300)
    assert balance._shares(pressure_of(12)) == ((89, 419), 508)
    assert balance.scan_counts(pressure_of(5)) == [1280 * 89 // 508, 2560 * 89 // 508, 1055, 2111]


def test_refaults_cost_and_old_costs_fade() -> None:
    """A working-set refault costs as a write; costs above a quarter of all pages are halved."""
    balance = balance_of([100, 100, 100, 100])
    for _ in range(60):
        balance.note_refault(FILE)
    balance.note_scan(ANON, 0, 0, 40)
    assert balance._cost == [40, 60]
    balance.note_refault(FILE)
    assert balance._cost == [20, 30]


def test_rotated_shares() -> None:
    """3.11: 100 scanned and 25 rotated give 60 * 101 // 26 + 1; nothing scanned 140 * 1 // 1 + 1."""
    balance = balance_of([1000, 2000, 1000, 2000], era="3.11")
    balance.note_scan(ANON, 100, 25, 0)
    assert balance._shares(pressure_of(12)) == ((234, 141), 375)


def test_rotation_counts_fade() -> None:
    """Above a quarter of the kind's pages both counts are halved, when they are next looked at."""
    balance = balance_of([100, 101, 1000, 1001], era="3.11")
    balance.note_scan(ANON, 51, 20, 0)
    balance.note_scan(FILE, 500, 100, 0)
    assert balance._shares(pressure_of(12))[0] == (60 * 26 // 11 + 1, 140 * 501 // 101 + 1)


def test_swappiness_0_and_priority_0() -> None:
    """A cgroup that must not swap scans file pages alone; the last priority scans all of everything."""
    sizes = [64, 128, 64, 128]
    assert balance_of(sizes, reclaim__swappiness=0).scan_counts(pressure_of(0)) == [0, 0, 64, 128]
    assert balance_of(sizes).scan_counts(pressure_of(0)) == sizes


def test_plenty_of_file_pages_spares_anonymous_ones() -> None:
    """Enough inactive file pages at this priority and no news of refaults: file pages alone."""
    counters = Counters()
    balance = balance_of([4096, 0, 4096, 100], counters)
    assert balance.scan_counts(pressure_of(12)) == [0, 0, 1, 0]
    counters.workingset_activate_file += 1
    assert balance.scan_counts(pressure_of(11)) == [0, 0, 1, 0]
    assert balance.may_deactivate == [False, True]
    assert balance._shares(pressure_of(11)) == ((60, 140), 200)
    balance.snapshot_refaults()
    assert balance._shares(pressure_of(11)) == ((60, 140), 200)
    balance.scan_counts(pressure_of(11))
    assert balance._shares(pressure_of(11)) == ((0, 1), 1)


def test_too_few_for_the_priority_is_not_plenty() -> None:
    """In 6.1 the inactive file pages are counted at the priority, in 3.11 all of them."""
    sizes = [4096, 0, 2047, 100]
    for era, shares in (("6.1", (60, 140)), ("3.11", (0, 1))):
        balance = balance_of(sizes, era=era)
        balance.scan_counts(pressure_of(12))
        assert balance._shares(pressure_of(12))[0] == shares


def test_file_is_tiny() -> None:
    """Page cache and free memory together within the high mark: anonymous pages alone, for the machine's reclaim."""
    pressure = pressure_of(10, is_memcg=False)
    pressure.free_pages, pressure.high_wmark_pages = 300, 503
    balance = balance_of([4096, 10, 100, 103])
    assert balance.scan_counts(pressure) == [4, 0, 0, 0]
    pressure.free_pages = 301
    assert balance.scan_counts(pressure)[0] == 1
    pressure.free_pages = 300
    assert balance.scan_counts(pressure_of(10)) == [1, 0, 0, 0]


def test_file_is_not_tiny_where_anonymous_pages_are_short() -> None:
    """6.1 asks that the inactive anonymous list offers something at this priority; 3.11 does not."""
    pressure = pressure_of(12, is_memcg=False)
    pressure.high_wmark_pages = 503
    for era, shares in (("6.1", (60, 140)), ("3.11", (1, 0))):
        balance = balance_of([2047, 10, 100, 200], era=era)
        balance.scan_counts(pressure)
        assert balance._shares(pressure)[0] == shares


def test_a_small_cgroup_scanned_a_batch() -> None:
    """3.11 scans at least 32 pages of a cgroup's list, before shares; 6.1 lets the priority fall instead."""
    sizes = [1000, 2000, 20, 2000]
    assert balance_of(sizes, era="3.11").scan_counts(pressure_of(12)) == [9, 9, 13, 22]
    assert balance_of(sizes).scan_counts(pressure_of(12)) == [0, 0, 0, 0]


def test_force_deactivate() -> None:
    """Both kinds may be deactivated, whatever their sizes."""
    balance = balance_of([10, 1, 10, 1])
    balance.force_deactivate = True
    balance.scan_counts(pressure_of(12))
    assert balance.may_deactivate == [True, True]


def test_trim_keeps_the_proportion_of_the_larger() -> None:
    """Anon 12 of 60 left (19 % of 61), file 96 of 160: file goes on to 81 % of what was asked, anon stops."""
    left = [8, 4, 68, 28]
    assert ScanBalance.trim(left, asked=[40, 20, 100, 60])
    assert left == [0, 0, 49, 16]
    assert not ScanBalance.trim(left, asked=[40, 20, 100, 60])


def test_trim_the_other_way() -> None:
    """File 10 of 100 left (9 % of 101): anon goes on to 91 %, of which the active list has had its part."""
    left = [40, 2, 10, 0]
    assert ScanBalance.trim(left, asked=[100, 60, 60, 40])
    assert left == [31, 0, 0, 0]


def test_trim_of_one_kind_is_the_end() -> None:
    """Nothing to weigh against."""
    assert not ScanBalance.trim([5, 5, 0, 0], asked=[10, 10, 0, 0])


def test_pressure_is_satisfied_by_what_is_freed_or_written() -> None:
    """Over all passes."""
    pressure = Pressure(32)
    assert (pressure.priority, pressure.satisfied) == (12, False)
    pressure.progress = 32
    assert pressure.satisfied
