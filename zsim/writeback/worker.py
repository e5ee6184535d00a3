"""A queued work item frees pool pages (zswap's shrink_work)."""

from collections.abc import Iterator

import simpy

from zsim.config import Config
from zsim.writeback import Passive, Pool, Steps, Work

FAILURES_MAX = RETRIES_MAX = 16
"""MAX_RECLAIM_RETRIES, zswap's and the page allocator's: second chances count as failures of the first, too."""


class Worker(Passive):
    """A queued work item writes back, while the store that found the pool full is refused (5.6 and later).

    One page of the pool for each time it is queued (to 6.4), or entry after entry until stores are accepted again or
    16 attempts failed (6.6 on). Queued again before it runs, it runs once; while it runs, once more (queue_work).

    Reclaim may be preempted after each page (cond_resched), and a worker that is woken preempts it: so the work begins
    after `zswap.worker_turn_stores` refused stores, in the midst of the batch. Until entries are to be written for
    which there is no room: then it goes on as an actor of its own, which reclaims for that, as whoever takes memory.
    """

    def __init__(self, config: Config, pool: Pool) -> None:
        super().__init__(config, pool)
        self.wakeup_ns = config.cost.wakeup_ns
        self.until_accepted = config.zswap.worker_until_accepted
        self.turn_stores = config.zswap.worker_turn_stores
        self._refused = self._failures = 0
        self._queued = self._running = False
        self._wake: simpy.Event | None = None

    def pool_full(self) -> bool:
        """Queue the work; the store is refused and its page goes straight to the device."""
        self._queued = True
        self._refused += 1
        if self._refused >= self.turn_stores and not self._running:
            self._refused = 0
            self._turn_within()
        if self._queued and self._wake is not None and not self._wake.triggered:
            self._wake.succeed()
        return False

    def _turn_within(self) -> None:
        """Run on the processor of whoever reclaims, who goes on after it."""
        mm = self.pool.mm
        spent_ns, plugged, mm.plugged = mm.spent_ns, mm.plugged, False
        self._queued, self._running = False, True
        for _ in self._attempts():
            if self.until_accepted and self.pool.next_is_written() and not mm.has_room():
                self._queued = True
                break
            self._attempt()
        self._running, mm.plugged = False, plugged
        mm.counters.writeback_ns += mm.spent_ns - spent_ns

    def process(self, env: simpy.Environment, work: Work) -> Steps:
        """Wait to be queued, get the processor, write back."""
        while True:
            if not self._queued:
                self._wake = env.event()
                yield self._wake
            yield env.timeout(self.wakeup_ns)
            if not self._queued:
                continue
            self._refused, self._queued, self._running = 0, False, True
            for _ in self._attempts():
                for _ in range(RETRIES_MAX):
                    if (yield work(self._attempt_with_room, "writeback_ns")):
                        break
                    yield env.timeout(self.pool.mm.write_wait_ns() or self.wakeup_ns)
                else:
                    self._failures += 1
            self._running = False

    def _attempts(self) -> Iterator[None]:
        """Once, or until stores are accepted again or too many attempts have failed."""
        self._failures = 0
        while self._failures < FAILURES_MAX and self.pool.stored:
            yield
            if not self.until_accepted or self.pool.acceptable():
                break

    def _attempt_with_room(self) -> bool:
        """An attempt; False where there is no room for it before a write ends."""
        ready = not self.pool.next_is_written() or self.pool.mm.make_room()
        if ready:
            self._attempt()
        return ready

    def _attempt(self) -> None:
        self._failures += not self.pool.evict()
