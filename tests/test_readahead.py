"""Swap readahead: by blocks of slots, and by virtual address."""

from typing import Any

import numpy as np
import pytest

from tests.machines import Bench, config_of, make_trace, replayed
from zsim.faults import make_readahead
from zsim.machine import Machine
from zsim.memory import LOCKED, READAHEAD, Memory
from zsim.readahead import BlockReadahead, ClusterReadahead, NoReadahead, VmaReadahead, window_pages
from zsim.swap import SwapSlots

FAR = 10_000


@pytest.mark.parametrize(("hits", "pages"), [(0, 1), (1, 4), (2, 4), (3, 8), (4, 8), (5, 8), (6, 8), (7, 8), (99, 8)])
def test_the_window_grows_with_the_hits(hits: int, pages: int) -> None:
    """__swapin_nr_pages of page_cluster 3 with no window before: hits + 2 rounded up to 4 or 8."""
    assert window_pages(0, FAR, hits, 8, 0) == pages


@pytest.mark.parametrize(("before", "pages"), [(FAR - 1, 2), (FAR + 1, 2), (FAR, 1), (FAR + 2, 1)])
def test_neighbours_get_a_window_of_two(before: int, pages: int) -> None:
    """Without hits, where the fault is next to the last one."""
    assert window_pages(before, FAR, 0, 8, 0) == pages


def test_the_window_shrinks_by_half_at_most_and_has_a_bound() -> None:
    """After a window of 8 and no hits: 4, 2, 1; 2^page_cluster at most."""
    assert [window_pages(0, FAR, 0, 8, last) for last in (8, 4, 2, 1)] == [4, 2, 1, 1]
    assert [window_pages(0, FAR, 14, 1 << cluster, 0) for cluster in (1, 2, 4)] == [2, 4, 16]


def slots_in_use(slots: int) -> tuple[list[int], SwapSlots]:
    """Page n in slot n; the slot of each page."""
    used = SwapSlots(slots)
    return [used.alloc(page) for page in range(slots)], used


def test_blocks_are_aligned_and_whole() -> None:
    """3.13 and before: whatever was of use; free slots and what is behind the end are left out."""
    slot, slots = slots_in_use(30)
    slots.free(27)
    readahead = BlockReadahead(3, slot, slots, 0)
    assert readahead.window(13) == list(range(8, 16))
    assert readahead.window(25) == [24, 25, 26, 28, 29]


def test_clusters_follow_hits() -> None:
    """Window of 1, then 4 after a hit; the last place is kept while there are hits, as in swapin_nr_pages."""
    slot, slots = slots_in_use(64)
    readahead = ClusterReadahead(3, slot, slots, 0)
    assert readahead.window(20) == [20]
    readahead.found(20, True)
    assert readahead.window(41) == [40, 41, 42, 43]
    assert readahead.window(50) == [50, 51]
    assert readahead.window(51) == [50, 51]


def test_slots_of_a_store_are_not_read_ahead() -> None:
    """Blocks are those of the disk behind it."""
    slot, slots = slots_in_use(32)
    readahead = BlockReadahead(2, slot, slots, 6)
    assert readahead.window(3) == [3]
    assert readahead.window(6) == [6, 7, 8, 9]


def by_address(numbers: list[int], owner: list[int] | None = None, cluster: int = 3) -> VmaReadahead:
    """Pages at these addresses, all swapped out."""
    pages = len(numbers)
    memory = Memory(pages, np.array(owner or [0] * pages, np.uint16), np.array(numbers, np.uint64))
    memory.slot = list(range(pages))
    return VmaReadahead(cluster, memory, bytes(pages), 0)


def test_the_first_window_of_a_vma() -> None:
    """It is credited with four hits: eight pages, three of them before the fault."""
    assert by_address(list(range(100, 140))).window(20) == list(range(17, 25))


def test_directions() -> None:
    """Next to the last fault the window goes on from there, forwards or backwards."""
    ahead = by_address(list(range(100, 200)))
    ahead.window(50)
    for page in range(51, 56):
        ahead.found(page, True)
    assert ahead.window(56) == list(range(56, 64))
    back = by_address(list(range(100, 200)))
    back.window(50)
    back.found(48, True)
    back.found(47, True)
    assert back.window(46) == [43, 44, 45, 46]


