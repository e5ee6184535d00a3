"""xvmalloc: good-fit packing inside single pages, zram's and zcache's allocator before zsmalloc."""

from collections.abc import Iterator
from typing import ClassVar

from zsim.allocators import EINVAL, ENOMEM, ENOSPC, Evict, Extent, Grow, Occupancy
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE

ALIGN = 8
HEADER_SIZE = 8
MIN_SIZE = 32
MAX_SIZE = PAGE_SIZE - HEADER_SIZE


class Block:
    """A run of `size` bytes behind a header at `offset`; free while it has no `handle`, linked to its neighbours."""

    __slots__ = ("handle", "next", "offset", "page", "previous", "size")

    def __init__(self, page: int, offset: int, size: int) -> None:
        self.page = page
        self.offset = offset
        self.size = size
        self.handle = 0
        self.previous: Block | None = None
        self.next: Block | None = None


class Xvmalloc:
    """Free lists every 8 bytes, no object crosses a page: zram and zcache before zsmalloc.

    drivers/staging/zram/xvmalloc.c of 3.0: TLSF-like free lists every 8 bytes, no object crosses a page.

    What zram did around it (pages above 3072 bytes stored whole) is left to the store.
    """

    kernels: ClassVar[str] = "2.6.33-3.3"
    can_reclaim: bool = False
    can_compact: bool = False
    pages_per_object: ClassVar[str] = "1..256 objects a page"

    def __init__(self, grow: Grow | None = None) -> None:
        self.pages = 0
        self.max_size = MAX_SIZE
        self.contiguous_pages = 1
        self._grow = grow
        self._handles = 0
        self._numbers = 0
        self._free: list[dict[Block, None]] = [{} for _ in range((MAX_SIZE - MIN_SIZE) // ALIGN + 1)]
        self._nonempty = 0  # bit i: _free[i] holds a block
        self._objects: dict[int, tuple[Block, int]] = {}

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "Xvmalloc":
        """One form."""
        return cls(grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, EINVAL for size 0, ENOSPC above 4088 bytes, ENOMEM where a frame is refused."""
        if not 0 < size_bytes <= MAX_SIZE:
            return EINVAL if size_bytes <= 0 else ENOSPC
        size = (size_bytes + ALIGN - 1) & -ALIGN
        block = self._find(size) or self._grow_pool()
        if block is None:
            return ENOMEM
        self._handles = handle = self._handles + 1
        self._objects[handle] = (block, size_bytes)
        block.handle = handle
        if block.size > size:
            self._split(block, size)
        return handle

    def free(self, handle: int) -> None:
        """Merge with free neighbours; a page that is one free block goes back."""
        block, _ = self._objects.pop(handle)
        block.handle = 0
        behind = block.next
        if behind is not None and not behind.handle:
            self._remove(behind)
            self._merge(block, behind)
        before = block.previous
        if before is not None and not before.handle:
            self._remove(before)
            self._merge(before, block)
            block = before
        if block.size == MAX_SIZE:
            self.pages -= 1
        else:
            self._insert(block)

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """EINVAL: xvmalloc does not evict."""
        return EINVAL

    def compact(self) -> int:
        """Nothing ever moves."""
        return 0

    def extents(self) -> Iterator[Extent]:
        """Every object behind its block header; a group is one page frame."""
        for handle, (block, size_bytes) in self._objects.items():
            yield Extent(block.page, block.offset + HEADER_SIZE, size_bytes, handle)

    def occupancy(self) -> list[Occupancy]:
        """One row: the lists hold free blocks, not pages. A free block counts as room for one object."""
        free = sum(map(len, self._free))
        return [Occupancy("all", self.pages, len(self._objects), len(self._objects) + free)]

    def validate(self) -> None:
        """Walk the blocks of every page; recount pages and free lists."""
        starts = {first.page: first for first in map(self._first_of_page, self._objects.values())}
        assert len(starts) == self.pages
        blocks = [block for first in starts.values() for block in self._walk(first)]
        assert {block.handle: block for block in blocks if block.handle} == {
            handle: block for handle, (block, _) in self._objects.items()
        }
        listed = {block: index for index, blocks in enumerate(self._free) for block in blocks}
        assert listed == {b: (b.size - MIN_SIZE) // ALIGN for b in blocks if not b.handle and b.size >= MIN_SIZE}
        assert self._nonempty == sum(1 << index for index, blocks in enumerate(self._free) if blocks)

    @staticmethod
    def _first_of_page(placed: tuple[Block, int]) -> Block:
        block, size_bytes = placed
        assert block.size == (size_bytes + ALIGN - 1) & -ALIGN
        while block.previous is not None:
            block = block.previous
        return block

    @staticmethod
    def _walk(first: Block) -> Iterator[Block]:
        """The blocks of a page in order, which must touch, alternate where free, and fill it."""
        block: Block | None = first
        end, was_free = 0, False
        while block is not None:
            assert block.offset == end and block.page == first.page and not (was_free and not block.handle)
            yield block
            end, was_free = block.offset + HEADER_SIZE + block.size, not block.handle
            assert block.next is None or block.next.previous is block
            block = block.next
        assert end == PAGE_SIZE

    def _find(self, size: int) -> Block | None:
        """Unlink the head of the first list whose blocks are all large enough."""
        index = (max(size, MIN_SIZE) - MIN_SIZE) // ALIGN
        fitting = self._nonempty >> index
        if not fitting:
            return None
        index += (fitting & -fitting).bit_length() - 1
        blocks = self._free[index]
        block, _ = blocks.popitem()
        if not blocks:
            self._nonempty ^= 1 << index
        return block

    def _grow_pool(self) -> Block | None:
        if self._grow is not None and not self._grow(1):
            return None
        self._numbers += 1
        self.pages += 1
        return Block(self._numbers, 0, MAX_SIZE)

    def _split(self, block: Block, size: int) -> None:
        """Cut what `size` leaves over; what is too small for a list stays as slack until it merges."""
        rest = Block(block.page, block.offset + HEADER_SIZE + size, block.size - size - HEADER_SIZE)
        rest.previous, rest.next = block, block.next
        if rest.next is not None:
            rest.next.previous = rest
        block.next, block.size = rest, size
        self._insert(rest)

    def _merge(self, block: Block, behind: Block) -> None:
        block.size += HEADER_SIZE + behind.size
        block.next = behind.next
        if block.next is not None:
            block.next.previous = block

    def _insert(self, block: Block) -> None:
        if block.size >= MIN_SIZE:
            index = (block.size - MIN_SIZE) // ALIGN
            self._free[index][block] = None
            self._nonempty |= 1 << index

    def _remove(self, block: Block) -> None:
        if block.size >= MIN_SIZE:
            index = (block.size - MIN_SIZE) // ALIGN
            blocks = self._free[index]
            del blocks[block]
            if not blocks:
                self._nonempty ^= 1 << index
