"""xvmalloc: good fit, splitting, merging."""

from zsim.allocators import EINVAL, ENOSPC, Extent
from zsim.allocators.xvmalloc import Xvmalloc


def offsets(pool: Xvmalloc) -> dict[int, int]:
    """Handle -> byte it starts at."""
    return {extent.handle: extent.offset for extent in pool.extents()}


def test_limits() -> None:
    """4,088 bytes: a page less one header."""
    pool = Xvmalloc()
    assert pool.alloc(4088) > 0 and pool.pages == 1
    assert pool.alloc(4089) == ENOSPC and pool.alloc(0) == EINVAL


def test_objects_follow_each_other() -> None:
    """A header of 8 bytes each, sizes rounded up to 8."""
    pool = Xvmalloc()
    handles = [pool.alloc(2001), pool.alloc(100), pool.alloc(1)]
    assert list(pool.extents()) == [
        Extent(1, 8, 2001, handles[0]),
        Extent(1, 2024, 100, handles[1]),
        Extent(1, 2136, 1, handles[2]),
    ]


def test_good_fit() -> None:
    """The first list that is sure to suffice, newest block first; not the first hole."""
    pool = Xvmalloc()
    handles = [pool.alloc(size_bytes) for size_bytes in (800, 8, 400, 8, 400, 8, 2300)]
    was = offsets(pool)
    for index in (0, 2, 4):
        pool.free(handles[index])
    new = [pool.alloc(400), pool.alloc(390), pool.alloc(401)]
    assert pool.pages == 1
    assert [offsets(pool)[handle] for handle in new] == [was[handles[index]] for index in (4, 2, 0)]


def test_small_rest_is_slack_until_it_merges() -> None:
    """What is below 32 bytes is on no list, yet joins a neighbour that is freed."""
    pool = Xvmalloc()
    first, second = pool.alloc(2000), pool.alloc(2056)
    assert pool.occupancy()[0].capacity == 2, "the 16 bytes left are no room"
    pool.free(second)
    assert pool.alloc(2072) > 0 and pool.pages == 1
    pool.free(first)
    pool.validate()


def test_page_goes_when_all_of_it_is_free() -> None:
    """Merged forwards and backwards."""
    pool = Xvmalloc()
    handles = [pool.alloc(1000) for _ in range(4)]
    for index in (1, 3, 2):
        pool.free(handles[index])
        pool.validate()
    assert pool.pages == 1
    pool.free(handles[0])
    assert pool.pages == 0
