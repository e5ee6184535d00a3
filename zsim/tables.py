"""What the kernel needs for pages as they are touched: page tables and page-cache nodes (mm/memory.c, lib/xarray.c)."""

from collections.abc import Sequence

import numpy as np

from zsim.memory import Memory
from zsim.units import PAGE_SIZE

PTRS_PER_PTE = 512
SLOTS_PER_NODE, NODE_BYTES = 64, 584
"""An xarray node, with the pointer by which a cgroup is charged for it (radix_tree_node)."""


class Tables:
    """Counts bytes of page tables and of page-cache nodes in `memory.tables_bytes`; none is given back.

    A task's page table of 512 entries comes with the first touch of one of its pages. `file_block` is each page's
    place in the page cache (-1: anonymous), 64 of which are under a node, 64 of these under one, up to a single one.
    Tables above the lowest level are left out.
    """

    def __init__(self, memory: Memory, file_block: Sequence[int]) -> None:
        self.memory = memory
        tables = memory.numbers // np.uint64(PTRS_PER_PTE) + (memory.owner.astype(np.uint64) << np.uint64(48))
        self._table: list[int] = np.unique(tables, return_inverse=True)[1].tolist()
        self._file_block = file_block
        self._levels = _levels(max(file_block, default=-1) + 1)
        self._have: set[tuple[int, int]] = set()

    def touch(self, page: int) -> None:
        """A page is touched for the first time."""
        self._need(0, self._table[page], PAGE_SIZE)
        block = self._file_block[page]
        if block >= 0:
            for level in range(1, self._levels + 1):
                self._need(level, block // SLOTS_PER_NODE**level, NODE_BYTES)

    def _need(self, level: int, number: int, size_bytes: int) -> None:
        if (level, number) not in self._have:
            self._have.add((level, number))
            self.memory.tables_bytes += size_bytes


def _levels(slots: int) -> int:
    """Levels of nodes over so many page-cache slots."""
    levels = 0
    while slots > 1:
        slots = -(-slots // SLOTS_PER_NODE)
        levels += 1
    return levels
