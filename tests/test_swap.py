"""Swap slots in clusters."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsim.swap import CLUSTER_SLOTS, SwapSlots


def filled(slots: int) -> SwapSlots:
    """Every slot in use, slot n by page n."""
    full = SwapSlots(slots)
    assert [full.alloc(page) for page in range(slots)] == list(range(slots))
    return full


def test_slots_follow_one_another_and_name_their_page() -> None:
    """From slot 0 on, through clusters of 256, to a last one that is not whole."""
    slots = filled(600)
    assert slots.used == 600
    assert slots.page_at[:3] == [0, 1, 2]
    assert slots.alloc(600) == -1
    slots.validate()


def test_a_freed_slot_behind_is_not_taken_at_once() -> None:
    """Allocation goes on in its cluster, then in the next free one."""
    slots = SwapSlots(3 * CLUSTER_SLOTS)
    for page in range(100):
        slots.alloc(page)
    slots.free(5)
    assert slots.page_at[5] == -1
    assert [slots.alloc(page) for page in range(156)] == list(range(100, 256))
    assert slots.alloc(0) == 256


def test_free_clusters_are_used_in_the_order_they_became_free() -> None:
    """The one that has been free longest first."""
    slots = filled(4 * CLUSTER_SLOTS)
    for cluster in (2, 0, 1):
        for slot in range(CLUSTER_SLOTS):
            slots.free(cluster * CLUSTER_SLOTS + slot)
    opened = [slots.alloc(page) // CLUSTER_SLOTS for page in range(3 * CLUSTER_SLOTS)]
    assert opened == [2] * CLUSTER_SLOTS + [0] * CLUSTER_SLOTS + [1] * CLUSTER_SLOTS
    slots.validate()


def test_a_current_cluster_that_empties_waits_behind_those_already_free() -> None:
    """It joins the free ones when allocation leaves it."""
    slots = SwapSlots(3 * CLUSTER_SLOTS)
    for page in range(CLUSTER_SLOTS):
        slots.alloc(page)
    for slot in range(CLUSTER_SLOTS):
        slots.free(slot)
    assert [slots.alloc(page) for page in range(2 * CLUSTER_SLOTS)] == list(range(CLUSTER_SLOTS, 3 * CLUSTER_SLOTS))
    assert slots.alloc(0) == 0


def test_without_a_free_cluster_the_next_hole_is_taken() -> None:
    """From where allocation stands to the end, then from the start, and the rest of that cluster with it."""
    slots = filled(3 * CLUSTER_SLOTS)
    for slot in (700, 10, 300, 302):
        slots.free(slot)
    assert [slots.alloc(page) for page in range(5)] == [10, 300, 302, 700, -1]


@given(st.integers(1, 1100), st.integers(0, 2**32))
def test_any_order(size: int, seed: int) -> None:
    """No slot is given twice, none is lost, whatever is freed when."""
    slots, draw, taken = SwapSlots(size), Random(seed), dict[int, int]()
    for page in range(400):
        for _ in range(draw.randrange(6)):
            slot = slots.alloc(page)
            assert (slot < 0) == (len(taken) == size)
            if slot >= 0:
                assert slot not in taken
                taken[slot] = page
        for slot in draw.sample(sorted(taken), min(len(taken), draw.randrange(6))):
            assert slots.page_at[slot] == taken.pop(slot)
            slots.free(slot)
    assert slots.used == len(taken)
    slots.validate()


def test_freeing_a_free_slot_is_a_mistake() -> None:
    """Caught at once."""
    with pytest.raises(AssertionError, match="slot 0"):
        SwapSlots(4).free(0)
