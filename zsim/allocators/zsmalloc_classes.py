"""The size classes of zsmalloc: which slot a request gets, and how many single pages are chained into a zspage.

Models get_pages_per_zspage / calculate_zspage_chain_size and zs_create_pool of Linux 3.8 to 6.19 on 4 KiB pages.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from zsim.units import PAGE_SIZE

MIN_SLOT_BYTES = 32
STEP_BYTES = 16
LAST_INDEX = (PAGE_SIZE - MIN_SLOT_BYTES) // STEP_BYTES

ChainRule = Callable[[int, int], int]
"""(slot bytes, most pages a zspage may chain) -> pages it chains."""


class Shape(NamedTuple):
    """A size class: its index in the kernel's table, the bytes of a slot, the pages of a zspage, the slots in it."""

    class_index: int
    slot_bytes: int
    pages: int
    objects: int


def by_percent(slot_bytes: int, chain_pages: int) -> int:
    """Up to 6.2: the chain with the highest used percentage, in whole percents, the shortest of equals."""

    def used_percent(pages: int) -> int:
        group_bytes = pages * PAGE_SIZE
        return 100 * (group_bytes - group_bytes % slot_bytes) // group_bytes

    return max(range(1, chain_pages + 1), key=used_percent)


def by_waste(slot_bytes: int, chain_pages: int) -> int:
    """From 6.3: the chain that wastes the fewest bytes, the shortest of equals; one page for a power of two."""
    if slot_bytes & (slot_bytes - 1) == 0:
        return 1
    return min(range(1, chain_pages + 1), key=lambda pages: pages * PAGE_SIZE % slot_bytes)


@lru_cache
def class_table(rule: ChainRule, chain_pages: int, merging: bool) -> tuple[Shape, ...]:
    """The class that each of the 255 indices uses.

    With `merging` (3.19) an index whose zspage would look like that of the next larger class is an alias of it, so
    a request may get a slot well above its own size.
    """
    table: list[Shape] = []
    for index in range(LAST_INDEX, -1, -1):
        shape = _shape(index, rule, chain_pages)
        if merging and table and table[-1][2:] == shape[2:]:
            shape = table[-1]
        table.append(shape)
    return tuple(reversed(table))


def _shape(index: int, rule: ChainRule, chain_pages: int) -> Shape:
    slot_bytes = MIN_SLOT_BYTES + STEP_BYTES * index
    pages = rule(slot_bytes, chain_pages)
    return Shape(index, slot_bytes, pages, pages * PAGE_SIZE // slot_bytes)


def index_for(needed_bytes: int) -> int:
    """The index for an object of `needed_bytes`, handle word included; what is above the last class gets the last."""
    return min(LAST_INDEX, max(0, -(-(needed_bytes - MIN_SLOT_BYTES) // STEP_BYTES)))


def largest_shared_slot_bytes(table: tuple[Shape, ...]) -> int:
    """The largest slot that shares its zspage with others; objects above it take a page each ("huge")."""
    return max(shape.slot_bytes for shape in table if shape.objects > 1)
