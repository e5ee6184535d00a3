"""The slab memory of a zcache's tmem: objects and nodes in use, and what is at hand for the next put."""

from collections.abc import Callable, Sequence
from typing import Any

from zsim.stores.tmem import MAX_PATH_NODES, OBJ_BYTES, OBJNODE_BYTES, POOL_BYTES, TmemPool
from zsim.units import PAGE_SIZE, pages_for

PRELOAD_BYTES = OBJ_BYTES + MAX_PATH_NODES * OBJNODE_BYTES
"""An object and the nodes of the longest path, at hand before a put begins (one processor)."""


class TmemSlabs:
    """Slabs are kept, so that the most there ever was is what counts; `may_spare` may refuse a frame for more."""

    def __init__(self, pools: Sequence[TmemPool[Any]], may_spare: Callable[[int], bool]) -> None:
        self.pools = pools
        self.may_spare = may_spare
        self.slab_bytes = 0
        self.objects_max = self.nodes_max = 0

    @property
    def metadata_bytes(self) -> int:
        """Pools and slabs to the byte."""
        return len(self.pools) * POOL_BYTES + self.slab_bytes

    @property
    def frame_bytes(self) -> int:
        """The same in whole frames."""
        return (pages_for(len(self.pools) * POOL_BYTES) + pages_for(self.slab_bytes)) * PAGE_SIZE

    def preload(self) -> bool:
        """Have metadata at hand for the longest path; False where that takes a frame and none can be spared."""
        needed_bytes = self._used_bytes() + PRELOAD_BYTES
        more_pages = pages_for(needed_bytes) - pages_for(self.slab_bytes)
        if more_pages > 0 and not self.may_spare(more_pages):
            return False
        self.slab_bytes = max(self.slab_bytes, needed_bytes)
        return True

    def note(self) -> None:
        """A put has ended: keep the largest counts."""
        self.objects_max = max(self.objects_max, sum(pool.objects for pool in self.pools))
        self.nodes_max = max(self.nodes_max, sum(pool.nodes for pool in self.pools))

    def _used_bytes(self) -> int:
        return sum(pool.slab_bytes for pool in self.pools)

    def validate(self) -> None:
        """What was taken is enough for what is there."""
        assert self.slab_bytes >= self._used_bytes()
