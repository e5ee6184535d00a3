"""zblock: blocks of contiguous pages cut into equal slots, finely graded; posted in 2025, never merged."""

from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import ClassVar

from zsim.allocators import EINVAL, ENOMEM, ENOSPC, Evict, Extent, Grow, Occupancy
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE

HEADER_SIZE = 40

# slots and order of each block type, for 4 KiB pages, by rising slot size
TYPES = (
    *((63, 0), (32, 0), (21, 0), (15, 0), (12, 0), (10, 0), (9, 0), (8, 0), (29, 2), (13, 1)),
    *((6, 0), (11, 1), (5, 0), (9, 1), (8, 1), (29, 3), (13, 2), (12, 2), (11, 2), (10, 2)),
    *((9, 2), (17, 3), (8, 2), (15, 3), (14, 3), (13, 3), (6, 2), (11, 3), (10, 3), (9, 3), (4, 2)),
)
SLOT_SIZES = tuple(((PAGE_SIZE << order) - HEADER_SIZE) // slots // 8 * 8 for slots, order in TYPES)
MAX_SIZE = SLOT_SIZES[-1] - 1


class Block:
    """2**order contiguous pages of one type; bit i of `free` is set while slot i is."""

    __slots__ = ("free", "kind", "number")

    def __init__(self, kind: int, number: int) -> None:
        self.kind = kind
        self.number = number
        self.free = (1 << TYPES[kind][0]) - 1


class Zblock:
    """Slots in blocks of 1 to 8 contiguous pages, 31 block types; nothing is evicted or moved.

    mm/zblock.c as posted in 2025 (out of tree): the smallest type whose slot is larger than the object.

    It needs contiguous pages; that these may not be found in fragmented memory is left to `grow`.
    """

    kernels: ClassVar[str] = "2025 (posted)"
    can_reclaim: bool = False
    can_compact: bool = False
    pages_per_object: ClassVar[str] = "1..63 objects a page, in blocks of 1, 2, 4 or 8"

    def __init__(self, grow: Grow | None = None) -> None:
        self.pages = 0
        self.max_size = MAX_SIZE
        self.contiguous_pages = 1 << max(order for _, order in TYPES)
        self._grow = grow
        self._handles = 0
        self._numbers = 0
        self._active: list[OrderedDict[Block, None]] = [OrderedDict() for _ in TYPES]
        self._blocks: set[Block] = set()
        self._objects: dict[int, tuple[Block, int, int]] = {}

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "Zblock":
        """One form."""
        return cls(grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, EINVAL for size 0, ENOSPC from 4080 bytes on, ENOMEM where a block's pages are refused."""
        if not 0 < size_bytes <= MAX_SIZE:
            return EINVAL if size_bytes <= 0 else ENOSPC
        kind = bisect_right(SLOT_SIZES, size_bytes)
        active = self._active[kind]
        block = next(iter(active)) if active else self._new_block(kind)
        if block is None:
            return ENOMEM
        lowest = block.free & -block.free
        block.free ^= lowest
        if not block.free:
            del active[block]
        self._handles = handle = self._handles + 1
        self._objects[handle] = (block, lowest, size_bytes)
        return handle

    def free(self, handle: int) -> None:
        """An empty block goes back at once; one that was full queues behind the active ones."""
        block, slot, _ = self._objects.pop(handle)
        active = self._active[block.kind]
        if not block.free:
            active[block] = None
        block.free |= slot
        slots, order = TYPES[block.kind]
        if block.free == (1 << slots) - 1:
            del active[block]
            self._blocks.remove(block)
            self.pages -= 1 << order

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """EINVAL: zblock does not evict."""
        return EINVAL

    def compact(self) -> int:
        """Nothing ever moves."""
        return 0

    def extents(self) -> Iterator[Extent]:
        """Every object; a group is one block."""
        for handle, (block, slot, size_bytes) in self._objects.items():
            offset = HEADER_SIZE + (slot.bit_length() - 1) * SLOT_SIZES[block.kind]
            yield Extent(block.number, offset, size_bytes, handle)

    def occupancy(self) -> list[Occupancy]:
        """A row per block type."""
        blocks = Counter(block.kind for block in self._blocks)
        objects = Counter(block.kind for block, _, _ in self._objects.values())
        return [
            Occupancy(f"slot {SLOT_SIZES[kind]}", blocks[kind] << order, objects[kind], blocks[kind] * slots)
            for kind, (slots, order) in enumerate(TYPES)
        ]

    def validate(self) -> None:
        """Recount blocks, slots and lists from the live objects."""
        assert self.pages == sum(1 << TYPES[block.kind][1] for block in self._blocks)
        taken = dict.fromkeys(self._blocks, 0)
        for block, slot, size_bytes in self._objects.values():
            assert not taken[block] & slot and size_bytes < SLOT_SIZES[block.kind]
            taken[block] |= slot
        for block, slots in taken.items():
            assert slots and slots ^ block.free == (1 << TYPES[block.kind][0]) - 1
            assert (block in self._active[block.kind]) == bool(block.free)

    def _new_block(self, kind: int) -> Block | None:
        order = TYPES[kind][1]
        if self._grow is not None and not self._grow(1 << order):
            return None
        self._numbers += 1
        self.pages += 1 << order
        block = Block(kind, self._numbers)
        self._blocks.add(block)
        self._active[kind][block] = None
        return block
