"""A program's memory, here this process's own: which page is which, and what it holds."""

import ctypes
import mmap
import os

from zsim.record.areas import READ, WRITE, Area, Areas
from zsim.record.memory import FILE_PAGES, FilePages, Memory, runs


def test_page_of_a_file_is_known_by_the_file() -> None:
    """The same page of a file has one number wherever it is mapped; files do not meet."""
    files = FilePages()
    memory = Memory(os.getpid(), Areas(), files)
    low, high = Area(10, 20, READ, "/lib/x", 3), Area(500, 600, READ, "/lib/x", 0)
    assert memory.identity(low, 12, False) == memory.identity(high, 505, False) == (FILE_PAGES + 5, "/lib/x")
    assert files.page("/lib/y", 5) == 2 * FILE_PAGES + 5
    memory.close()


def test_private_copy_is_known_by_its_address() -> None:
    """A write to a private file mapping makes the page anonymous for good; a shared one stays the file's."""
    memory = Memory(os.getpid(), Areas(), FilePages())
    private, shared = Area(10, 20, READ | WRITE, "/lib/x"), Area(30, 40, READ | WRITE, "/lib/y", shared=True)
    assert memory.will_copy(private, 12) and not memory.will_copy(shared, 31)
    assert memory.identity(private, 12, True) == memory.identity(private, 12, False) == (12, None)
    assert not memory.will_copy(private, 12)
    assert memory.identity(private, 13, False)[1] == "/lib/x"
    assert memory.identity(shared, 31, True) == (FILE_PAGES * 2 + 1, "/lib/y")
    memory.close()


def test_contents_of_changed_pages() -> None:
    """Pages written, or never seen, are read at the end of a batch, once."""
    region = mmap.mmap(-1, 3 * 4096)
    region[0], region[8192] = 7, 9
    first = ctypes.addressof(ctypes.c_char.from_buffer(region)) >> 12
    memory = Memory(os.getpid(), Areas(), FilePages())
    memory.note(first, False)
    memory.note(first + 2, True)
    assert [(page - first, data[0], len(data)) for page, data in memory.contents()] == [(0, 7, 4096), (2, 9, 4096)]
    memory.note(first, False)
    assert list(memory.contents()) == []
    memory.write(first << 12, b"\5")
    memory.note(first, True)
    assert [data[0] for _, data in memory.contents()] == [5]
    assert memory.read(8, 10) == b""
    memory.close()


def test_runs() -> None:
    """Consecutive numbers make one run."""
    assert list(runs([1, 2, 3, 7, 9, 10])) == [(1, 4), (7, 8), (9, 11)]
    assert list(runs([])) == []
