"""zswap's entries by memory cgroup (6.8 on): each cgroup's in an order of its own, and whose turn it is."""

from collections.abc import Iterator, Sequence

from zsim.shrinker import Shrinker
from zsim.stores.entry_lru import EntryLru
from zsim.units import PAGE_SIZE


class Memcg:
    """What zswap knows of a cgroup (on the one node): its entries, and the pages that it read from the device."""

    def __init__(self, second_chance: bool) -> None:
        self.lru = EntryLru(second_chance)
        self.shrinker = Shrinker()
        self.stored = self.compressed_bytes = self.disk_swapins = 0

    def freeable(self) -> int:
        """zswap_shrinker_count: entries less recent swap-ins from the device, scaled by what compression saves."""
        if not self.compressed_bytes:
            return 0
        protected = min(len(self.lru), self.disk_swapins)
        self.disk_swapins -= protected
        return (len(self.lru) - protected) * (self.compressed_bytes // PAGE_SIZE) // self.stored


class Memcgs:
    """The cgroups: one for all pages, or `number_of` says which page is whose.

    They take turns in a walk round the tree that goes on where the last one stopped. `skips_empty`: a cgroup without
    entries costs nothing, and only a walk that met no entry at all is a failure (6.12); before, both were failures.
    """

    def __init__(self, number_of: Sequence[int], second_chance: bool, skips_empty: bool) -> None:
        self.number_of = number_of
        self.skips_empty = skips_empty
        self._each = [Memcg(second_chance) for _ in range(max(number_of, default=0) + 1)]
        self._next = self._attempts = 0

    def __iter__(self) -> Iterator[Memcg]:
        return iter(self._each)

    def of(self, page: int) -> Memcg:
        """The cgroup of a page."""
        return self._each[self.number_of[page]] if self.number_of else self._each[0]

    def next(self) -> Memcg | None:
        """Whose turn it is; None where a walk has ended without any, or ended at all before 6.12."""
        while True:
            if self._next == len(self._each):
                attempts = self._attempts
                self._next = self._attempts = 0
                if not attempts or not self.skips_empty:
                    return None
            memcg = self._each[self._next]
            self._next += 1
            if len(memcg.lru) or not self.skips_empty:
                self._attempts += 1
                return memcg

    def has_chance(self) -> bool:
        """Whether the oldest entry of the cgroup whose turn it is has its second chance yet."""
        return self._each[self._next % len(self._each)].lru.has_chance()

    def oldest(self) -> Memcg | None:
        """The one with the oldest entry of all; None where there is no entry."""
        return min((memcg for memcg in self._each if len(memcg.lru)), key=lambda m: m.lru.oldest_age(), default=None)
