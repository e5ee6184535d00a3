"""kmalloc's size classes, slab orders and partial slabs."""

import csv
from pathlib import Path

import pytest

from tests.allocators.limits import objects_in_first_group
from zsim.allocators import ENOMEM
from zsim.allocators.kmalloc import SIZES, Kmalloc, slab_order

with (Path(__file__).parents[1] / "data/kmalloc_orders.csv").open() as file:
    ORDERS = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.mark.parametrize("row", ORDERS, ids=lambda row: str(row["size"]))
def test_slab_orders(row: dict[str, int]) -> None:
    """The kernel's, for 1 to 64 CPUs; and the objects of a slab at 4."""
    for cpus in (1, 2, 4, 8, 16, 64):
        assert slab_order(row["size"], cpus) == row[f"cpus{cpus}"]
        pool = Kmalloc(cpus=cpus)
        pool.alloc(row["size"])
        assert pool.pages == 1 << row[f"cpus{cpus}"]
    assert objects_in_first_group(Kmalloc(), row["size"]) == row["objs_at_4cpus"]


def test_size_classes() -> None:
    """Powers of two with 96 and 192 between; 2,049 bytes cost a whole page."""
    assert [row["size"] for row in ORDERS] == list(SIZES)
    classes = {1: 8, 9: 16, 33: 64, 65: 96, 97: 128, 129: 192, 193: 256, 1025: 2048, 2049: 4096, 4097: 8192}
    for size_bytes, expected in classes.items():
        pool = Kmalloc()
        pool.alloc(size_bytes)
        assert [row.name for row in pool.occupancy() if row.objects] == [f"kmalloc-{expected}"]


def test_empty_slabs_stay_until_there_are_partial_ones_enough() -> None:
    """The CPU's own slab and min_partial others: 5 for 2,048-byte objects."""
    pool = Kmalloc()
    handles = [pool.alloc(2048) for _ in range(16 * 20)]
    assert pool.pages == 20 * 8
    for handle in handles:
        pool.free(handle)
    pool.validate()
    assert pool.pages == (1 + 4) * 8


def test_partial_slabs_are_filled_before_new_ones() -> None:
    """The first that became partial is first."""
    pool = Kmalloc()
    handles = [pool.alloc(4096) for _ in range(24)]
    pool.free(handles[9])
    pool.free(handles[1])
    pool.alloc(4096)
    again = [pool.alloc(4096) for _ in range(2)][0]
    groups = {extent.handle: extent.group for extent in pool.extents()}
    assert groups[again] == groups[handles[0]] and pool.pages == 32


def test_a_slab_needs_contiguous_pages() -> None:
    """Eight at once for 4,096-byte objects."""
    pool = Kmalloc(lambda frames: frames < 8)
    assert pool.alloc(4096) == ENOMEM and pool.alloc(256) > 0
