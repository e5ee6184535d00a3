"""A queued work item frees pool pages (zswap's shrink_work)."""

import simpy

from zsim.config import Config
from zsim.writeback import Pool, Steps, Work


class Worker:
    """A queued work item frees one page of the pool, while the store that found it full is refused (5.6 to 6.4).

    However often it is queued while it has not run, it runs once (queue_work).
    """

    def __init__(self, config: Config, pool: Pool) -> None:
        self.pool = pool
        self.wakeup_ns = config.cost.wakeup_ns
        self._queued: simpy.Event | None = None

    def pool_full(self) -> bool:
        """Queue the work; the store is refused and its page goes straight to the device."""
        if self._queued is not None and not self._queued.triggered:
            self._queued.succeed()
        return False

    def process(self, env: simpy.Environment, work: Work) -> Steps:
        """Wait to be queued, get the processor, free one page."""
        while True:
            self._queued = env.event()
            yield self._queued
            yield env.timeout(self.wakeup_ns)
            yield work(self.pool.reclaim_page, "writeback_ns")
