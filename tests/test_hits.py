"""The hit loops: compiled and not, they do what one access after the other would."""

from array import array
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zsim import hits
from zsim.hits import HitLoops, hit_loops
from zsim.memory import ACCESSED, DIRTY, PRESENT, WRITABLE
from zsim.tlb import Tlb

PAGES = 6
QUICK = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
ENTRIES = [0, *(PRESENT | more for more in (0, WRITABLE, ACCESSED, WRITABLE | ACCESSED, WRITABLE | ACCESSED | DIRTY))]
"""What a page-table entry can be."""

ACCESSES = st.lists(st.tuples(st.integers(0, PAGES - 1), st.integers(0, 1)), max_size=40)
TABLES = st.lists(st.sampled_from(ENTRIES), min_size=PAGES, max_size=PAGES)


def obvious(accesses: list[tuple[int, int]], table: list[int], row: int, stop: int) -> tuple[int, list[int], list[int]]:
    """(row of the first fault or stop, the table then, rows that hit): what a processor does, access by access."""
    table, hit = list(table), []
    while row < stop:
        page, write = accesses[row]
        if not table[page] & PRESENT or write and not table[page] & WRITABLE:
            break
        table[page] |= ACCESSED | (DIRTY if write else 0)
        hit.append(row)
        row += 1
    return row, table, hit


@pytest.fixture(scope="module", params=["uncompiled", "compiled"])
def loops(request: pytest.FixtureRequest) -> HitLoops:
    """The loops of short traces and those of long ones."""
    if request.param == "uncompiled":
        return hit_loops(0)
    pytest.importorskip("numba")
    compiled = hit_loops(hits.COMPILE_FROM_ACCESSES)
    assert compiled.compiled
    return compiled


def columns(loops: HitLoops, accesses: list[tuple[int, int]], table: list[int]) -> tuple[Any, Any]:
    """Accesses and page table as the engine hands them to these loops."""
    dense = np.array([page << 1 | write for page, write in accesses], dtype=np.uint32)
    if loops.compiled:
        return dense, np.array(table, dtype=np.uint8)
    return dense.data, bytearray(table)


@QUICK
@given(ACCESSES, TABLES, st.data())
def test_touch(loops: HitLoops, accesses: list[tuple[int, int]], table: list[int], data: st.DataObject) -> None:
    """Bits are set up to the first fault, and none at it or behind it."""
    stop = data.draw(st.integers(0, len(accesses)))
    row = data.draw(st.integers(0, stop))
    expected_row, expected_table, _ = obvious(accesses, table, row, stop)
    dense, pte = columns(loops, accesses, table)
    assert loops.touch(dense, pte, row, stop) == expected_row
    assert list(pte) == expected_table


@QUICK
@given(ACCESSES, TABLES, st.integers(1, PAGES))
def test_touch_walking(loops: HitLoops, accesses: list[tuple[int, int]], table: list[int], entries: int) -> None:
    """A read of a page whose translation is at hand sets nothing, nor does a write once the page is dirty."""
    expected, known = list(table), [-1] * entries
    row = obvious(accesses, table, 0, len(accesses))[0]
    for page, write in accesses[:row]:
        if known[page % entries] != page or write and not expected[page] & DIRTY:
            expected[page] |= ACCESSED | (DIRTY if write else 0)
        known[page % entries] = page
    dense, pte = columns(loops, accesses, table)
    tlb: Any = Tlb(entries).entries
    assert loops.touch_walking(dense, pte, 0, len(accesses), np.asarray(tlb) if loops.compiled else tlb) == row
    assert (list(pte), list(tlb)) == (expected, known)


@QUICK
@given(ACCESSES, TABLES, st.booleans(), st.integers(0, 1000))
def test_touch_stamped(
    loops: HitLoops, accesses: list[tuple[int, int]], table: list[int], given: bool, offset: int
) -> None:
    """Besides, each page that hit has the number of its last hit: from `values`, or by row and step."""
    values = np.arange(len(accesses), dtype=np.int64) * 7 + 3 if given else np.empty(0, dtype=np.int64)
    row, expected_table, hit = obvious(accesses, table, 0, len(accesses))
    stamps = [0] * PAGES
    for at in hit:
        stamps[accesses[at][0]] = offset + (at * 7 + 3 if given else at * 100)
    dense, pte = columns(loops, accesses, table)
    stamp: Any = np.zeros(PAGES, dtype=np.int64) if loops.compiled else array("q", bytes(8 * PAGES))
    values_given: Any = values if loops.compiled else values.data
    assert loops.touch_stamped(dense, pte, 0, len(accesses), stamp, values_given, offset, 100) == row
    assert (list(pte), list(stamp)) == (expected_table, stamps)


@QUICK
@given(ACCESSES, TABLES)
def test_scan(loops: HitLoops, accesses: list[tuple[int, int]], table: list[int]) -> None:
    """The same first fault, and not a bit is set."""
    dense, pte = columns(loops, accesses, table)
    assert loops.scan(dense, pte, 0, len(accesses)) == obvious(accesses, table, 0, len(accesses))[0]
    assert list(pte) == table


def test_nothing_to_do(loops: HitLoops) -> None:
    """An empty range ends where it began, also where the end lies before it."""
    dense, pte = columns(loops, [(0, 0)], [0] * PAGES)
    assert [loops.touch(dense, pte, row, stop) for row, stop in ((0, 0), (1, 1), (1, 0))] == [0, 1, 1]
    assert [loops.scan(dense, pte, row, stop) for row, stop in ((0, 0), (1, 1), (1, 0))] == [0, 1, 1]


def test_compiling_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short traces are not worth it, and ZSIM_NO_JIT=1 says no."""
    assert not hit_loops(1000).compiled
    monkeypatch.setenv("ZSIM_NO_JIT", "1")
    assert not hit_loops(1 << 40).compiled
