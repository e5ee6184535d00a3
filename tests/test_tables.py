"""Page tables and page-cache nodes: what first touches cost, against values worked out by hand."""

import numpy as np

from tests.machines import config_of
from zsim.memory import Memory
from zsim.tables import NODE_BYTES, Tables
from zsim.units import PAGE_SIZE


def tables_of(numbers: list[int], owners: list[int], blocks: list[int]) -> tuple[Tables, Memory]:
    """Pages at these addresses of these tasks; `blocks` is their place in the page cache, -1 for none."""
    memory = Memory(len(numbers), np.array(owners, np.uint16), np.array(numbers, np.uint64))
    return Tables(memory, blocks), memory


def test_a_table_comes_with_its_first_page() -> None:
    """Pages 0 and 511 share one, 512 has another, and so has another task's page 0."""
    tables, memory = tables_of([0, 511, 512, 0], [0, 0, 0, 1], [-1] * 4)
    held = []
    for page in (1, 0, 2, 3, 3):
        tables.touch(page)
        held.append(memory.tables_bytes // PAGE_SIZE)
    assert held == [1, 1, 2, 3, 3]


def test_page_cache_nodes() -> None:
    """65 pages of files: two nodes of 64 and one above them; a single page needs none."""
    tables, memory = tables_of(list(range(65)), [0] * 65, list(range(65)))
    tables.touch(0)
    assert memory.tables_bytes == PAGE_SIZE + 2 * NODE_BYTES
    tables.touch(63)
    tables.touch(64)
    assert memory.tables_bytes == PAGE_SIZE + 3 * NODE_BYTES
    tables, memory = tables_of([0], [0], [0])
    tables.touch(0)
    assert memory.tables_bytes == PAGE_SIZE


def test_a_recorded_guest() -> None:
    """12,288 pages, half of a file: 24 tables and 96 + 2 + 1 nodes; memory.stat of such runs says 156 to 160 kB."""
    tables, memory = tables_of(list(range(12_288)), [0] * 12_288, [-1] * 6144 + list(range(6144)))
    for page in range(12_288):
        tables.touch(page)
    assert memory.tables_bytes == 24 * PAGE_SIZE + 99 * NODE_BYTES


def test_counted_where_asked_for() -> None:
    """memory.tables is off by default: page_table_bytes is a number of its own."""
    assert not config_of().memory.tables
