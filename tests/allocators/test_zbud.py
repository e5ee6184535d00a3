"""zbud as merged: placement, order of lists, reclaim."""

from functools import partial

import pytest

from tests.allocators.limits import check_chunk_limits
from zsim.allocators import EAGAIN, EINVAL, ENOSPC, Evict, Extent, Occupancy, make_allocator
from zsim.allocators.zbud import Unbuddied, Zbud

CHUNK = 64


def freeing(pool: Zbud, order: list[int]) -> Evict:
    """An evict callback that frees and writes down whom."""

    def evict(handle: int) -> bool:
        order.append(handle)
        pool.free(handle)
        return True

    return evict


def busy(order: list[int], handle: int) -> bool:
    """An evict callback that never lets go."""
    order.append(handle)
    return False


def pages_of(pool: Zbud) -> dict[int, int]:
    """Handle -> page."""
    return {extent.handle: extent.group for extent in pool.extents()}


def test_limits() -> None:
    """3,968 bytes at most, 63 chunks to share."""
    check_chunk_limits(Zbud, "zbud_mainline")
    assert Zbud().alloc(3969) == ENOSPC


def test_first_left_last_right() -> None:
    """The first object follows the header, the last ends with the page, and neither moves."""
    pool = Zbud()
    first, last = pool.alloc(1000), pool.alloc(100)
    assert list(pool.extents()) == [Extent(1, 64, 1000, first), Extent(1, 4096 - 2 * CHUNK, 100, last)]
    pool.free(first)
    assert list(pool.extents()) == [Extent(1, 4096 - 2 * CHUNK, 100, last)]
    assert pool.alloc(50) and sorted(pool.extents())[0].offset == 64


def test_best_fit_then_newest() -> None:
    """The page with the least room that suffices; among equals the one put on the list last."""
    pool = Zbud()
    roomy, tight, newer = pool.alloc(33 * CHUNK), pool.alloc(50 * CHUNK), pool.alloc(50 * CHUNK)
    buddies = [pool.alloc(13 * CHUNK), pool.alloc(12 * CHUNK), pool.alloc(1)]
    page = pages_of(pool)
    assert [page[buddy] for buddy in buddies] == [page[newer], page[tight], page[roomy]]


def test_reclaim_takes_the_page_filled_longest_ago() -> None:
    """The LRU orders pages by the last allocation into them: a new buddy makes an old object young."""
    pool, order = Zbud(), list[int]()
    old, young = pool.alloc(50 * CHUNK), pool.alloc(60 * CHUNK)
    buddy = pool.alloc(10 * CHUNK)
    assert pages_of(pool)[buddy] == pages_of(pool)[old]
    evict = freeing(pool, order)
    assert [pool.reclaim(evict), pool.reclaim(evict), pool.reclaim(evict)] == [1, 1, EINVAL]
    assert order == [young, old, buddy] and pool.pages == 0


def test_reclaim_frees_one_page_with_one_or_two_evictions() -> None:
    """First side, then last side."""
    pool, order = Zbud(), list[int]()
    first, last, other = pool.alloc(1000), pool.alloc(500), pool.alloc(3900)
    assert pool.reclaim(freeing(pool, order)) == 1 and order == [first, last] and pool.pages == 1
    assert pool.reclaim(freeing(pool, order)) == 1 and order[2:] == [other] and pool.pages == 0


def test_reclaim_gives_up_after_its_tries() -> None:
    """A refusal skips the rest of the page and makes it the newest: eight tries, eight pages asked once."""
    pool, order = Zbud(), list[int]()
    firsts = [pool.alloc(2000) for _ in range(10)]
    for _ in range(10):
        pool.alloc(1900)
    assert pool.reclaim(partial(busy, order)) == EAGAIN
    assert sorted(order) == sorted(set(order)) and len(order) == 8 and set(order) <= set(firsts)
    assert pool.reclaim(partial(busy, order), 2) == EAGAIN and sorted(order) == firsts
    pool.validate()


def test_partly_evicted_page_stays() -> None:
    """The first object gone, the last busy: the page is on a list again, with its room."""
    pool = Zbud()
    first, last = pool.alloc(2000), pool.alloc(1900)

    def evict(handle: int) -> bool:
        if handle == first:
            pool.free(handle)
        return handle == first

    assert pool.reclaim(evict, 1) == EAGAIN and pool.pages == 1
    pool.validate()
    again = pool.alloc(2000)
    assert pages_of(pool)[last] == pages_of(pool)[again]


def test_no_reclaim_from_6_5() -> None:
    """The allocator's own eviction was removed; before it was there all along."""
    assert [make_allocator(f"zbud@{kernel}").can_reclaim for kernel in ("3.11", "6.4", "6.5", "6.14")] == [1, 1, 0, 0]
    pool = make_allocator("zbud@6.6")
    pool.alloc(100)
    assert pool.reclaim(lambda handle: pytest.fail("asked to evict")) == EINVAL


def test_occupancy_names_the_lists() -> None:
    """Two objects: buddied; one: the list of its free chunks."""
    pool = Zbud()
    for size_bytes in (1984, 2016, 640):
        pool.alloc(size_bytes)
    assert pool.occupancy() == [Occupancy("buddied", 1, 2, 2), Occupancy("unbuddied[53]", 1, 1, 2)]


def test_unbuddied_keeps_its_bitmap() -> None:
    """Lists emptied by taking and by removing."""
    lists: Unbuddied[str] = Unbuddied(63)
    lists.push("a", 5)
    lists.push("b", 5)
    lists.push("c", 62)
    lists.remove("a", 5)
    assert [lists.take(6), lists.take(6), lists.take(1), lists.take(1)] == ["c", None, "b", None]
    lists.validate({})
