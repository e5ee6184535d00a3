"""The memory of a recorded program: what each page is called in the trace, and what it holds."""

import os
from collections.abc import Iterator
from contextlib import suppress

from zsim.record.areas import Area, Areas
from zsim.units import PAGE_SIZE

FILE_PAGES = 1 << 36
"""Page numbers of files begin here, so many for each: above every address of a program."""


class FilePages:
    """Page numbers in the trace for the pages of files."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}

    def page(self, file: str, index: int) -> int:
        """The number of a file's page."""
        return FILE_PAGES * (1 + self._files.setdefault(file, len(self._files))) + index


class Memory:
    """One address space, read through /proc/PID/mem.

    changed  swap-backed pages whose contents this batch may have changed, or that no image is known of
    copied   pages of private file mappings that have been written: no longer the file's
    """

    def __init__(self, pid: int, areas: Areas, files: FilePages) -> None:
        self.areas = areas
        self.files = files
        self.changed: set[int] = set()
        self.known: set[int] = set()
        self.copied: set[int] = set()
        self._file = os.open(f"/proc/{pid}/mem", os.O_RDWR)

    def read(self, address: int, size: int) -> bytes:
        """Memory of the program, whatever its protection; shorter where it ends."""
        try:
            return os.pread(self._file, size, address)
        except OSError:
            return b""

    def write(self, address: int, data: bytes) -> None:
        """Change memory of the program."""
        with suppress(OSError):
            os.pwrite(self._file, data, address)

    def close(self) -> None:
        """Let go of the memory."""
        os.close(self._file)

    def identity(self, area: Area, page: int, write: bool) -> tuple[int, str | None]:
        """(page number in the trace, file or None) of an access to a page of an area.

        A page of a file is known by the file and its place there; a private copy of it by its address.
        """
        if not area.file or page in self.copied:
            return page, None
        if write and self.will_copy(area, page):
            self.copied.add(page)
            return page, None
        return self.files.page(area.file, area.index + page - area.start), area.file

    def will_copy(self, area: Area, page: int) -> bool:
        """Whether a write to the page makes it another page of the trace: the private copy of a file's."""
        return bool(area.file) and not area.shared and page not in self.copied

    def note(self, page: int, write: bool) -> None:
        """Remember a swap-backed page whose contents are to be read at the end of the batch."""
        if write or page not in self.known:
            self.changed.add(page)

    def contents(self) -> Iterator[tuple[int, bytes]]:
        """What each page of `changed` holds now."""
        for first, end in runs(sorted(self.changed)):
            data = self.read(first * PAGE_SIZE, (end - first) * PAGE_SIZE)
            for i in range(len(data) // PAGE_SIZE):
                yield first + i, data[i * PAGE_SIZE : (i + 1) * PAGE_SIZE]
        self.known |= self.changed
        self.changed.clear()


def runs(pages: list[int]) -> Iterator[tuple[int, int]]:
    """(first, end) of each run of consecutive numbers."""
    first = 0
    for i in range(1, len(pages) + 1):
        if i == len(pages) or pages[i] != pages[i - 1] + 1:
            yield pages[first], pages[i - 1] + 1
            first = i