def test_finding_a_page_tells_where_the_task_is() -> None:
    """Also one that was not read ahead: it is no hit, but the next fault is next to it."""
    readahead = by_address(list(range(100, 200)))
    for page in (10, 80, 30, 60):
        readahead.window(page)
    readahead.found(70, False)
    assert readahead.window(71) == [71, 72]


def test_a_window_ends_with_its_page_table() -> None:
    """512 pages; the cut window still counts as one of eight."""
    readahead = by_address(list(range(500, 530)))
    assert readahead.window(11) == [8, 9, 10, 11]
    assert readahead.window(12) == [12, 13, 14, 15]


def test_vmas_have_their_own_state() -> None:
    """Another task's pages, and those behind a gap of a page table, start anew; small holes do not matter."""
    readahead = by_address([*range(10), *range(600, 610), *range(10)], [0] * 20 + [1] * 10)
    assert readahead.window(4) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert readahead.window(14) == list(range(11, 19))
    assert readahead.window(24) == list(range(21, 29))
    assert by_address([0, 2, 4, 6, 8, 10]).window(2) == [1, 2, 3, 4]


def test_the_order_is_of_addresses() -> None:
    """Pages are numbered as they are touched, windows by address."""
    assert by_address([9, 8, 7, 6, 5, 4, 3, 2]).window(4) == [7, 6, 5, 4, 3, 2, 1, 0]


def test_at_most_32_pages() -> None:
    """SWAP_RA_ORDER_CEILING."""
    readahead = by_address(list(range(2000)), cluster=6)
    readahead.window(600)
    for _ in range(100):
        readahead.found(700, True)
    assert len(readahead.window(800)) == 32


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, NoReadahead),
        ({"swap__page_cluster": 3}, VmaReadahead),
        ({"swap__page_cluster": 3, "swap__device": "hdd"}, ClusterReadahead),
        ({"swap__page_cluster": 3, "swap__readahead": "cluster"}, ClusterReadahead),
        ({"swap__page_cluster": 3, "era": "3.11"}, BlockReadahead),
        ({"swap__page_cluster": 3, "era": "6.12"}, VmaReadahead),
    ],
)
def test_which_is_chosen(values: dict[str, Any], kind: type) -> None:
    """By address from 4.14 on, where the swap device does not rotate."""
    bench = Bench(**values)
    assert type(make_readahead(bench.machine)) is kind


def test_a_sequential_loop() -> None:
    """One fault in eight; pages read ahead are found in the swap cache, and counted."""
    bench = Bench(store="none", swap__page_cluster=3)
    bench.swap_out(*range(40))
    bench.touch(*range(40))
    counters = bench.counters
    assert (counters.major_device, counters.pswpin) == (6, 40)
    assert (counters.swap_ra, counters.swap_ra_hit) == (34, 34)


def test_what_is_being_written_counts_as_read_ahead() -> None:
    """PG_readahead is PG_reclaim by another name."""
    bench = Bench(store="none", swap__page_cluster=3)
    bench.touch(0)
    bench.evict(0)
    assert bench.memory.flags[0] & READAHEAD
    bench.fault(0)
    assert (bench.counters.swap_ra_hit, bench.counters.pswpin) == (1, 0)


def test_the_wanted_page_stays_until_it_is_mapped() -> None:
    """Room for its neighbours is made of other pages, however few there are."""
    accesses = [(page, 1) for _ in range(4) for page in range(24)]
    config = config_of(
        pages=10, store="none", memory__mode="memcg", swap__page_cluster=3, reclaim__batch=8, memory__entry_bytes=0
    )
    engine = replayed(make_trace([accesses]), config, check=True)
    machine: Machine = engine.machine
    assert engine.outcome == "done"
    assert machine.counters.pswpin == machine.counters.major_device + machine.counters.swap_ra
    assert not any(flags & LOCKED for flags in machine.memory.flags)
