"""Compaction of a pool under memory pressure: the shrinker that zsmalloc registers (zs_register_shrinker)."""

from zsim.allocators import Compactable, ObjectPool
from zsim.shrinker import STOP, Shrinker


class Compaction:
    """zsmalloc's shrinker since 4.3; its processor time is not counted, for want of a figure.

    Asked in reclaim of the whole machine only: it knows nothing of cgroups, and those do not call such shrinkers.
    """

    def __init__(self, allocator: ObjectPool) -> None:
        self.allocator = allocator
        self.shrinker = Shrinker()
        self.asked = isinstance(allocator, Compactable)

    def shrink(self, priority: int) -> None:
        """A pass of reclaim has ended."""
        if not self.asked or max(self.allocator.pages, self.shrinker.deferred) >> priority == 0:
            return
        assert isinstance(self.allocator, Compactable)
        self.shrinker.run(priority, self.allocator.compactable_pages(), lambda pages: self.allocator.compact() or STOP)
