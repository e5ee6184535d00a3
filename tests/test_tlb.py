"""A TLB hides accesses from reclaim, until it forgets the page."""

from typing import Any

import pytest

from tests.machines import SizesByPage, config_of, make_trace
from zsim.engine import Engine, ReferenceEngine
from zsim.tlb import Tlb


def test_one_page_a_cell() -> None:
    """A translation is at hand until another takes its cell or all are flushed."""
    tlb = Tlb(4)
    assert [tlb.look_up(page) for page in (1, 1, 5, 1, 2, 1)] == [False, True, False, False, False, True]
    tlb.flush()
    assert not tlb.look_up(1)


def hot_majors(kind: type[Engine], switches: list[int], **values: Any) -> int:
    """Major faults of four pages that are used all the time, while cold ones stream through the rest of the memory."""
    rows = [(page, 1) for page in range(4)]
    for cold in [*range(4, 40), *range(4, 40)]:
        rows += [(cold, 0), *((page, 0) for page in range(4))]
    config = config_of(store="none", pages=20, reclaim__batch=4, **values)
    engine = kind(make_trace([rows], switches=[switches]), config, SizesByPage())
    majors = []
    engine.on_fault = lambda task, row, fault: majors.append(rows[row][0]) if fault != "minor" else None
    engine.run()
    return sum(page < 4 for page in majors)


@pytest.mark.parametrize("kind", [Engine, ReferenceEngine])
def test_what_is_hidden_is_evicted(kind: type[Engine]) -> None:
    """Pages whose translation is always at hand look unused; without a TLB, or with one flushed often, they stay."""
    often = list(range(0, 364, 5))
    cases: list[tuple[list[int], int]] = [([], 0), ([], 64), (often, 64)]
    seen, hidden, flushed = (
        hot_majors(kind, switches, memory__mode="memcg", memory__tlb_entries=entries) for switches, entries in cases
    )
    assert flushed == seen < hidden / 4


def test_kswapd_on_the_same_processor_flushes() -> None:
    """While it has the task's processor it unmaps pages of an address space that is not in use: all is forgotten."""
    config = config_of(pages=20, memory__mode="memcg", memory__tlb_entries=64)
    engine = Engine(make_trace([[(3, 0)]]), config, SizesByPage())
    assert [engine.tlbs[0].look_up(3) for _ in range(2)] == [False, True]
    engine._stall(10)
    assert not engine.tlbs[0].look_up(3)
