"""Plugs: which writes become one request, and when a plug must be flushed."""

from zsim.plug import BLK_MAX_REQUEST_COUNT, BLK_PLUG_FLUSH_PAGES, Plug, adjacent


def filled(*blocks: int, request_pages: int = 256) -> Plug:
    """A plug with these writes."""
    plug = Plug(request_pages)
    for block in blocks:
        plug.add(block, block, -1)
    return plug


def test_adjacent_blocks_are_runs() -> None:
    """Neighbours go together, a gap ends the run."""
    assert adjacent([3, 4, 5, 9, 11, 12]) == [[3, 4, 5], [9], [11, 12]]
    assert adjacent([]) == []


def test_a_long_request_flushes_when_the_next_begins() -> None:
    """32 pages in a row: the 33rd may join them at either end, another page flushes."""
    plug = filled(*range(10, 10 + BLK_PLUG_FLUSH_PAGES))
    assert not plug.must_flush(42) and not plug.must_flush(9)
    assert plug.must_flush(43)
    assert not filled(*range(31)).must_flush(99)


def test_many_requests_flush() -> None:
    """32 requests of a page: a further one flushes; one that joins the newest does not."""
    plug = filled(*range(0, 2 * BLK_MAX_REQUEST_COUNT, 2))
    assert plug.must_flush(100)
    assert not plug.must_flush(63)
    assert not filled(*range(0, 62, 2)).must_flush(100)


def test_only_the_newest_request_grows() -> None:
    """A neighbour of an older request begins one of its own."""
    plug = filled(*range(0, 60, 2), 1, 100)
    assert plug.must_flush(3)


def test_a_full_request_flushes() -> None:
    """254 pages of a virtio disk: the 255th in a row begins a new request, and flushes."""
    plug = filled(*range(254), request_pages=254)
    assert plug.must_flush(254)
    assert not filled(*range(253), request_pages=254).must_flush(253)


def test_taken_it_is_empty() -> None:
    """All writes by block; afterwards nothing is left that one could join."""
    plug = filled(*range(40))
    assert sorted(plug.take()) == list(range(40))
    assert plug.take() == {}
    assert not plug.must_flush(7)
