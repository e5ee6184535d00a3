"""A queued work item frees pool pages (zswap's shrink_work)."""

import simpy

from zsim.config import Config
from zsim.writeback import Passive, Pool, Steps, Work

FAILURES_MAX = 16
"""MAX_RECLAIM_RETRIES: second chances count as failures too."""


class Worker(Passive):
    """A queued work item writes back, while the store that found the pool full is refused (5.6 and later).

    One page of the pool for each time it is queued (to 6.4), or entry after entry until stores are accepted again or
    16 attempts failed (6.6 on). However often it is queued before it has run, it runs once (queue_work).
    """

    def __init__(self, config: Config, pool: Pool) -> None:
        super().__init__(config, pool)
        self.wakeup_ns = config.cost.wakeup_ns
        self.until_accepted = config.zswap.worker_until_accepted
        self._queued: simpy.Event | None = None

    def pool_full(self) -> bool:
        """Queue the work; the store is refused and its page goes straight to the device."""
        if self._queued is not None and not self._queued.triggered:
            self._queued.succeed()
        return False

    def process(self, env: simpy.Environment, work: Work) -> Steps:
        """Wait to be queued, get the processor, write back."""
        while True:
            self._queued = env.event()
            yield self._queued
            yield env.timeout(self.wakeup_ns)
            failures = 0
            while failures < FAILURES_MAX and self.pool.stored:
                failures += not (yield work(self.pool.evict, "writeback_ns"))
                if not self.until_accepted or self.pool.acceptable():
                    break
