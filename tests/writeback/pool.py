"""A pool without pages, to see when writeback is asked for."""

from collections.abc import Callable
from typing import Any

import simpy

from zsim.metrics import Counters


class Mm:
    """Who reclaims: a meter and the counters."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.spent_ns = 0
        self.plugged = False
        self.room = True
        self.waits: list[int] = []
        """What write_wait_ns answers, one after the other; room is made by the last of them."""

    def has_room(self) -> bool:
        """Told beforehand."""
        return self.room

    def make_room(self) -> bool:
        """Of no use where there is something to wait for."""
        self.room = self.room or not self.waits
        return self.room

    def write_wait_ns(self) -> int:
        """Until the next write ends."""
        return self.waits.pop(0) if self.waits else 0

    def frames(self) -> int:
        """Page frames that pages hold."""
        return 100


class Limit:
    """A limit of 10 pages."""

    limit_pages = 10
    test = "above"


class Pool:
    """Counts what it is asked; each eviction succeeds or not as told and takes 1,000 ns."""

    def __init__(self, succeeds: bool = True) -> None:
        self.mm = Mm()
        self.limit = Limit()
        self.pages = 20
        self.stored = 40
        self.succeeds = succeeds
        self.chances = 0
        """Evictions that only pass an entry over, before those that write."""
        self.evicted_at: list[int] = []
        self.env = simpy.Environment()

    def acceptable(self) -> bool:
        """Small enough from 9 pages on."""
        return self.pages < 9

    def next_is_written(self) -> bool:
        """Once all chances are used up."""
        return self.chances == 0

    def evict(self) -> bool:
        """A page less, where that succeeds."""
        if self.chances:
            self.chances -= 1
            return False
        self.evicted_at.append(int(self.env.now))
        self.mm.spent_ns += 1000
        self.pages -= self.succeeds
        return self.succeeds

    def evict_oldest(self) -> bool:
        """As whose turn it is, all chances used up."""
        self.chances = 0
        return self.evict()

    def flush(self) -> bool:
        """As the older store path."""
        return self.evict()

    def oldest_is_cold(self, working_set_pages: int) -> bool:
        """Never."""
        return False

    def work(self, what: Callable[[], Any], counter: str) -> simpy.Event:
        """What the engine does with a daemon's piece of work."""
        self.mm.spent_ns = 0
        result = what()
        return self.env.timeout(self.mm.spent_ns, result)

    def run(self, writeback: Any, refusals_at: list[int], until: int = 1_000_000) -> list[bool]:
        """Run a placement; a store finds the pool full at each of the times given. What the stores were told."""
        told: list[bool] = []
        steps = writeback.process(self.env, self.work)
        if steps is not None:
            self.env.process(steps)
        for at in refusals_at:
            self.env.timeout(at).callbacks.append(lambda _: told.append(writeback.pool_full()))
        self.env.run(until)
        return told
