"""LRU inversion: pages that go to a device while pages evicted before them stay compressed."""

from bisect import bisect_left


class Inversions:
    """Pages that are out of memory and take room in the store, by the order in which they left memory.

    A page that goes to a device is held against those that stay: none of them older is as LRU would have it, all of
    them older is the newest page gone to disk. `older_share` is the sum of those shares over the `writes`.
    """

    def __init__(self) -> None:
        self.writes = 0
        self.older_share = 0.0
        self._evictions = 0
        self._number_of: dict[int, int] = {}
        self._numbers: list[int] = []

    def evicted(self, page: int) -> None:
        """A page has left memory, its contents are in the store."""
        self.gone(page)
        self._evictions += 1
        self._number_of[page] = self._evictions
        self._numbers.append(self._evictions)

    def gone(self, page: int) -> None:
        """The page is in memory again, or its contents are in the store no more."""
        number = self._number_of.pop(page, 0)
        if number:
            del self._numbers[bisect_left(self._numbers, number)]

    def written(self, page: int) -> bool:
        """A page goes to a device, from the store or past it; whether an older one stays. Tell before it is `gone`."""
        number = self._number_of.get(page, 0)
        older = bisect_left(self._numbers, number) if number else len(self._numbers)
        stay = len(self._numbers) - (number > 0)
        self.writes += 1
        self.older_share += older / stay if stay else 0.0
        return older > 0

    def pages(self) -> list[int]:
        """Those pages, the oldest first."""
        return sorted(self._number_of, key=self._number_of.__getitem__)
