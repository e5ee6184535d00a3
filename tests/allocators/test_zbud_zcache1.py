"""The zbud of zcache v1: fullest fit, frames kept, eviction by size."""

import pytest

from tests.allocators.limits import check_chunk_limits
from zsim.allocators import EAGAIN, EINVAL, Occupancy
from zsim.allocators.zbud_zcache1 import ZbudZcache1

CHUNK = 64


def test_limits() -> None:
    """A header of two chunks: 3,904 bytes at most."""
    check_chunk_limits(ZbudZcache1, "zbud_zcache1")


def test_oldest_of_the_fullest_that_fit() -> None:
    """Queues are first in, first out, where mainline's are last in, first out."""
    pool = ZbudZcache1()
    older, newer, emptier = pool.alloc(50 * CHUNK), pool.alloc(50 * CHUNK), pool.alloc(40 * CHUNK)
    thirds = [pool.alloc(12 * CHUNK) for _ in range(3)]
    group = {extent.handle: extent.group for extent in pool.extents()}
    assert [group[handle] for handle in thirds] == [group[older], group[newer], group[emptier]]


def test_emptied_frames_stay() -> None:
    """Still counted, reused before memory is asked for, and given back by reclaim alone."""
    asked: list[int] = []

    def grow(frames: int) -> bool:
        asked.append(frames)
        return True

    pool = ZbudZcache1(grow)
    handles = [pool.alloc(3000) for _ in range(3)]
    for handle in handles:
        pool.free(handle)
    assert pool.pages == 3 and pool.occupancy()[0] == Occupancy("unused", 3, 0, 6)
    pool.alloc(100)
    assert pool.pages == 3 and asked == [1, 1, 1]
    for pages_left in (2, 1):
        assert pool.reclaim(lambda handle: pytest.fail("asked to evict")) == 1 and pool.pages == pages_left
    pool.validate()


def test_eviction_order() -> None:
    """Single objects from the smallest up, then pairs, oldest first: nothing to do with use."""
    pool = ZbudZcache1()
    pair, large, small = (pool.alloc(3000), pool.alloc(800)), pool.alloc(3900), pool.alloc(2900)
    order: list[int] = []

    def evict(handle: int) -> bool:
        order.append(handle)
        pool.free(handle)
        return True

    while pool.reclaim(evict) == 1:
        pool.validate()
    assert order == [small, large, *pair] and pool.pages == 0
    assert pool.reclaim(evict) == EINVAL


def test_busy_pages_keep_their_place() -> None:
    """Those that will not go are passed over, up to the number of tries."""
    pool = ZbudZcache1()
    sizes_chunks = [40, 41, 42]
    handles = [pool.alloc(chunks * CHUNK) for chunks in sizes_chunks]

    def evict(handle: int) -> bool:
        if handle == handles[2]:
            pool.free(handle)
        return handle == handles[2]

    assert pool.reclaim(evict, 2) == EAGAIN and pool.pages == 3
    assert pool.reclaim(evict, 3) == 1 and pool.pages == 2
