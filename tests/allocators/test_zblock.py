"""zblock's types, its strict choice of one, and the order of its blocks."""

import csv
from pathlib import Path

import pytest

from tests.allocators.limits import objects_in_first_group
from zsim.allocators import ENOMEM, ENOSPC
from zsim.allocators.zblock import SLOT_SIZES, TYPES, Zblock

with (Path(__file__).parents[1] / "data/zblock_types.csv").open() as file:
    ROWS = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["slot_size"]))
def test_types(row: dict[str, int]) -> None:
    """Slot size, slots and order of each; a size equal to the slot goes to the next type."""
    assert SLOT_SIZES[row["type"]] == row["slot_size"] and TYPES[row["type"]] == (row["slots"], row["order"])
    pool = Zblock()
    pool.alloc(row["slot_size"] - 1)
    assert pool.pages == 1 << row["order"]
    assert objects_in_first_group(Zblock(), row["slot_size"] - 1) == row["slots"]
    if row["type"] + 1 < len(ROWS):
        pool = Zblock()
        pool.alloc(row["slot_size"])
        assert pool.pages == 1 << ROWS[row["type"] + 1]["order"]


def test_largest() -> None:
    """4,079 bytes."""
    assert len(ROWS) == len(TYPES) and Zblock().alloc(4079) > 0 and Zblock().alloc(4080) == ENOSPC


def test_lowest_free_slot_of_the_front_block() -> None:
    """A block that was full queues behind the others; an empty one is gone at once."""
    pool = Zblock()
    handles = [pool.alloc(1300) for _ in range(24 + 1)]  # 12 slots in 4 pages
    assert pool.pages == 12
    pool.free(handles[3])
    pool.free(handles[1])
    fresh = [pool.alloc(1300) for _ in range(12)]
    place = {extent.handle: (extent.group, extent.offset) for extent in pool.extents()}
    assert {place[handle][0] for handle in fresh[:11]} == {3}
    assert place[fresh[11]] == (1, 40 + 1360)
    for handle in handles[12:24]:
        pool.free(handle)
    assert pool.pages == 8


def test_blocks_need_contiguous_pages() -> None:
    """Up to eight: where memory is fragmented, sizes with such blocks fail."""
    pool = Zblock(lambda frames: frames == 1)
    assert pool.alloc(1100) == ENOMEM and pool.alloc(800) > 0 and pool.contiguous_pages == 8
