"""A queued work item frees pool pages (zswap's shrink_work)."""

from collections.abc import Iterator

import simpy

from zsim.config import Config
from zsim.writeback import Passive, Pool, Steps, Work

FAILURES_MAX = 16
"""MAX_RECLAIM_RETRIES: second chances count as failures too."""


class Worker(Passive):
    """A queued work item writes back, while the store that found the pool full is refused (5.6 and later).

    One page of the pool for each time it is queued (to 6.4), or entry after entry until stores are accepted again or
    16 attempts failed (6.6 on). Queued again before it has run, it runs once (queue_work). A batch of reclaim happens
    at one instant here, while in a kernel the worker gets the processor in between: so it also has a turn within the
    batch, after every `zswap.worker_turn_stores` refused stores.
    """

    def __init__(self, config: Config, pool: Pool) -> None:
        super().__init__(config, pool)
        self.wakeup_ns = config.cost.wakeup_ns
        self.until_accepted = config.zswap.worker_until_accepted
        self.turn_stores = config.zswap.worker_turn_stores
        self._refused = self._failures = 0
        self._queued: simpy.Event | None = None

    def pool_full(self) -> bool:
        """Queue the work; the store is refused and its page goes straight to the device."""
        self._refused += 1
        if self._refused >= self.turn_stores:
            self._refused = 0
            self._turn_within()
        elif self._queued is not None and not self._queued.triggered:
            self._queued.succeed()
        return False

    def _turn_within(self) -> None:
        """Run on the processor of whoever reclaims, who goes on after it."""
        mm = self.pool.mm
        spent_ns = mm.spent_ns
        for _ in self._attempts():
            self._attempt()
        mm.counters.writeback_ns += mm.spent_ns - spent_ns

    def process(self, env: simpy.Environment, work: Work) -> Steps:
        """Wait to be queued, get the processor, write back."""
        while True:
            self._queued = env.event()
            yield self._queued
            yield env.timeout(self.wakeup_ns)
            self._refused = 0
            for _ in self._attempts():
                yield work(self._attempt, "writeback_ns")

    def _attempts(self) -> Iterator[None]:
        """Once, or until stores are accepted again or too many attempts have failed."""
        self._failures = 0
        while self._failures < FAILURES_MAX and self.pool.stored:
            yield
            if not self.until_accepted or self.pool.acceptable():
                break

    def _attempt(self) -> None:
        self._failures += not self.pool.evict()
