"""The store itself frees a pool page first (zswap as merged)."""

import simpy

from zsim.config import Config
from zsim.writeback import Pool, Work


class StorePath:
    """The storing task frees one page of the pool before its store goes on (3.11 to 5.5): writeback in the store path.

    The reclaimer pays for it: frame allocation, decompression and the submission of the writes. The pool is not
    looked at again, as in 3.11.
    """

    def __init__(self, config: Config, pool: Pool) -> None:
        self.pool = pool

    def pool_full(self) -> bool:
        """Free one page now; the store is refused only if that failed."""
        return self.pool.reclaim_page()

    def process(self, env: simpy.Environment, work: Work) -> None:
        """Nothing runs beside."""
        return
