"""The bound no allocator can beat: stored bytes over the page size."""

from collections.abc import Iterator
from typing import ClassVar

from zsim.allocators import EINVAL, ENOMEM, ENOSPC, Evict, Extent, Grow, Occupancy
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE


class Ideal:
    """Perfect packing without headers: objects lie end to end and move together, for nothing, at every free."""

    kernels: ClassVar[str] = "any (a bound)"
    can_reclaim: bool = False
    can_compact: bool = False
    pages_per_object: ClassVar[str] = "as many objects a page as their sizes allow"

    def __init__(self, grow: Grow | None = None) -> None:
        self.pages = 0
        self.max_size = PAGE_SIZE
        self.contiguous_pages = 1
        self._grow = grow
        self._handles = 0
        self._size_bytes = 0
        self._objects: dict[int, int] = {}

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "Ideal":
        """One form."""
        return cls(grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, EINVAL for size 0, ENOSPC above a page, ENOMEM where a frame is refused."""
        if not 0 < size_bytes <= PAGE_SIZE:
            return EINVAL if size_bytes <= 0 else ENOSPC
        pages = -(-(self._size_bytes + size_bytes) // PAGE_SIZE)
        if pages > self.pages and self._grow is not None and not self._grow(pages - self.pages):
            return ENOMEM
        self.pages = pages
        self._size_bytes += size_bytes
        self._handles = handle = self._handles + 1
        self._objects[handle] = size_bytes
        return handle

    def free(self, handle: int) -> None:
        """What is left closes up at once."""
        self._size_bytes -= self._objects.pop(handle)
        self.pages = -(-self._size_bytes // PAGE_SIZE)

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """EINVAL: there is no page to speak of."""
        return EINVAL

    def compact(self) -> int:
        """Always compact."""
        return 0

    def extents(self) -> Iterator[Extent]:
        """Objects end to end, oldest first, in one group of all pages."""
        offset = 0
        for handle, size_bytes in self._objects.items():
            yield Extent(0, offset, size_bytes, handle)
            offset += size_bytes

    def occupancy(self) -> list[Occupancy]:
        """One row; room is for objects of the mean size."""
        objects = len(self._objects)
        capacity = self.pages * PAGE_SIZE * objects // self._size_bytes if objects else 0
        return [Occupancy("all", self.pages, objects, capacity)]

    def validate(self) -> None:
        """Recount the bytes."""
        assert self._size_bytes == sum(self._objects.values())
        assert self.pages == -(-self._size_bytes // PAGE_SIZE)
