"""The store itself frees a pool page first (zswap as debated, and as merged)."""

from zsim.config import Config
from zsim.writeback import Passive, Pool


class StorePath(Passive):
    """The storing task writes back before its store goes on (2013 to 5.5): writeback in the store path.

    The reclaimer pays for it: frame allocation, decompression and the submission of the writes. One page of the
    allocator's choosing, and the pool is not looked at again (3.11); or 16 of the oldest entries (2013).
    """

    def __init__(self, config: Config, pool: Pool) -> None:
        super().__init__(config, pool)
        self.by_entry = config.zswap.evicts == "entry"

    def pool_full(self) -> bool:
        """Write back now; the store is refused only if that failed or was not enough."""
        if not self.by_entry:
            return self.pool.evict()
        return self.pool.flush() and (self.pool.limit.test == "allocator" or self.pool.acceptable())
