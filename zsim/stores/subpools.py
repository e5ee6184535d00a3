"""zswap's pool as several pools of one kind (zpools[32] of 6.6 to 6.10): less contention, more half-empty pages."""

from collections.abc import Callable, Iterator
from random import Random

from zsim.allocators import EINVAL, Compactable, Evict, Extent, ObjectPool, Occupancy


class SubPools:
    """`count` allocators behind one face; an object goes to the one its entry's address hashes to, here a drawn one.

    A handle is the sub-pool's own times `count`, plus the number of the sub-pool. Nothing is evicted by the allocator:
    zswap has its own order by then.
    """

    can_reclaim = False

    def __init__(self, make: Callable[[], ObjectPool], count: int, seed: int) -> None:
        self.pools = [make() for _ in range(count)]
        self.pages = 0
        first = self.pools[0]
        self.can_compact, self.max_size = first.can_compact, first.max_size
        self.contiguous_pages = first.contiguous_pages
        self._draw = Random(seed)

    def alloc(self, size_bytes: int) -> int:
        """A handle, or the errno of the sub-pool drawn."""
        number = self._draw.randrange(len(self.pools))
        pool = self.pools[number]
        before = pool.pages
        handle = pool.alloc(size_bytes)
        self.pages += pool.pages - before
        return handle * len(self.pools) + number if handle > 0 else handle

    def free(self, handle: int) -> None:
        """Give an object back to its sub-pool."""
        handle, number = divmod(handle, len(self.pools))
        pool = self.pools[number]
        before = pool.pages
        pool.free(handle)
        self.pages += pool.pages - before

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """EINVAL: no allocator of these kernels evicts."""
        return EINVAL

    def compactable_pages(self) -> int:
        """What the shrinkers of all sub-pools would free."""
        return sum(pool.compactable_pages() for pool in self.pools if isinstance(pool, Compactable))

    def compact(self) -> int:
        """Each sub-pool by itself: objects do not move between them."""
        freed = sum(pool.compact() for pool in self.pools)
        self.pages -= freed
        return freed

    def extents(self) -> Iterator[Extent]:
        """Every live object; groups are numbered over all sub-pools."""
        for number, pool in enumerate(self.pools):
            for extent in pool.extents():
                handle, group = (value * len(self.pools) + number for value in (extent.handle, extent.group))
                yield extent._replace(handle=handle, group=group)

    def occupancy(self) -> list[Occupancy]:
        """The rows of all sub-pools, one after the other."""
        return [row for pool in self.pools for row in pool.occupancy()]

    def validate(self) -> None:
        """Every sub-pool recounts itself; together they hold the pages."""
        for pool in self.pools:
            pool.validate()
        assert self.pages == sum(pool.pages for pool in self.pools)
