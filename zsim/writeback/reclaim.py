"""Writeback decided where memory is reclaimed, by the age of what is stored."""

from zsim.config import Config
from zsim.writeback import Passive, Pool

FAILURES_MAX = 16


class Reclaim(Passive):
    """Memory reclaim writes back the oldest of all that is not in memory (Dickins: the decision belongs higher up).

    zsim's own. A page that reclaim evicts is younger than all that are stored, so a full pool lets it in, above its
    limit if need be, and the pass ends with writing back the oldest entries until stores are accepted as a matter of
    course. Beyond that a pass writes back, a share by priority as of the page lists, what is colder than the working
    set: more pages were paged out since it was stored than memory holds, so by refault distance it would not be
    activated if it came back. Needs `zswap.evicts = "entry"` for an order; elsewhere the allocator chooses. Once the
    device has failed a write nothing is written back: that would only put pages into memory again, without end.
    """

    def __init__(self, config: Config, pool: Pool) -> None:
        super().__init__(config, pool)
        self._was_full = False

    def pool_full(self) -> bool:
        """Let the page in; where the allocator is refused frames (2013) there is no above."""
        self._was_full = True
        return self.pool.limit.test != "allocator" and not self._device_fails()

    def shrink(self, priority: int) -> None:
        """Write back what is above the limit, and what is colder than the working set."""
        if self._device_fails():
            return
        if self._was_full:
            self._was_full = False
            self._to_the_threshold()
        pool = self.pool
        for _ in range(pool.stored >> priority):
            if not pool.oldest_is_cold(pool.mm.frames()):
                break
            pool.evict_oldest()

    def _device_fails(self) -> bool:
        return self.pool.mm.counters.write_errors > 0

    def _to_the_threshold(self) -> None:
        failures = 0
        while failures < FAILURES_MAX and self.pool.stored and not self.pool.acceptable():
            failures += not self.pool.evict_oldest()
