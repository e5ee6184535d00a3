"""Writeback decided where memory is reclaimed, by the age of what is stored."""

from zsim.writeback import Passive


class Reclaim(Passive):
    """Memory reclaim writes back stored pages colder than its working set (Dickins: the decision belongs higher up).

    zsim's own: at each pass the oldest entries, a share by priority as of the page lists, are written back as long as
    more pages were paged out since they were stored than memory holds. By refault distance such a page would not be
    activated if it came back. Needs `zswap.evicts = "entry"` for an order; elsewhere the allocator chooses.
    """

    def shrink(self, priority: int) -> None:
        """Write back what is colder than the working set."""
        pool = self.pool
        for _ in range(pool.stored >> priority):
            if not pool.oldest_is_cold(pool.mm.frames()):
                break
            pool.evict_oldest()
