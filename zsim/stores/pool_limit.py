"""The limit of a zswap pool and its hysteresis, in the forms that differ by a page."""

from zsim.configzswap import ZswapConfig
from zsim.errors import UsageError

OPEN, FULL, WAITING = range(3)
"""A store may go on; it is refused and writeback is told; it is refused until the pool has shrunk by itself."""


class PoolLimit:
    """`limit_pages` of `total_pages` of RAM; with truncating divisions in the kernel's order.

    "above" (5.6 to 6.9): full when the pool is larger than the limit, open again when smaller than the threshold;
    in between stores are refused and, until 6.4, nobody is told. "at" (6.10 on): full at the limit, open again at the
    threshold. From 6.6 on every refusal tells writeback. "allocator" (2013): the allocator is refused frames, stores
    are not looked at.
    """

    def __init__(self, config: ZswapConfig, total_pages: int) -> None:
        percent, accept = config.max_pool_percent, config.accept_threshold_percent
        if percent > 100:
            raise UsageError(f"zswap.max_pool_percent: {percent} is more than all of the RAM")
        self.test = config.limit_test
        self.hysteresis = accept > 0
        self.waiting = FULL if self.test == "at" or config.worker_until_accepted else WAITING
        self.limit_pages = total_pages * percent // 100
        self.accept_pages = self.limit_pages * accept // 100
        if self.test == "above":
            self.accept_pages = total_pages * accept // 100 * percent // 100
        self.reached_full = False
        self.hits = 0

    def is_full(self, pages: int) -> bool:
        """Whether a pool of so many pages is at its limit."""
        return pages > self.limit_pages if self.test == "above" else pages >= self.limit_pages

    def acceptable(self, pages: int) -> bool:
        """Whether the pool has shrunk enough after it was full."""
        if not self.hysteresis:
            return not self.is_full(pages)
        return pages < self.accept_pages if self.test == "above" else pages <= self.accept_pages

    def look(self, pages: int) -> int:
        """A store is offered while the pool has so many pages: OPEN, FULL or WAITING."""
        if self.test == "allocator":
            return OPEN
        if self.is_full(pages):
            self.hits += 1
            self.reached_full = self.hysteresis
            return FULL
        if not self.reached_full:
            return OPEN
        if self.acceptable(pages):
            self.reached_full = False
            return OPEN
        return self.waiting
