"""zbud: at most two compressed pages in a page frame, so that evicting two of them always frees it."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import ClassVar, Generic, TypeVar

from zsim.allocators import EAGAIN, EINVAL, ENOMEM, ENOSPC, Evict, Extent, Grow, Occupancy
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE

CHUNK_SIZE = 64
HEADER_SIZE = 64
NCHUNKS = (PAGE_SIZE - HEADER_SIZE) // CHUNK_SIZE
MAX_SIZE = PAGE_SIZE - HEADER_SIZE - CHUNK_SIZE

Page = TypeVar("Page")


class Unbuddied(Generic[Page]):
    """Pages with room, one list per number of free chunks: best fit, and the newest page of a list first."""

    __slots__ = ("lists", "nonempty")

    def __init__(self, lists: int) -> None:
        self.lists: list[dict[Page, None]] = [{} for _ in range(lists)]
        self.nonempty = 0  # bit i: lists[i] holds a page; a scan of 63 lists would cost more than all the rest

    def push(self, page: Page, free_chunks: int) -> None:
        """Put `page` at the front of the list of its free chunks."""
        self.lists[free_chunks][page] = None
        self.nonempty |= 1 << free_chunks

    def take(self, chunks: int) -> Page | None:
        """Unlink the front page of the first list that has room for `chunks`."""
        fitting = self.nonempty >> chunks
        if not fitting:
            return None
        index = chunks + (fitting & -fitting).bit_length() - 1
        pages = self.lists[index]
        page, _ = pages.popitem()
        if not pages:
            self.nonempty ^= 1 << index
        return page

    def remove(self, page: Page, free_chunks: int) -> None:
        """Unlink `page` from the list it is on."""
        pages = self.lists[free_chunks]
        del pages[page]
        if not pages:
            self.nonempty ^= 1 << free_chunks

    def validate(self, expected: dict[Page, int]) -> None:
        """The lists hold exactly the `expected` pages, each on the list of its free chunks."""
        assert {page: index for index, pages in enumerate(self.lists) for page in pages} == expected
        assert sum(map(len, self.lists)) == len(expected)
        assert self.nonempty == sum(1 << index for index, pages in enumerate(self.lists) if pages)


class ZbudPage:
    """One page frame: the handles on its first and last side (0: free) and the chunks they take."""

    __slots__ = ("first", "first_chunks", "last", "last_chunks", "number", "under_reclaim")

    def __init__(self, number: int) -> None:
        self.number = number
        self.first = self.first_chunks = 0
        self.last = self.last_chunks = 0
        self.under_reclaim = False

    def put(self, handle: int, chunks: int) -> None:
        """Place an object on the first side, or on the last where the first is taken."""
        if self.first:
            self.last, self.last_chunks = handle, chunks
        else:
            self.first, self.first_chunks = handle, chunks

    def clear(self, handle: int) -> None:
        """Take an object out; the other one stays where it is."""
        if self.first == handle:
            self.first = self.first_chunks = 0
        else:
            self.last = self.last_chunks = 0

    def offset(self, handle: int, header_bytes: int) -> int:
        """Where an object lies: the first one behind the header, the last one against the end of the page."""
        return header_bytes if self.first == handle else PAGE_SIZE - self.last_chunks * CHUNK_SIZE


class Zbud:
    """Two objects to a page frame at most: one or two evictions free it, always.

    mm/zbud.c of 3.11-6.4, whose LRU orders page frames by the last allocation into them.

    Left out: mapping, and the locks. `reclaim` is zbud_reclaim_page(): 1 or 2 evictions, exactly one frame.
    """

    kernels: ClassVar[str] = "3.11-6.14"
    can_reclaim: bool = True
    can_compact: bool = False
    pages_per_object: ClassVar[str] = "1..2 objects a page"
    evicts_in: ClassVar[str] = "to 6.4"

    def __init__(self, grow: Grow | None = None) -> None:
        self.pages = 0
        self.max_size = MAX_SIZE
        self.contiguous_pages = 1
        self._grow = grow
        self._handles = 0
        self._numbers = 0
        self._objects: dict[int, tuple[ZbudPage, int]] = {}
        self._unbuddied: Unbuddied[ZbudPage] = Unbuddied(NCHUNKS)
        self._lru: OrderedDict[ZbudPage, None] = OrderedDict()

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "Zbud":
        """One form since 3.11; from 6.5 on it no longer reclaims."""
        return Zbud(grow) if kernel < (6, 5) else ZbudWithoutReclaim(grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, EINVAL for size 0, ENOSPC above 62 chunks, ENOMEM where a frame is refused."""
        if not 0 < size_bytes <= MAX_SIZE:
            return EINVAL if size_bytes <= 0 else ENOSPC
        chunks = (size_bytes + CHUNK_SIZE - 1) // CHUNK_SIZE
        page = self._unbuddied.take(chunks) or self._new_page()
        if page is None:
            return ENOMEM
        self._handles = handle = self._handles + 1
        self._objects[handle] = (page, size_bytes)
        page.put(handle, chunks)
        self._link(page)
        self._lru.move_to_end(page)
        return handle

    def free(self, handle: int) -> None:
        """Empty one side; a page under reclaim is left for reclaim to finish."""
        page, _ = self._objects.pop(handle)
        if page.under_reclaim:
            page.clear(handle)
            return
        self._unlink(page)
        page.clear(handle)
        if page.first or page.last:
            self._link(page)
        else:
            self._release(page)

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """Evict the one or two objects of the oldest page: 1, EAGAIN after `tries` pages, EINVAL if there is none."""
        if not self._lru or tries <= 0:
            return EINVAL
        for _ in range(tries):
            page = next(iter(self._lru))
            self._unlink(page)
            page.under_reclaim = True
            all(evict(handle) for handle in (page.first, page.last) if handle)
            page.under_reclaim = False
            if not (page.first or page.last):
                self._release(page)
                return 1
            self._link(page)
            self._lru.move_to_end(page)  # the newest now, so that it is not tried again soon
        return EAGAIN

    def compact(self) -> int:
        """Nothing ever moves."""
        return 0

    def extents(self) -> Iterator[Extent]:
        """Every object; a group is one page frame."""
        for handle, (page, size_bytes) in self._objects.items():
            yield Extent(page.number, page.offset(handle, HEADER_SIZE), size_bytes, handle)

    def occupancy(self) -> list[Occupancy]:
        """The buddied pages, then the unbuddied lists that hold any, by free chunks."""
        lists = [(index, len(pages)) for index, pages in enumerate(self._unbuddied.lists) if pages]
        buddied = self.pages - sum(count for _, count in lists)
        rows = [Occupancy("buddied", buddied, 2 * buddied, 2 * buddied)]
        return rows + [Occupancy(f"unbuddied[{index}]", count, count, 2 * count) for index, count in lists]

    def validate(self) -> None:
        """Recount frames, sides, chunks and lists from the live objects."""
        used: Counter[ZbudPage] = Counter()
        for handle, (page, size_bytes) in self._objects.items():
            chunks = page.first_chunks if page.first == handle else page.last_chunks
            assert handle in (page.first, page.last) and chunks == -(-size_bytes // CHUNK_SIZE)
            used[page] += chunks
        assert self.pages == len(self._lru) and set(used) == set(self._lru)
        for page, chunks in used.items():
            assert chunks == page.first_chunks + page.last_chunks <= NCHUNKS and not page.under_reclaim
        self._unbuddied.validate({page: NCHUNKS - n for page, n in used.items() if not (page.first and page.last)})

    def _new_page(self) -> ZbudPage | None:
        if self._grow is not None and not self._grow(1):
            return None
        self._numbers += 1
        self.pages += 1
        page = ZbudPage(self._numbers)
        self._lru[page] = None
        return page

    def _link(self, page: ZbudPage) -> None:
        if not (page.first and page.last):
            self._unbuddied.push(page, NCHUNKS - page.first_chunks - page.last_chunks)

    def _unlink(self, page: ZbudPage) -> None:
        if not (page.first and page.last):
            self._unbuddied.remove(page, NCHUNKS - page.first_chunks - page.last_chunks)

    def _release(self, page: ZbudPage) -> None:
        del self._lru[page]
        self.pages -= 1


class ZbudWithoutReclaim(Zbud):
    """mm/zbud.c of 6.5-6.14: zswap orders its own entries, and the allocator frees only what it is told to."""

    can_reclaim: bool = False

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """EINVAL: zbud_reclaim_page() is gone."""
        return EINVAL
