"""Whole pages."""

from zsim.allocators.buddy import Buddy


def test_a_page_for_every_object() -> None:
    """Whatever its size."""
    pool = Buddy()
    handles = [pool.alloc(size_bytes) for size_bytes in (1, 2048, 4096)]
    assert pool.pages == 3
    pool.free(handles[0])
    assert pool.pages == 2
