"""Rows and versions: what is left out makes no difference to a memory that the trace is valid for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsim.record.journal import SMALLEST_K, Journal, Limit, Row
from zsim.traces.recording import BATCHES_IN_MEMORY


class Rows:
    """A sink that keeps all."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def write(self, row: Row) -> None:
        """Append it."""
        self.rows.append(row)


def journal(k: int) -> tuple[Journal, list[Row]]:
    """A journal with batches of k pages, and the rows it has given away."""
    sink = Rows()
    return Journal(sink, Limit(BATCHES_IN_MEMORY * k * 4096)), sink.rows


def test_first_touch_and_first_write() -> None:
    """Within a batch a page has a row for its first touch and one for its first write after a read."""
    book, rows = journal(8)
    for page, write in [(1, False), (2, True), (1, False), (1, True), (1, True), (2, False)]:
        book.access(5, "t", page, write)
    book.close()
    assert [(row.page, row.write) for row in rows] == [(1, False), (2, True), (1, True)]
    assert (book.rows, book.writes, len(book.footprint), book.file_pages) == (3, 2, 2, 0)


def test_read_turns_out_to_be_a_write() -> None:
    """The last row becomes a write when its instruction goes on to write; no other row does."""
    book, rows = journal(8)
    book.access(1, "t", 1, False)
    assert not book.was_write(2, "t") and book.was_write(1, "t") and not book.was_write(1, "t")
    book.close()
    assert [(row.page, row.write) for row in rows] == [(1, True)]


def test_full_after_k_pages() -> None:
    """K distinct pages fill a batch, however many rows they have; the next one starts anew."""
    book, _ = journal(2)
    book.access(1, "t", 1, False)
    book.access(1, "t", 1, True)
    assert not book.full
    book.access(1, "u", 1, False)
    assert book.full
    book.next_batch()
    assert not book.full and book.batches == 1 and book.min_memory_pages == 8


def test_limit_follows_the_footprint() -> None:
    """A share of what has been touched so far, at least the smallest; a fixed memory stays."""
    assert [Limit(share=0.25).k(pages) for pages in (0, 512, 16_000)] == [SMALLEST_K, SMALLEST_K, 1000]
    assert Limit(1 << 20).k(10) == Limit(1 << 20).k(10**6) == 64


def test_batch_larger_than_k_counts() -> None:
    """The smallest valid memory goes by the largest batch there was."""
    book, _ = journal(2)
    for page in range(9):
        book.access(1, "t", page, False)
    book.next_batch()
    assert book.min_memory_pages == 36


def test_times_by_task() -> None:
    """The journal knows how far each task's clock is."""
    book, _ = journal(2)
    for time_ns, task in [(3, "a"), (4, "b"), (9, "a")]:
        book.access(time_ns, task, time_ns, False)
    assert book.times_ns == {"a": 9, "b": 4}


ACCESSES = st.lists(st.tuples(st.integers(0, 15), st.booleans()), min_size=1, max_size=150)


@given(ACCESSES, st.integers(1, 4), st.integers(0, 8))
def test_versions_are_right_wherever_a_page_can_be_evicted(accesses: list[tuple[int, bool]], k: int, more: int) -> None:
    """In an LRU memory that the rows are valid for, a page that leaves has the version that the trace says."""
    book, rows = journal(k)
    held: dict[int, int] = {}
    for at, (page, write) in enumerate(accesses):
        if book.full and (page, "t") not in book.batch:
            end(book, held)
        if write:
            held[page] = at + 1
        book.access(at, "t", page, write)
    end(book, held)
    book.close()
    truth = versions(rows, k, accesses)
    check(rows, truth, book.min_memory_pages + more)


def end(book: Journal, held: dict[int, int]) -> None:
    """End a batch: all its pages say what they hold."""
    for page, _ in list(book.batch):
        book.holds(page, "t", held.get(page, 0).to_bytes(4, "little"))
    book.next_batch()


def versions(rows: list[Row], k: int, accesses: list[tuple[int, bool]]) -> list[int]:
    """For each row the number of the last write to its page by the end of its batch."""
    ends: list[int] = []
    batch: set[int] = set()
    batch_of: list[int] = []
    for at, (page, _) in enumerate(accesses):
        if len(batch) >= k and page not in batch:
            ends.append(at)
            batch = set()
        batch.add(page)
        batch_of.append(len(ends))
    ends.append(len(accesses))
    result = []
    for row in rows:
        until = ends[batch_of[row.time_ns]]
        writes = [at + 1 for at, (page, write) in enumerate(accesses[:until]) if write and page == row.page]
        result.append(writes[-1] if writes else 0)
    return result


def check(rows: list[Row], truth: list[int], memory: int) -> None:
    """Replay the rows in an LRU memory; whatever is evicted has the last version named at or before its last row."""
    resident: dict[int, int] = {}
    named: dict[int, int] = {}
    for at, row in enumerate(rows):
        if row.data is not None:
            named[row.page] = int.from_bytes(row.data, "little")
        resident.pop(row.page, None)
        resident[row.page] = at
        if len(resident) > memory:
            page = next(iter(resident))
            assert named.get(page) == truth[resident.pop(page)], page


def test_image_moves_on_with_a_hot_page() -> None:
    """A page touched again soon takes its image along: only the last of its rows names one."""
    book, rows = journal(2)
    for at in range(4):
        book.access(at, "t", 1, True)
        book.access(at, "t", 100 + at, False)
        book.holds(1, "t", bytes([at]))
        book.next_batch()
    book.close()
    assert [row.data for row in rows if row.page == 1] == [None, None, None, b"\3"]
    assert book.captured == 4


@pytest.mark.parametrize("file", [None, "a file"])
def test_file_pages_are_counted(file: str | None) -> None:
    """Page-cache pages count apart."""
    book, _ = journal(2)
    book.access(1, "t", 1, False, file)
    assert book.file_pages == (file is not None)
