"""Kaplan's page-image traces: the page faults of an LRU memory of M pages, with the pages' contents.

Records follow one another without separators: C (first reference) or F, the page fetched in 4 hexadecimal digits, its
4096 bytes; then W, R or N (what leaves is dirty, clean, or nothing: the memory is not full), and unless N the page
evicted in 4 digits and its 4096 bytes. Layout: S. F. Kaplan, README of the page-image traces (1999); that an evicted
page's bytes follow its number is read from it by analogy, and untried on an original file.

Hits are not in such a sequence, but who is evicted next says in what order pages were last used. Before each eviction
the pages that outlive it are touched, in the order in which they will go themselves, so that exact LRU faults as the
original did with M pages and with every larger memory. A page is written on its way in where it left dirty. Equal pages
are one image, by a hash; the image is that of the page when it left. All faults are held in memory, images are not.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from zsim.errors import TraceError
from zsim.traces.columns import ROWS, Columns, Table
from zsim.traces.streams import open_bytes, pieces
from zsim.traces.trace import NO_CONTENT
from zsim.units import PAGE_SIZE

HEAD_BYTES = 1 + 4 + PAGE_SIZE
NOBODY = -1


class Fault(NamedTuple):
    """A page that comes and one that goes (NOBODY: none does), with what they hold; `at` is where the record begins."""

    page: int
    image: int
    evicted: int
    dirty: bool
    left: int


def read(path: str, limit: int | None = None) -> Table:
    """Kaplan's page-image traces: faults of an LRU memory with page contents, exact for LRU from that memory on."""
    place = "stdin" if path == "-" else path
    faults = list(_faults(path, place))
    pages = next((i for i, fault in enumerate(faults) if fault.evicted != NOBODY), None)
    header = {"imported": "kaplan"} if pages is None else {"imported": "kaplan", "min_memory_pages": pages}
    return Table(_chunks(_accesses(faults)), header).limited(limit)


def _faults(path: str, place: str) -> Iterator[Fault]:
    images: dict[bytes, int] = {}
    records = Records(path, place)
    while tag := records.take(1):
        records.expect(tag, b"CF", "C or F")
        page, image = records.page(), images.setdefault(records.digest(), len(images))
        tag = records.all(1)
        records.expect(tag, b"WRN", "W, R or N")
        if tag == b"N":
            yield Fault(page, image, NOBODY, False, NO_CONTENT)
        else:
            yield Fault(page, image, records.page(), tag == b"W", images.setdefault(records.digest(), len(images)))


class Records:
    """The bytes of a file, field by field."""

    def __init__(self, path: str, place: str) -> None:
        self._pieces = pieces(open_bytes(path), place)
        self._data = b""
        self._next = 0
        self.offset = 0
        self.place = place

    def take(self, size: int) -> bytes:
        """The next bytes; fewer at the end."""
        while len(self._data) - self._next < size and (more := next(self._pieces, b"")):
            self._data, self._next = self._data[self._next :] + more, 0
        found = self._data[self._next : self._next + size]
        self._next += len(found)
        self.offset += len(found)
        return found

    def all(self, size: int) -> bytes:
        """The next bytes, all of them."""
        found = self.take(size)
        if len(found) < size:
            raise TraceError(f"{self.place}: offset {self.offset}: the file ends within a record; it is truncated")
        return found

    def page(self) -> int:
        """A page number."""
        text = self.all(4)
        try:
            return int(text.decode("ascii"), 16) if text.isalnum() else self._refuse(text, "a page in 4 hex digits")
        except ValueError:
            return self._refuse(text, "a page in 4 hex digits")

    def digest(self) -> bytes:
        """A hash of the next page image."""
        return blake2b(self.all(PAGE_SIZE), digest_size=16).digest()

    def expect(self, tag: bytes, known: bytes, words: str) -> None:
        """Refuse a tag that is not one of those known."""
        if tag not in (known[i : i + 1] for i in range(len(known))):
            self._refuse(tag, words)

    def _refuse(self, text: bytes, expected: str) -> int:
        raise TraceError(f"{self.place}: offset {self.offset - len(text)}: {text!r}; expected {expected}")


def _accesses(faults: list[Fault]) -> Iterator[tuple[int, bool, int]]:
    """(page, write, image) of every access, touches of pages that stay among them."""
    leaving = _leaving(faults)
    memory: dict[int, int] = {}  # page -> the fault by which it goes, in the order of last use
    for number, fault in enumerate(faults):
        if fault.evicted in memory:
            yield from _touches(memory, fault.evicted)
            del memory[fault.evicted]
        memory[fault.page] = gone = leaving[number]
        left = faults[gone] if gone < len(faults) else None
        yield fault.page, left is not None and left.dirty, left.left if left else fault.image


def _touches(memory: dict[int, int], evicted: int) -> Iterator[tuple[int, bool, int]]:
    """Use again what was used before `evicted` and stays: what goes sooner first."""
    older = []
    for page in memory:
        if page == evicted:
            break
        older.append(page)
    for page in sorted(older, key=memory.__getitem__):
        memory[page] = memory.pop(page)
        yield page, False, NO_CONTENT


def _leaving(faults: list[Fault]) -> list[int]:
    """For the page that each fault brings, the fault by which it goes; as many as there are faults: it stays."""
    going: dict[int, int] = {}
    found = [len(faults)] * len(faults)
    for number in range(len(faults) - 1, -1, -1):
        if faults[number].evicted != NOBODY:
            going[faults[number].evicted] = number
        found[number] = going.pop(faults[number].page, len(faults))
    return found


def _chunks(accesses: Iterator[tuple[int, bool, int]]) -> Iterator[Columns]:
    rows = list(accesses)
    for first in range(0, len(rows), ROWS):
        page, write, content = zip(*rows[first : first + ROWS], strict=True)
        yield Columns(np.array(page, np.uint64), np.array(write, np.uint8), content=np.array(content, np.int32))
