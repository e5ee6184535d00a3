"""The buddy allocator as it is: a whole page frame for every compressed page."""

from collections.abc import Iterator
from typing import ClassVar

from zsim.allocators import EINVAL, ENOMEM, ENOSPC, Evict, Extent, Grow, Occupancy
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE


class Buddy:
    """A page frame to each object (mm/page_alloc.c, order 0): compression that saves nothing, the other bound."""

    kernels: ClassVar[str] = "any"
    can_reclaim: bool = False
    can_compact: bool = False
    pages_per_object: ClassVar[str] = "1 object a page"

    def __init__(self, grow: Grow | None = None) -> None:
        self.pages = 0
        self.max_size = PAGE_SIZE
        self.contiguous_pages = 1
        self._grow = grow
        self._handles = 0
        self._objects: dict[int, int] = {}

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "Buddy":
        """One form."""
        return cls(grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, EINVAL for size 0, ENOSPC above a page, ENOMEM where a frame is refused."""
        if not 0 < size_bytes <= PAGE_SIZE:
            return EINVAL if size_bytes <= 0 else ENOSPC
        if self._grow is not None and not self._grow(1):
            return ENOMEM
        self.pages += 1
        self._handles = handle = self._handles + 1
        self._objects[handle] = size_bytes
        return handle

    def free(self, handle: int) -> None:
        """The frame goes back."""
        del self._objects[handle]
        self.pages -= 1

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """EINVAL: the buddy allocator knows no order of use."""
        return EINVAL

    def compact(self) -> int:
        """There is nothing to move together."""
        return 0

    def extents(self) -> Iterator[Extent]:
        """Each object at the start of its own page."""
        return (Extent(handle, 0, size_bytes, handle) for handle, size_bytes in self._objects.items())

    def occupancy(self) -> list[Occupancy]:
        """One row."""
        return [Occupancy("order 0", self.pages, len(self._objects), self.pages)]

    def validate(self) -> None:
        """A page for every object."""
        assert self.pages == len(self._objects)
