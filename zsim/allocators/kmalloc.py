"""kmalloc: the existing allocator, whose few size classes suit fixed-size objects, not compressed pages."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import ClassVar

from zsim.allocators import EINVAL, ENOMEM, ENOSPC, Evict, Extent, Grow, Occupancy
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE

SIZES = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)
MAX_ORDER = 3
CPUS = 4


def slab_order(size_bytes: int, cpus: int) -> int:
    """calculate_order() of mm/slub.c: the smallest order with enough objects and little left over."""
    wanted = min(4 * (cpus.bit_length() + 1), (PAGE_SIZE << MAX_ORDER) // size_bytes)
    smallest = (-(-wanted * size_bytes // PAGE_SIZE) - 1).bit_length()
    for fraction in (16, 8, 4):
        for order in range(smallest, MAX_ORDER + 1):
            slab_bytes = PAGE_SIZE << order
            if slab_bytes % size_bytes <= slab_bytes // fraction:
                return order
    return MAX_ORDER


class Slab:
    """2**order contiguous pages of one cache, with a stack of its free slots."""

    __slots__ = ("cache", "free", "number")

    def __init__(self, cache: "Cache", number: int) -> None:
        self.cache = cache
        self.number = number
        self.free = list(range(cache.objects - 1, -1, -1))


class Cache:
    """A kmem_cache: the slab its CPU allocates from, and the node's list of partial ones."""

    __slots__ = ("active", "min_partial", "objects", "order", "partial", "size_bytes")

    def __init__(self, size_bytes: int, cpus: int) -> None:
        self.size_bytes = size_bytes
        self.order = slab_order(size_bytes, cpus)
        self.objects = (PAGE_SIZE << self.order) // size_bytes
        self.min_partial = min(10, max(5, (size_bytes.bit_length() - 1) // 2))
        self.active: Slab | None = None
        self.partial: OrderedDict[Slab, None] = OrderedDict()


class Kmalloc:
    """Slab size classes, powers of two in the main: the existing allocator that was not enough.

    mm/slub.c, 3.11-6.12, as one CPU of `CPUS` sees it: an approximation.

    Left out: the other CPUs' slabs and the per-CPU partial lists. Empty slabs stay until the node's partial list
    holds min_partial of them, so an empty pool still holds pages.
    """

    kernels: ClassVar[str] = "3.11-6.12"
    can_reclaim: bool = False
    can_compact: bool = False
    pages_per_object: ClassVar[str] = "1..512 objects a page, in slabs of 1, 2, 4 or 8"
    keeps_frames: ClassVar[bool] = True

    def __init__(self, grow: Grow | None = None, cpus: int = CPUS) -> None:
        self.pages = 0
        self.max_size = SIZES[-1]
        self.contiguous_pages = 1 << MAX_ORDER
        self._grow = grow
        self._handles = 0
        self._numbers = 0
        self._caches = [Cache(size_bytes, cpus) for size_bytes in SIZES]
        self._by_words = self._index()
        self._slabs: set[Slab] = set()
        self._objects: dict[int, tuple[Slab, int, int]] = {}

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "Kmalloc":
        """One form."""
        return cls(grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, EINVAL for size 0, ENOSPC above the largest cache, ENOMEM where a slab's pages are refused."""
        if not 0 < size_bytes <= self.max_size:
            return EINVAL if size_bytes <= 0 else ENOSPC
        cache = self._by_words[(size_bytes + 7) // 8]
        slab = cache.active
        if slab is None or not slab.free:
            slab = self._refill(cache)
        if slab is None:
            return ENOMEM
        self._handles = handle = self._handles + 1
        self._objects[handle] = (slab, slab.free.pop(), size_bytes)
        return handle

    def free(self, handle: int) -> None:
        """Back on its slab; an empty slab goes when the node has partial ones enough."""
        slab, slot, _ = self._objects.pop(handle)
        cache = slab.cache
        slab.free.append(slot)
        if slab is cache.active:
            return
        if len(slab.free) == 1:
            cache.partial[slab] = None
        if len(slab.free) == cache.objects and len(cache.partial) >= cache.min_partial:
            del cache.partial[slab]
            self._slabs.remove(slab)
            self.pages -= 1 << cache.order

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """EINVAL: a slab does not know whose objects it holds."""
        return EINVAL

    def compact(self) -> int:
        """Nothing ever moves."""
        return 0

    def extents(self) -> Iterator[Extent]:
        """Every object; a group is one slab."""
        for handle, (slab, slot, size_bytes) in self._objects.items():
            yield Extent(slab.number, slot * slab.cache.size_bytes, size_bytes, handle)

    def occupancy(self) -> list[Occupancy]:
        """A row per cache, as in /proc/slabinfo."""
        slabs = Counter(slab.cache for slab in self._slabs)
        objects = Counter(slab.cache for slab, _, _ in self._objects.values())
        rows = [(cache, slabs[cache], objects[cache]) for cache in self._caches]
        return [
            Occupancy(f"kmalloc-{cache.size_bytes}", count << cache.order, live, count * cache.objects)
            for cache, count, live in rows
        ]

    def validate(self) -> None:
        """Recount slabs, slots and lists from the live objects."""
        assert self.pages == sum(1 << slab.cache.order for slab in self._slabs)
        taken: dict[Slab, set[int]] = {slab: set() for slab in self._slabs}
        for slab, slot, size_bytes in self._objects.values():
            assert slot not in taken[slab] and size_bytes <= slab.cache.size_bytes
            taken[slab].add(slot)
        for slab, slots in taken.items():
            cache = slab.cache
            assert sorted([*slots, *slab.free]) == list(range(cache.objects))
            assert (slab in cache.partial) == (bool(slab.free) and slab is not cache.active)

    def _index(self) -> list[Cache]:
        """The cache of every size, by 8-byte words."""
        words = range(SIZES[-1] // 8 + 1)
        return [next(cache for cache in self._caches if cache.size_bytes >= 8 * count) for count in words]

    def _refill(self, cache: Cache) -> Slab | None:
        """The next slab of the CPU: the first partial one, or a new one."""
        if cache.partial:
            cache.active, _ = cache.partial.popitem(last=False)
            return cache.active
        if self._grow is not None and not self._grow(1 << cache.order):
            return None
        self._numbers += 1
        self.pages += 1 << cache.order
        cache.active = slab = Slab(cache, self._numbers)
        self._slabs.add(slab)
        return slab
