"""z3fold: up to three compressed pages in a page frame; later kernels also move a lone object into another page."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import ClassVar

from zsim.allocators import EAGAIN, EINVAL, ENOMEM, ENOSPC, Evict, Extent, Grow, Occupancy
from zsim.allocators.zbud import CHUNK_SIZE, Unbuddied
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE

BIG_CHUNK_GAP = 3
TOTAL_CHUNKS = PAGE_SIZE // CHUNK_SIZE


class Z3foldPage:
    """One page frame: handle and chunks of each buddy (0: none); `start_middle` counts chunks from the page's start."""

    __slots__ = (
        "first",
        "first_chunks",
        "foreign",
        "headless",
        "last",
        "last_chunks",
        "middle",
        "middle_chunks",
        "number",
        "start_middle",
        "under_reclaim",
        "unbuddied",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.first = self.first_chunks = 0
        self.middle = self.middle_chunks = self.start_middle = 0
        self.last = self.last_chunks = 0
        self.foreign = 0  # objects moved here from another page
        self.headless = False
        self.under_reclaim = False
        self.unbuddied = -1  # the list it is on

    def handles(self) -> tuple[int, int, int]:
        """The three buddies in the order reclaim evicts them."""
        return self.middle, self.first, self.last

    def put(self, handle: int, chunks: int, header_chunks: int) -> None:
        """Place an object: first, else last, else directly behind the first; beside a middle one where it fits."""
        if not self.first and (not self.middle or chunks <= self.start_middle - header_chunks):
            self.first, self.first_chunks = handle, chunks
        elif not self.last:
            self.last, self.last_chunks = handle, chunks
        else:
            self.middle, self.middle_chunks = handle, chunks
            self.start_middle = self.first_chunks + header_chunks

    def clear(self, handle: int) -> int:
        """Take an object out; the chunks it had."""
        if self.first == handle:
            chunks, self.first, self.first_chunks = self.first_chunks, 0, 0
        elif self.last == handle:
            chunks, self.last, self.last_chunks = self.last_chunks, 0, 0
        else:
            chunks, self.middle, self.middle_chunks, self.start_middle = self.middle_chunks, 0, 0, 0
        return chunks

    def slide_alone(self, header_chunks: int) -> bool:
        """Move a middle object that is alone to the page's start."""
        if self.first or self.last or not self.middle:
            return False
        chunks = self.middle_chunks
        handle, self.middle, self.middle_chunks, self.start_middle = self.middle, 0, 0, 0
        self.put(handle, chunks, header_chunks)
        return True

    def offset(self, handle: int, header_bytes: int) -> int:
        """Where an object lies in the page."""
        if self.headless:
            return 0
        if self.last == handle:
            return PAGE_SIZE - self.last_chunks * CHUNK_SIZE
        return header_bytes if self.first == handle else self.start_middle * CHUNK_SIZE


class Z3fold:
    """Three objects to a page frame at most: one to three evictions free it.

    mm/z3fold.c of 4.8-4.11: three objects to a page, moved only when a middle one is left alone.

    An object above 62 chunks takes a whole page of its own (headless). Left out: mapping, and the locks.
    """

    kernels: ClassVar[str] = "4.8-6.14"
    can_reclaim: bool = True
    can_compact: bool = False
    pages_per_object: ClassVar[str] = "1..3 objects a page"
    evicts_in: ClassVar[str] = "to 6.4"
    header_chunks: ClassVar[int] = 1
    behind_middle: ClassVar[int] = TOTAL_CHUNKS - 1  # one too few, as in the source of that version

    def __init__(self, grow: Grow | None = None) -> None:
        self.pages = 0
        self.max_size = PAGE_SIZE
        self.contiguous_pages = 1
        self._nchunks = TOTAL_CHUNKS - self.header_chunks
        self._max_packed = (self._nchunks - 1) * CHUNK_SIZE
        self._grow = grow
        self._handles = 0
        self._numbers = 0
        self._objects: dict[int, tuple[Z3foldPage, int]] = {}
        self._unbuddied: Unbuddied[Z3foldPage] = Unbuddied(self._nchunks)
        self._lru: OrderedDict[Z3foldPage, None] = OrderedDict()

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "Z3fold":
        """The simple form, from 4.14 on the compacting one, from 6.5 on that without reclaim."""
        if kernel < (4, 14):
            return Z3fold(grow)
        return Z3foldCompacting(grow) if kernel < (6, 5) else Z3foldWithoutReclaim(grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, EINVAL for size 0, ENOSPC above a page, ENOMEM where a frame is refused."""
        if not 0 < size_bytes <= PAGE_SIZE:
            return EINVAL if size_bytes <= 0 else ENOSPC
        headless = size_bytes > self._max_packed
        chunks = (size_bytes + CHUNK_SIZE - 1) // CHUNK_SIZE
        page = (None if headless else self._unbuddied.take(chunks)) or self._new_page()
        if page is None:
            return ENOMEM
        self._handles = handle = self._handles + 1
        self._objects[handle] = (page, size_bytes)
        page.put(handle, chunks, self.header_chunks)
        page.headless = headless
        self._link(page)
        self._lru.move_to_end(page)
        return handle

    def free(self, handle: int) -> None:
        """Take an object out and let the page settle; a page under reclaim is left for reclaim to finish."""
        page, _ = self._objects.pop(handle)
        if page.under_reclaim:
            page.clear(handle)
            return
        self._unlink(page)
        page.clear(handle)
        if page.first or page.middle or page.last:
            self._settle(page)
        else:
            self._release(page)

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """Evict all 1-3 objects of the oldest page: 1, EAGAIN after `tries` pages, EINVAL if there is none."""
        if not self._lru or tries <= 0:
            return EINVAL
        for _ in range(tries):
            page = self._oldest()
            if page is None:
                break
            self._unlink(page)
            page.under_reclaim = True
            all(evict(handle) for handle in page.handles() if handle)
            page.under_reclaim = False
            if not any(page.handles()):
                self._release(page)
                return 1
            self._link(page)
            self._lru.move_to_end(page)  # the newest now, so that it is not tried again soon
        return EAGAIN

    def compact(self) -> int:
        """What moves, moves on free."""
        return 0

    def extents(self) -> Iterator[Extent]:
        """Every object; a group is one page frame."""
        header_bytes = self.header_chunks * CHUNK_SIZE
        for handle, (page, size_bytes) in self._objects.items():
            yield Extent(page.number, page.offset(handle, header_bytes), size_bytes, handle)

    def occupancy(self) -> list[Occupancy]:
        """Headless pages, pages with three objects, then the unbuddied lists that hold any, by free chunks."""
        headless = sum(page.headless for page in self._lru)
        lists = [self._row(f"unbuddied[{index}]", pages) for index, pages in enumerate(self._unbuddied.lists) if pages]
        buddied = self.pages - headless - sum(row.pages for row in lists)
        rows = [("headless", headless, 1), ("buddied", buddied, 3)]
        return [Occupancy(name, pages, pages * each, pages * each) for name, pages, each in rows] + lists

    def validate(self) -> None:
        """Recount frames, buddies, chunks and lists from the live objects."""
        found: Counter[Z3foldPage] = Counter()
        for handle, (page, size_bytes) in self._objects.items():
            found[page] += 1
            chunks = {page.first: page.first_chunks, page.middle: page.middle_chunks, page.last: page.last_chunks}
            assert chunks[handle] == -(-size_bytes // CHUNK_SIZE)
        assert self.pages == len(self._lru) and set(found) == set(self._lru)
        for page, objects in found.items():
            self._validate_page(page, objects)
        listed = {page: page.unbuddied for page in self._lru if page.unbuddied >= 0}
        self._unbuddied.validate(listed)

    def _validate_page(self, page: Z3foldPage, objects: int) -> None:
        assert objects == sum(map(bool, page.handles())) and not page.under_reclaim and page.foreign <= objects
        if page.headless:
            assert objects == 1 and page.unbuddied == -1
            return
        assert page.unbuddied == (-1 if objects == 3 else self._free_chunks(page))
        if page.middle:
            assert page.start_middle >= page.first_chunks + self.header_chunks
            assert page.start_middle + page.middle_chunks + page.last_chunks <= TOTAL_CHUNKS
        else:
            assert page.first_chunks + page.last_chunks <= self._nchunks

    def _row(self, name: str, pages: dict[Z3foldPage, None]) -> Occupancy:
        objects = sum(map(bool, (handle for page in pages for handle in page.handles())))
        return Occupancy(name, len(pages), objects, 3 * len(pages))

    def _new_page(self) -> Z3foldPage | None:
        if self._grow is not None and not self._grow(1):
            return None
        self._numbers += 1
        self.pages += 1
        page = Z3foldPage(self._numbers)
        self._lru[page] = None
        return page

    def _release(self, page: Z3foldPage) -> None:
        del self._lru[page]
        self.pages -= 1

    def _free_chunks(self, page: Z3foldPage) -> int:
        """The room that counts: beside a middle object the larger of the two gaps."""
        if not page.middle:
            return self._nchunks - page.first_chunks - page.last_chunks
        before = 0 if page.first else page.start_middle - self.header_chunks
        after = 0 if page.last else self.behind_middle - page.start_middle - page.middle_chunks
        return max(before, after)

    def _link(self, page: Z3foldPage) -> None:
        if not page.headless and not (page.first and page.middle and page.last):
            page.unbuddied = self._free_chunks(page)
            self._unbuddied.push(page, page.unbuddied)
        else:
            page.unbuddied = -1

    def _unlink(self, page: Z3foldPage) -> None:
        if page.unbuddied >= 0:
            self._unbuddied.remove(page, page.unbuddied)
            page.unbuddied = -1

    def _settle(self, page: Z3foldPage) -> None:
        page.slide_alone(self.header_chunks)
        self._link(page)

    def _oldest(self) -> Z3foldPage | None:
        return next(iter(self._lru))


class Z3foldCompacting(Z3fold):
    """mm/z3fold.c of 4.14-6.4 on one CPU, with the background work done at once.

    The kernel compacts and releases pages from work items on the CPU that last filled a page, so its page counts
    differ from run to run once objects are freed; this is the idealisation in which they do not.
    """

    header_chunks: ClassVar[int] = 2  # the structure measures 88 bytes
    behind_middle: ClassVar[int] = TOTAL_CHUNKS

    def __init__(self, grow: Grow | None = None) -> None:
        super().__init__(grow)
        self._foreign: set[int] = set()

    def free(self, handle: int) -> None:
        """As in 4.8; a page that loses its last foreign object may be moved from and reclaimed again."""
        if handle in self._foreign:
            self._foreign.remove(handle)
            self._objects[handle][0].foreign -= 1
        super().free(handle)

    def validate(self) -> None:
        """As in 4.8, and recount the foreign objects."""
        super().validate()
        foreign = Counter(self._objects[handle][0] for handle in self._foreign)
        assert all(page.foreign == foreign[page] for page in self._lru)

    def _settle(self, page: Z3foldPage) -> None:
        if not page.foreign and self._move_single(page):
            return
        if not page.slide_alone(self.header_chunks):
            self._close_gap(page)
        self._link(page)

    def _move_single(self, page: Z3foldPage) -> bool:
        """Move an object that is alone into another page that has room, and release its own."""
        handles = [handle for handle in page.handles() if handle]
        if len(handles) > 1:
            return False
        target = self._unbuddied.take(page.first_chunks + page.middle_chunks + page.last_chunks)
        if target is None:
            return False
        (handle,) = handles
        target.put(handle, page.clear(handle), self.header_chunks)
        target.foreign += 1
        self._foreign.add(handle)
        self._objects[handle] = (target, self._objects[handle][1])
        self._link(target)
        self._release(page)
        return True

    def _close_gap(self, page: Z3foldPage) -> None:
        """Move a middle object against its only neighbour where that gains enough."""
        if page.middle and page.first and not page.last:
            start = page.first_chunks + self.header_chunks
            if page.start_middle - start >= BIG_CHUNK_GAP:
                page.start_middle = start
        elif page.middle and page.last and not page.first:
            start = TOTAL_CHUNKS - page.last_chunks - page.middle_chunks
            if start - page.start_middle >= BIG_CHUNK_GAP:
                page.start_middle = start

    def _oldest(self) -> Z3foldPage | None:
        return next((page for page in self._lru if not page.foreign), None)


class Z3foldWithoutReclaim(Z3foldCompacting):
    """mm/z3fold.c of 6.5-6.14: zswap orders its own entries, and the allocator frees only what it is told to."""

    can_reclaim: bool = False

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """EINVAL: z3fold_reclaim_page() is gone."""
        return EINVAL
