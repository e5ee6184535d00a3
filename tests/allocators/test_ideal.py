"""The bound: bytes over the page size."""

from zsim.allocators import ENOMEM
from zsim.allocators.ideal import Ideal


def test_pages_are_bytes_rounded_up() -> None:
    """Nothing is lost between objects, and freeing leaves no hole."""
    pool = Ideal()
    handles = [pool.alloc(1000) for _ in range(9)]
    assert pool.pages == 3
    pool.free(handles[4])
    assert pool.pages == 2 and [extent.offset for extent in pool.extents()] == [1000 * n for n in range(8)]


def test_asks_only_for_the_pages_it_lacks() -> None:
    """An object that fits into the last page needs no memory."""
    pool = Ideal(lambda frames: frames == 1 and pool.pages < 1)
    assert pool.alloc(4000) > 0 and pool.alloc(97) == ENOMEM and pool.alloc(96) > 0
