"""The zbud inside zcache v1: pairs of clean page-cache pages, evicted without I/O and without an LRU."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain, islice
from typing import ClassVar

from zsim.allocators import EAGAIN, EINVAL, ENOMEM, ENOSPC, Evict, Extent, Grow, Occupancy
from zsim.allocators.zbud import CHUNK_SIZE, ZbudPage
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE

HEADER_SIZE = 128
NCHUNKS = (PAGE_SIZE - HEADER_SIZE) // CHUNK_SIZE
MAX_SIZE = (NCHUNKS - 1) * CHUNK_SIZE


class UsedLists:
    """Pages with one object, in one queue per number of *used* chunks (mainline zbud counts the free ones)."""

    __slots__ = ("nonempty", "queues")

    def __init__(self, nchunks: int) -> None:
        self.queues: list[OrderedDict[ZbudPage, None]] = [OrderedDict() for _ in range(nchunks)]
        self.nonempty = 0

    def append(self, page: ZbudPage) -> None:
        """Queue a page behind those that hold as much."""
        used = page.first_chunks + page.last_chunks
        self.queues[used][page] = None
        self.nonempty |= 1 << used

    def take(self, room_chunks: int) -> ZbudPage | None:
        """Unlink the first page of the fullest queue that uses at most `room_chunks`."""
        used = (self.nonempty & ((2 << room_chunks) - 1)).bit_length() - 1
        if used < 0:
            return None
        page = next(iter(self.queues[used]))
        self.remove(page)
        return page

    def remove(self, page: ZbudPage) -> None:
        """Unlink a page from its queue."""
        used = page.first_chunks + page.last_chunks
        queue = self.queues[used]
        del queue[page]
        if not queue:
            self.nonempty ^= 1 << used

    def occupancy(self) -> list[Occupancy]:
        """The queues that hold any page, emptiest pages first."""
        queues = [(used, len(queue)) for used, queue in enumerate(self.queues) if queue]
        return [Occupancy(f"unbuddied[{used}]", count, count, 2 * count) for used, count in queues]

    def validate(self) -> int:
        """The pages queued, after checking that each holds one object and is in its own queue."""
        for used, queue in enumerate(self.queues):
            assert bool(queue) == bool(self.nonempty >> used & 1)
            for page in queue:
                assert page.first_chunks + page.last_chunks == used > 0 and not (page.first and page.last)
        return sum(map(len, self.queues))


class ZbudZcache1:
    """zcache v1's zbud, for page cache: no LRU, and emptied frames linger.

    drivers/staging/zcache/zcache-main.c of 3.8 and before, ephemeral (page-cache) side.

    An emptied frame stays on the list of unused pages, still counted, until `reclaim` hands it back. The kernel's
    shrinker does that on its next pass; here an evicted frame is handed back by the call that evicted it.
    """

    kernels: ClassVar[str] = "2.6.39-3.8"
    can_reclaim: bool = True
    can_compact: bool = False
    pages_per_object: ClassVar[str] = "1..2 objects a page"
    keeps_frames: ClassVar[bool] = True

    def __init__(self, grow: Grow | None = None) -> None:
        self.pages = 0
        self.max_size = MAX_SIZE
        self.contiguous_pages = 1
        self._grow = grow
        self._handles = 0
        self._numbers = 0
        self._objects: dict[int, tuple[ZbudPage, int]] = {}
        self._unbuddied = UsedLists(NCHUNKS)
        self._buddied: OrderedDict[ZbudPage, None] = OrderedDict()
        self._unused: list[ZbudPage] = []

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "ZbudZcache1":
        """One form."""
        return cls(grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, EINVAL for size 0, ENOSPC above 61 chunks, ENOMEM where a frame is refused."""
        if not 0 < size_bytes <= MAX_SIZE:
            return EINVAL if size_bytes <= 0 else ENOSPC
        chunks = (size_bytes + CHUNK_SIZE - 1) // CHUNK_SIZE
        page = self._unbuddied.take(NCHUNKS - chunks) or self._raw_page()
        if page is None:
            return ENOMEM
        self._handles = handle = self._handles + 1
        self._objects[handle] = (page, size_bytes)
        page.put(handle, chunks)
        if page.first and page.last:
            self._buddied[page] = None
        else:
            self._unbuddied.append(page)
        return handle

    def free(self, handle: int) -> None:
        """A page's last object leaves the frame on the unused list, not with the kernel."""
        page, _ = self._objects.pop(handle)
        if page.first and page.last:
            del self._buddied[page]
            page.clear(handle)
            self._unbuddied.append(page)
        else:
            self._unbuddied.remove(page)
            page.clear(handle)
            self._unused.append(page)

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """Hand back an unused frame; failing that evict a page: smallest single object first, then pairs, oldest first.

        A page whose object may not go keeps its place, as a locked one does; EAGAIN after `tries` of them.
        """
        if not self.pages or tries <= 0:
            return EINVAL
        if not self._unused:
            for page in list(islice(chain(*self._unbuddied.queues, self._buddied), tries)):
                if all(evict(handle) for handle in (page.first, page.last) if handle):
                    break
        if not self._unused:
            return EAGAIN
        self._unused.pop()
        self.pages -= 1
        return 1

    def evict_pages(self, pages: int, evict: Evict) -> int:
        """zbud_evict_pages, as the shrinker calls it: unused frames handed back; the rest of `pages` is only emptied.

        The frames emptied stay on the unused list until they are used again or handed back by a later call.
        """
        handed = min(pages, len(self._unused))
        del self._unused[len(self._unused) - handed :]
        self.pages -= handed
        for page in list(islice(chain(*self._unbuddied.queues, self._buddied), pages - handed)):
            for handle in (page.first, page.last):
                if handle:
                    evict(handle)
        return handed

    def compact(self) -> int:
        """Nothing ever moves."""
        return 0

    def extents(self) -> Iterator[Extent]:
        """Every object; a group is one page frame."""
        for handle, (page, size_bytes) in self._objects.items():
            yield Extent(page.number, page.offset(handle, HEADER_SIZE), size_bytes, handle)

    def occupancy(self) -> list[Occupancy]:
        """Unused frames, pairs, then the single objects by used chunks."""
        unused, buddied = len(self._unused), len(self._buddied)
        rows = [Occupancy("unused", unused, 0, 2 * unused), Occupancy("buddied", buddied, 2 * buddied, 2 * buddied)]
        return rows + self._unbuddied.occupancy()

    def validate(self) -> None:
        """Recount frames, sides and queues from the live objects."""
        for handle, (page, size_bytes) in self._objects.items():
            chunks = page.first_chunks if page.first == handle else page.last_chunks
            assert handle in (page.first, page.last) and chunks == -(-size_bytes // CHUNK_SIZE)
            assert page.first_chunks + page.last_chunks <= NCHUNKS
        assert all(page.first and page.last for page in self._buddied)
        assert not any(page.first or page.last for page in self._unused)
        single = self._unbuddied.validate()
        assert self.pages == single + len(self._buddied) + len(self._unused)
        assert len(self._objects) == single + 2 * len(self._buddied)

    def _raw_page(self) -> ZbudPage | None:
        if self._unused:
            return self._unused.pop()
        if self._grow is not None and not self._grow(1):
            return None
        self._numbers += 1
        self.pages += 1
        return ZbudPage(self._numbers)
