"""The zbud inside zcache2 (ramster): pairs of objects with no header in the page, and an LRU of page frames."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

from zsim.allocators import EAGAIN, EINVAL, ENOMEM, ENOSPC, Evict, Extent, Grow, Occupancy
from zsim.allocators.zbud import CHUNK_SIZE, ZbudPage
from zsim.allocators.zbud_zcache1 import UsedLists
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE

NCHUNKS = PAGE_SIZE // CHUNK_SIZE
TMEM_HANDLE_SIZE = 32
MAX_SIZE = (NCHUNKS - 1) * CHUNK_SIZE - TMEM_HANDLE_SIZE


class ZbudZcache2:
    """zcache2's zbud, for both kinds of page: no header in the page, an LRU of frames.

    drivers/staging/ramster/zbud.c of 3.8 and drivers/staging/zcache/zbud.c of 3.9-3.11.

    The kernel keeps one such set of lists for ephemeral and one for persistent pages: two of these pools.
    `size_bytes` is the compressed length; the 32-byte tmem handle stored in front of it is added here.
    """

    kernels: ClassVar[str] = "3.8-3.11"
    can_reclaim: bool = True
    can_compact: bool = False
    pages_per_object: ClassVar[str] = "1..2 objects a page"

    def __init__(self, grow: Grow | None = None) -> None:
        self.pages = 0
        self.max_size = MAX_SIZE
        self.contiguous_pages = 1
        self._grow = grow
        self._handles = 0
        self._numbers = 0
        self._objects: dict[int, tuple[ZbudPage, int]] = {}
        self._unbuddied = UsedLists(NCHUNKS)
        self._lru: OrderedDict[ZbudPage, None] = OrderedDict()

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "ZbudZcache2":
        """One form."""
        return cls(grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, EINVAL for size 0, ENOSPC above 63 chunks, ENOMEM where a frame is refused."""
        if not 0 < size_bytes <= MAX_SIZE:
            return EINVAL if size_bytes <= 0 else ENOSPC
        chunks = (size_bytes + TMEM_HANDLE_SIZE + CHUNK_SIZE - 1) // CHUNK_SIZE
        page = self._unbuddied.take(NCHUNKS - chunks) or self._new_page()
        if page is None:
            return ENOMEM
        self._handles = handle = self._handles + 1
        self._objects[handle] = (page, size_bytes)
        page.put(handle, chunks)
        if page.first and page.last:
            self._lru.move_to_end(page)
        else:
            self._unbuddied.append(page)
        return handle

    def free(self, handle: int) -> None:
        """Empty one side; the page keeps its place in the LRU."""
        page, _ = self._objects.pop(handle)
        if page.first and page.last:
            page.clear(handle)
            self._unbuddied.append(page)
            return
        self._unbuddied.remove(page)
        page.clear(handle)
        del self._lru[page]
        self.pages -= 1

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """Evict what is in the oldest page that lets go of it, and give the frame back: 1.

        A page whose object may not go keeps its place, as a locked one does; EAGAIN after `tries` of them.
        """
        if not self._lru or tries <= 0:
            return EINVAL
        before = self.pages
        for page in list(islice(self._lru, tries)):
            if all(evict(handle) for handle in (page.first, page.last) if handle) and self.pages < before:
                return 1
        return EAGAIN

    def compact(self) -> int:
        """Nothing ever moves."""
        return 0

    def extents(self) -> Iterator[Extent]:
        """Every object without its tmem handle; a group is one page frame."""
        for handle, (page, size_bytes) in self._objects.items():
            yield Extent(page.number, page.offset(handle, 0) + TMEM_HANDLE_SIZE, size_bytes, handle)

    def occupancy(self) -> list[Occupancy]:
        """The pairs, then the single objects by used chunks."""
        singles = self._unbuddied.occupancy()
        buddied = self.pages - sum(row.pages for row in singles)
        return [Occupancy("buddied", buddied, 2 * buddied, 2 * buddied), *singles]

    def validate(self) -> None:
        """Recount frames, sides and queues from the live objects."""
        for handle, (page, size_bytes) in self._objects.items():
            chunks = page.first_chunks if page.first == handle else page.last_chunks
            assert handle in (page.first, page.last) and page in self._lru
            assert chunks == -(-(size_bytes + TMEM_HANDLE_SIZE) // CHUNK_SIZE)
            assert page.first_chunks + page.last_chunks <= NCHUNKS
        single = self._unbuddied.validate()
        assert self.pages == len(self._lru) and len(self._objects) == 2 * self.pages - single

    def _new_page(self) -> ZbudPage | None:
        if self._grow is not None and not self._grow(1):
            return None
        self._numbers += 1
        self.pages += 1
        page = ZbudPage(self._numbers)
        self._lru[page] = None
        return page
