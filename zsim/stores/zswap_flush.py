"""The flush of zswap as debated: up to 16 of the oldest entries, by a store that found no room (2013)."""

from collections.abc import Callable

from zsim.configzswap import ZswapConfig
from zsim.stores import Mm
from zsim.stores.entry_lru import EMPTY


class Flush:
    """A temporary buffer holds the compressed page of each store that flushes; a store that finds none is refused.

    What is flushed has no relation to which zspage it lies in, so a flush may free no frame at all.
    """

    def __init__(self, config: ZswapConfig, mm: Mm) -> None:
        self.config = config
        self.mm = mm
        self._taken_until_ns: list[int] = []

    def run(self, evict: Callable[[], int]) -> bool:
        """Have `evict` write back the oldest entries, one by one; True: try again to find room."""
        counters = self.mm.counters
        counters.reject_flush_attempted += 1
        if not self._has_buffer():
            counters.reject_tmppage_fail += 1
            return False
        for _ in range(self.config.flush_entries):
            if self.mm.writeback_in_flight > self.config.outstanding_max:
                counters.flush_stopped += 1
                break
            if evict() == EMPTY:
                break
        self._taken_until_ns.append(self.mm.now_ns + self.mm.spent_ns)
        return True

    def _has_buffer(self) -> bool:
        """Whether a buffer is free by now: those of stores that are still flushing are not."""
        now_ns = self.mm.now_ns + self.mm.spent_ns
        self._taken_until_ns = [until for until in self._taken_until_ns if until > now_ns]
        return len(self._taken_until_ns) < self.config.temp_buffers
