"""What a process has mapped, as it believes: areas of pages with the protection the program itself asked for."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

READ, WRITE, EXEC = 1, 2, 4
PAGE_SHIFT = 12


@dataclass(frozen=True, slots=True)
class Area:
    """Pages `start` to `end` (exclusive), mapped alike.

    protection  READ, WRITE, EXEC bits
    file   path of the mapped file, "" for anonymous memory
    index  the file's page at `start`
    shared a write changes the file itself
    """

    start: int
    end: int
    protection: int
    file: str = ""
    index: int = 0
    shared: bool = False
    stack: bool = False

    def part(self, start: int, end: int) -> "Area":
        """The area cut to `start` .. `end`."""
        start, end = max(start, self.start), min(end, self.end)
        return replace(self, start=start, end=end, index=self.index + start - self.start)


class Areas:
    """Areas of one address space, sorted, none overlapping."""

    def __init__(self, areas: list[Area] | None = None) -> None:
        self.all = sorted(areas or [], key=lambda area: area.start)
        self.starts = [area.start for area in self.all]

    def __iter__(self) -> Iterator[Area]:
        return iter(self.all)

    def find(self, page: int) -> Area | None:
        """The area a page lies in."""
        at = bisect_right(self.starts, page) - 1
        return self.all[at] if at >= 0 and page < self.all[at].end else None

    def within(self, start: int, end: int) -> list[Area]:
        """The parts of areas in `start` .. `end`."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        parts = []
        for area in self.all[first:]:
            if area.start >= end:
                break
            if area.end > start:
                parts.append(area.part(start, end))
        return parts

    def remove(self, start: int, end: int) -> None:
        """Forget `start` .. `end`, as munmap does."""
        self._replace(start, end, [])

    def add(self, area: Area) -> None:
        """Map an area over whatever was there."""
        self._replace(area.start, area.end, [area])

    def protect(self, start: int, end: int, protection: int) -> None:
        """Note a new protection of what is mapped in `start` .. `end`."""
        self._replace(start, end, [replace(part, protection=protection) for part in self.within(start, end)])

    def _replace(self, start: int, end: int, parts: list[Area]) -> None:
        first = max(bisect_right(self.starts, start) - 1, 0)
        last = first
        edges = []
        while last < len(self.all) and self.all[last].start < end:
            area = self.all[last]
            if area.start < start:
                edges.append(area.part(area.start, min(area.end, start)))
            if area.end > end:
                edges.append(area.part(max(area.start, end), area.end))
            last += 1
        new = sorted([*edges, *parts], key=lambda area: area.start)
        self.all[first:last] = new
        self.starts[first:last] = [area.start for area in new]


SWAP_BACKED = ("/dev/zero", "/memfd:", "/SYSV", "/dev/shm/", "anon_inode:")
LEFT_ALONE = ("[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]", "/dev/")


def mapped_file(name: str) -> str:
    """The path by which a mapping is page cache; "" where it is swap-backed memory."""
    return "" if name.startswith("[") or name.startswith(SWAP_BACKED) else name


def parse_maps(text: str) -> list[Area]:
    """The areas of /proc/PID/maps that a program's accesses can be taken from."""
    areas = []
    for line in text.splitlines():
        span, rights, offset, _, _, *name = line.split(maxsplit=5)
        path = name[0] if name else ""
        if path.startswith(LEFT_ALONE) and not path.startswith(SWAP_BACKED):
            continue
        start, end = (int(part, 16) >> PAGE_SHIFT for part in span.split("-"))
        protection = sum(bit for bit, letter in ((READ, "r"), (WRITE, "w"), (EXEC, "x")) if letter in rights)
        index = int(offset, 16) >> PAGE_SHIFT
        areas.append(Area(start, end, protection, mapped_file(path), index, "s" in rights, path == "[stack]"))
    return areas
