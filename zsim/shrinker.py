"""Shrinkers: how much a cache is asked to give back at each pass of reclaim (shrink_slab in mm/shrinker.c)."""

from collections.abc import Callable

DEFAULT_SEEKS = 2
SHRINK_BATCH = 128
STOP = -1
"""A scan that cannot go on (SHRINK_STOP)."""


class Shrinker:
    """The arithmetic of do_shrink_slab, as since 4.16: a share of what is freeable by priority, in batches.

    What was asked for and not scanned is deferred to the next call, at most twice what is freeable.
    """

    def __init__(self, seeks: int = DEFAULT_SEEKS, batch: int = SHRINK_BATCH) -> None:
        self.seeks = seeks
        self.batch = batch
        self.deferred = 0

    def run(self, priority: int, freeable: int, scan: Callable[[int], int]) -> int:
        """Ask `scan` to look at objects, a batch at a time, until it is enough; it gives what it freed, or STOP."""
        if freeable <= 0:
            return 0
        delta = (freeable >> priority) * 4 // self.seeks
        left = min((self.deferred >> priority) + delta, 2 * freeable)
        freed = scanned = 0
        while left >= self.batch or left >= freeable:
            now = min(self.batch, left)
            got = scan(now)
            if got == STOP:
                break
            freed += got
            left -= now
            scanned += now
        self.deferred = min(max(self.deferred + delta - scanned, 0), 2 * freeable)
        return freed


class OldShrinker:
    """The arithmetic of shrink_slab until 3.11: a share of the cache by the share of pages scanned, in whole batches.

    What is left of a batch waits for the next call. Shrinkers said how much they hold, not how much they freed.
    """

    def __init__(self, seeks: int = DEFAULT_SEEKS, batch: int = SHRINK_BATCH) -> None:
        self.seeks = seeks
        self.batch = batch
        self.deferred = 0

    def run(self, scanned: int, lru_pages: int, freeable: int, scan: Callable[[int], None]) -> None:
        """After `scanned` of `lru_pages` pages were scanned, have the like of `freeable` objects scanned."""
        if freeable <= 0:
            return
        delta = 4 * scanned // self.seeks * freeable // (lru_pages + 1)
        left = self.deferred + delta
        if delta < freeable // 4:
            left = min(left, freeable // 2)
        left = min(left, 2 * freeable)
        while left >= self.batch:
            scan(self.batch)
            left -= self.batch
        self.deferred = left
