"""One traced address space: what is mapped, which pages are open, and which hold something new."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from zsim.record.areas import WRITE, Area, Areas, parse_maps
from zsim.record.memory import Memory
from zsim.record.thread import Thread

if TYPE_CHECKING:
    from zsim.record.tracer import Tracer

SYSCALL = b"\x0f\x05"
NO_ROOM = -12


class Space(Memory):
    """The memory of one process (of several where they share it), as the program sees it, and which pages are open.

    opened   page -> the protection bits it has now, for pages that are not closed
    stamps   page -> number of the stop at which that was last changed
    stale    pages of an earlier batch are still open: to be closed before any of its threads goes on
    """

    def __init__(self, tracer: "Tracer", tid: int, task: str, areas: Areas) -> None:
        super().__init__(tid, areas, tracer.files)
        self.tracer = tracer
        self.tid = tid
        self.task = task
        self.threads: set[int] = set()
        self.opened: dict[int, int] = {}
        self.stamps: dict[int, int] = {}
        self.stale = False
        self.fresh = True
        self.break_page = 0
        self.time_ns = 0.0
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
