"""The zbud of zcache2: no header in the page, 32 bytes before each object, an LRU."""

from tests.allocators.limits import check_chunk_limits
from zsim.allocators import EAGAIN, Extent
from zsim.allocators.zbud_zcache2 import ZbudZcache2


def test_limits() -> None:
    """4,000 bytes at most, 64 chunks to share."""
    check_chunk_limits(ZbudZcache2, "zbud_zcache2")


def test_placement() -> None:
    """From the page's first byte on, behind the tmem handle."""
    pool = ZbudZcache2()
    first, last = pool.alloc(2016), pool.alloc(2016)
    assert list(pool.extents()) == [Extent(1, 32, 2016, first), Extent(1, 2080, 2016, last)]
    assert pool.pages == 1


def test_allocation_makes_a_page_young_and_free_does_not() -> None:
    """Reclaim takes the page that was allocated into longest ago, both objects of it."""
    pool, order = ZbudZcache2(), list[int]()
    once_old, once_young = pool.alloc(3000), pool.alloc(3200)
    freed, kept = pool.alloc(700), pool.alloc(900)
    group = {extent.handle: extent.group for extent in pool.extents()}
    assert [group[kept], group[freed]] == [group[once_old], group[once_young]]
    pool.alloc(4000)
    pool.free(freed)

    def evict(handle: int) -> bool:
        order.append(handle)
        pool.free(handle)
        return True

    assert [pool.reclaim(evict), pool.reclaim(evict), pool.pages] == [1, 1, 1]
    assert order == [once_young, once_old, kept]


def test_busy_pages_keep_their_place() -> None:
    """The oldest page that lets go is taken, up to the number of tries; half an eviction frees nothing."""
    pool = ZbudZcache2()
    old, buddy, young = pool.alloc(2500), pool.alloc(1000), pool.alloc(3000)

    def evict(handle: int) -> bool:
        if handle != buddy:
            pool.free(handle)
        return handle != buddy

    assert pool.reclaim(evict, 1) == EAGAIN and pool.pages == 2
    pool.validate()
    assert pool.reclaim(evict, 2) == 1
    assert [extent.handle for extent in pool.extents()] == [buddy] and old != young
