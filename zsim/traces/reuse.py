"""How soon pages are used again: LRU stack distances (Mattson et al., 1970), and the misses that follow from them."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

SAMPLE_ROWS = 2_000_000
SAMPLE_PAGES = 8_192
"""Of a longer sequence so many rows are looked at, but not fewer pages than these: SHARDS is good for about 1 % there,
and of a few dozen pages for nothing."""
CHUNK_ROWS = 2_000_000


@dataclass
class Reuse:
    """Stack distances of an access sequence.

    counts  counts[d]: reuses looked at with d distinct other pages, of those looked at, since the page's last use
    rate    share of the pages looked at; below 1, distances are scaled by it
    reuses, cold  reuses and first touches in the whole sequence
    """

    counts: npt.NDArray[np.int64]
    rate: float
    reuses: int
    cold: int

    def faults(self, memory_pages: int) -> int:
        """Refaults under LRU with so many pages of memory, first touches not counted."""
        beyond = int(self.counts[ceil(memory_pages * self.rate) :].sum())
        return min(round(beyond / self.rate), self.reuses)

    def percentile_pages(self, percent: float) -> int | None:
        """The distance that so many per cent of the reuses do not exceed; None without any reuse."""
        upto = np.cumsum(self.counts)
        if not len(upto) or not upto[-1]:
            return None
        # counted from the far end: whether the few hottest pages are in the sample decides how many near reuses are
        beyond = round(self.reuses * (1 - percent / 100) * self.rate)
        return int(np.searchsorted(upto, max(int(upto[-1]) - 1 - beyond, 0), side="right") / self.rate)


def reuse(pages: npt.NDArray[np.uint32]) -> Reuse:
    """Stack distances of the accesses to `pages`, exact up to SAMPLE_ROWS of them and for up to SAMPLE_PAGES pages.

    Beyond that, of a sample of the pages, chosen by a hash of their number (SHARDS; Waldspurger et al., FAST 2015).
    """
    total = len(pages)
    cold = int(np.count_nonzero(np.bincount(pages)))
    rate = min(1.0, max(SAMPLE_ROWS / total, SAMPLE_PAGES / cold))
    if rate < 1:
        chosen = (np.arange(int(pages.max()) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
        keep = chosen < np.uint64(rate * 2**32)
        pages = pages[keep[pages]]
        rate = float(keep.mean())
    return Reuse(_distance_counts(pages, cold), rate, total - cold, cold)


def _distance_counts(pages: npt.NDArray[np.uint32], most: int) -> npt.NDArray[np.int64]:
    """How many reuses have each stack distance below `most`; chunk by chunk, each after the LRU stack before it."""
    counts = np.zeros(most, np.int64)
    repeats = pages[1:] == pages[:-1]
    counts[0] = np.count_nonzero(repeats)
    pages = np.concatenate([pages[:1], pages[1:][~repeats]])
    stack = pages[:0]
    for start in range(0, len(pages), CHUNK_ROWS):
        rows = np.concatenate([stack, pages[start : start + CHUNK_ROWS]])
        distances = stack_distances(rows)[len(stack) :]
        counts += np.bincount(distances[distances >= 0], minlength=most)
        by_page, from_end = np.unique(rows[::-1], return_index=True)
        stack = by_page[np.argsort(-from_end)]
    return counts


def stack_distances(pages: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Per access the number of distinct other pages since the page's last use; -1 at its first.

    An access at i whose page was last used at p sees i - p - 1 accesses in between, less those that repeat a page
    within that time: those j < i with p < last(j). That is an inversion count over last().
    """
    order = np.argsort(pages, kind="stable")
    again = np.flatnonzero(pages[order[1:]] == pages[order[:-1]]) + 1
    last = np.full(len(pages), -1, np.int64)
    last[order[again]] = order[again - 1]
    reuses = np.flatnonzero(last >= 0)
    distances = np.full(len(pages), -1, np.int64)
    ranks = np.empty(len(reuses), np.int64)
    ranks[np.argsort(last[reuses])] = np.arange(len(reuses))
    distances[reuses] = reuses - last[reuses] - 1 - larger_before(ranks)
    return distances


def larger_before(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each element of a permutation of 0 .. n-1, how many larger ones stand before it.

    Sorted bit by bit from the top: among elements equal in the bits above, one whose bit is 0 has before it, and
    larger, just those whose bit is 1; and elements equal in those bits fill an aligned stretch of positions.
    """
    count = np.zeros(len(ranks), np.int64)
    element, rank = np.arange(len(ranks)), ranks
    for bit in range(max(len(ranks) - 1, 0).bit_length() - 1, -1, -1):
        ones = (rank >> bit) & 1
        before = np.cumsum(ones) - ones
        start = np.arange(len(ranks)) >> (bit + 1) << (bit + 1)
        before -= before[start]
        is_zero = ones == 0
        count[element[is_zero]] += before[is_zero]
        place = np.where(is_zero, np.arange(len(ranks)) - before, start + (1 << bit) + before)
        element, rank = _moved(element, place), _moved(rank, place)
    return count


def _moved(values: npt.NDArray[np.int64], place: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    moved = np.empty_like(values)
    moved[place] = values
    return moved
