"""The limits of the allocators that pack by chunks, from a table, and one check of all of them."""

import csv
from pathlib import Path

from tests.allocators.conformance import Make
from zsim.allocators import Allocator

DATA = Path(__file__).parents[1] / "data"


def objects_in_first_group(pool: Allocator, size_bytes: int) -> int:
    """How many objects of a size an empty pool takes before it grows a second time."""
    assert pool.alloc(size_bytes) > 0
    pages, objects = pool.pages, 1
    while pool.alloc(size_bytes) > 0 and pool.pages == pages:
        objects += 1
    return objects


def check_chunk_limits(make: Make, name: str) -> None:
    """One row of the table: the largest request, the largest that shares, chunk arithmetic, objects to a page."""
    with (DATA / "chunk_allocators.csv").open() as file:
        row = {key: int(value) for r in csv.DictReader(file) if r.pop("allocator") == name for key, value in r.items()}
    assert make(None).max_size == row["max_request"]
    assert objects_in_first_group(make(None), 1) == row["max_objects_per_page"]
    extra, chunk = row["extra_bytes_per_object"], row["chunk"]
    assert shares_a_page(make(None), row["max_packed_request"], 1)
    if row["max_packed_request"] < row["max_request"]:
        assert not shares_a_page(make(None), row["max_packed_request"] + 1, 1)
    for chunks in range(1, row["usable_chunks"] - 1):
        full = chunks * chunk - extra
        rest = (row["usable_chunks"] - chunks) * chunk - extra
        assert shares_a_page(make(None), full, rest)
        assert not shares_a_page(make(None), full + 1, rest)


def shares_a_page(pool: Allocator, first_bytes: int, second_bytes: int) -> bool:
    """Whether two objects end up in one page."""
    assert pool.alloc(first_bytes) > 0 and pool.alloc(second_bytes) > 0
    return pool.pages == 1
