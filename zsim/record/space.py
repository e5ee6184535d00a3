"""One traced address space: what is mapped, which pages are open, and which hold something new."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from zsim.record.areas import WRITE, Area, Areas, parse_maps
from zsim.record.thread import Thread
from zsim.units import PAGE_SIZE

if TYPE_CHECKING:
    from zsim.record.tracer import Tracer

SYSCALL = b"\x0f\x05"
NO_ROOM = -12
FILE_PAGES = 1 << 36
"""Page numbers of files begin here, so many for each: above every address of a program."""


class Space:
    """The memory of one process (of several where they share it), as the program sees it.

    opened   page -> the protection bits it has now, for pages that are not closed
    stamps   page -> number of the stop at which that was last changed
    stale    pages of an earlier batch are still open: to be closed before any of its threads goes on
    changed  swap-backed pages whose contents this batch may have changed, or that no image is known of
    """

    def __init__(self, tracer: "Tracer", tid: int, task: str, areas: Areas) -> None:
        self.tracer = tracer
        self.tid = tid
        self.task = task
        self.areas = areas
        self.threads: set[int] = set()
        self.opened: dict[int, int] = {}
        self.stamps: dict[int, int] = {}
        self.changed: set[int] = set()
        self.known: set[int] = set()
        self.copied: set[int] = set()
        self.stale = False
        self.fresh = True
        self.break_page = 0
        self.time_ns = 0.0
        self.memory = os.open(f"/proc/{tid}/mem", os.O_RDONLY)
        self.syscall_address = 0

    @classmethod
    def of_program(cls, tracer: "Tracer", tid: int, task: str) -> "Space":
        """The address space that an exec has just made."""
        text = Path(f"/proc/{tid}/maps").read_text()
        space = cls(tracer, tid, task, Areas(parse_maps(text)))
        vdso = next(line for line in text.splitlines() if line.endswith("[vdso]"))
        start, end = (int(part, 16) for part in vdso.split()[0].split("-"))
        space.syscall_address = start + space.read(start, end - start).index(SYSCALL)
        return space

    def forked(self, tid: int, task: str) -> "Space":
        """The copy that a fork makes; nothing of it has been touched in its own name."""
        copy = Space(self.tracer, tid, task, Areas(list(self.areas)))
        copy.opened, copy.stale, copy.fresh = dict(self.opened), True, self.fresh
        copy.copied, copy.break_page = set(self.copied), self.break_page
        copy.syscall_address = self.syscall_address
        return copy

    def read(self, address: int, size: int) -> bytes:
        """Memory of the program, whatever its protection; shorter where it ends."""
        try:
            return os.pread(self.memory, size, address)
        except OSError:
            return b""

    def close(self) -> None:
        """Let go of the memory."""
        os.close(self.memory)

    # identity of pages

    def identity(self, area: Area, page: int, write: bool) -> tuple[int, str | None]:
        """(page number in the trace, file or None) of an access to a page of an area.

        A page of a file is known by the file and its place there; a private copy of it by its address.
        """
        if not area.file or page in self.copied:
            return page, None
        if write and not area.shared:
            self.copied.add(page)
            return page, None
        return self.tracer.file_page(area.file, area.index + page - area.start), area.file

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

    # protection

    def open(self, thread: Thread, first: int, end: int, rights: int) -> bool:
        """Give pages rights; False where the kernel has no room for one more mapping."""
        if thread.mprotect(first, end, rights) == NO_ROOM:
            return False
        for page in range(first, end):
            self.opened[page] = rights
            self.stamps[page] = self.tracer.stops
        return True

    def close_pages(self, thread: Thread, keep: set[int]) -> None:
        """Take away the rights of every open page but those in `keep`."""
        closing = sorted(page for page in self.opened if page not in keep)
        for first, end in self._wide(closing, keep):
            thread.mprotect(first, end, 0)
        self.opened = {page: rights for page, rights in self.opened.items() if page in keep}
        self.stamps.clear()
        self.stale = False

    def _wide(self, pages: list[int], keep: set[int]) -> Iterator[tuple[int, int]]:
        """Ranges that cover `pages`, each as wide as closed pages of the same areas allow: few calls."""
        kept = sorted(keep)
        at = 0
        for area in _joined(self.areas):
            inside = []
            while at < len(pages) and pages[at] < area[1]:
                if pages[at] >= area[0]:
                    inside.append(pages[at])
                at += 1
            bounds = [page for page in kept if area[0] <= page < area[1]]
            yield from _split(inside, bounds)

    def close_area(self, thread: Thread, start: int, end: int) -> None:
        """Close what the program has just mapped or given rights to, but for pages that are open in this batch."""
        for first, last in _joined(area for area in self.areas.within(start, end) if area.protection):
            thread.mprotect(first, last, 0)
        for page in [page for page in self.opened if start <= page < end]:
            area = self.areas.find(page)
            rights = 0 if area is None else area.protection & (self.opened[page] | ~WRITE)
            del self.opened[page]
            if rights:
                self.open(thread, page, page + 1, rights)

    def forget(self, start: int, end: int) -> None:
        """Pages are gone from the address space, or mapped anew."""
        if end - start < len(self.opened):
            for page in range(start, end):
                self.opened.pop(page, None)
        else:
            self.opened = {page: rights for page, rights in self.opened.items() if not start <= page < end}
        for pages in (self.changed, self.known, self.copied):
            pages -= set(range(start, end)) if end - start < len(pages) else {p for p in pages if start <= p < end}

    def grow_stack(self, page: int) -> Area | None:
        """The area of a page just below the stack, once the kernel has let the stack grow to it."""
        stack = next((area for area in self.areas if area.stack), None)
        if stack is None or not stack.start - (1 << 18) <= page < stack.start:
            return None
        with suppress(OSError):
            for area in parse_maps(Path(f"/proc/{self.tid}/maps").read_text()):
                if area.start <= page < area.end <= stack.end:
                    self.areas.add(Area(area.start, stack.end, stack.protection, stack=True))
        return self.areas.find(page)

    def stack_has_grown(self) -> list[int]:
        """Pages by which the stack grew while its lowest page was open: they are open, and nobody was told."""
        stack = next((area for area in self.areas if area.stack), None)
        if stack is None or stack.start not in self.opened:
            return []
        self.grow_stack(stack.start - 1)
        grown = self.areas.find(stack.start)
        new = [] if grown is None else list(range(grown.start, stack.start))
        self.opened |= dict.fromkeys(new, stack.protection)
        return new


def runs(pages: list[int]) -> Iterator[tuple[int, int]]:
    """(first, end) of each run of consecutive numbers."""
    first = 0
    for i in range(1, len(pages) + 1):
        if i == len(pages) or pages[i] != pages[i - 1] + 1:
            yield pages[first], pages[i - 1] + 1
            first = i


def _joined(areas: Iterable[Area]) -> Iterator[tuple[int, int]]:
    """(start, end) of areas that follow each other with no gap."""
    start = end = -1
    for area in areas:
        if area.start != end:
            if end > 0:
                yield start, end
            start = area.start
        end = area.end
    if end > 0:
        yield start, end


def _split(pages: list[int], bounds: list[int]) -> Iterator[tuple[int, int]]:
    """(first, end) around pages, none reaching over a bound."""
    for bound in [*bounds, 1 << 60]:
        below = [page for page in pages if page < bound]
        if below:
            yield below[0], below[-1] + 1
        pages = pages[len(below) :]
