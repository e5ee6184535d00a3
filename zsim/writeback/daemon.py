"""A thread of its own keeps the pool between two marks: the writeback daemon that was asked for in 2013."""

import simpy

from zsim.config import Config
from zsim.writeback import Passive, Pool, Steps, Work

FAILURES_MAX = 16


class Daemon(Passive):
    """A separate thread writes back from above a high mark until a low one, before stores find the pool full.

    zsim's own: no kernel has it in this form (zcache2 came near, from its shrinker). The marks are shares of the pool's
    limit, `writeback_high_percent` and `writeback_low_percent`. It takes the oldest entry after its second chance, and
    unlike the work item does not give up over chances.
    """

    def __init__(self, config: Config, pool: Pool) -> None:
        super().__init__(config, pool)
        self.wakeup_ns = config.cost.wakeup_ns
        self.high_pages = pool.limit.limit_pages * config.zswap.writeback_high_percent // 100
        self.low_pages = pool.limit.limit_pages * config.zswap.writeback_low_percent // 100
        self._wanted: simpy.Event | None = None

    def pool_full(self) -> bool:
        """The daemon was too slow: refuse, and make sure that it runs."""
        self._wake()
        return False

    def stored(self) -> None:
        """Wake the daemon above the high mark."""
        if self.pool.pages > self.high_pages:
            self._wake()

    def _wake(self) -> None:
        if self._wanted is not None and not self._wanted.triggered:
            self._wanted.succeed()

    def process(self, env: simpy.Environment, work: Work) -> Steps:
        """Sleep until the high mark, write back to the low one."""
        while True:
            self._wanted = env.event()
            yield self._wanted
            yield env.timeout(self.wakeup_ns)
            failures = 0
            while failures < FAILURES_MAX and self.pool.pages > self.low_pages and self.pool.stored:
                failures += not (yield work(self.pool.evict_oldest, "writeback_ns"))
