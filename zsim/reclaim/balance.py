"""How much of each page list one reclaim pass scans: get_scan_count() and what it remembers, in mm/vmscan.c."""

from collections.abc import Callable, Sequence, Sized
from math import isqrt

from zsim.config import ReclaimConfig
from zsim.metrics import Counters
from zsim.units import PAGE_SIZE

INACTIVE_ANON, ACTIVE_ANON, INACTIVE_FILE, ACTIVE_FILE = range(4)
ANON, FILE = 0, 1
SWAP_CLUSTER_MAX = 32
PAGES_PER_GB = (1 << 30) // PAGE_SIZE


class Pressure:
    """Who reclaims and how hard: one pass over the lists at one priority.

    `progress` counts pages freed or under writeback against `nr_to_reclaim`, over all passes; `plugged` those whose
    writes have yet to be submitted, at the latest when the pass ends. `free_pages` (as the pass begins),
    `high_wmark_pages` and `above_high` (now; every zone, by more than so many pages) matter to reclaim of the whole
    machine only.
    """

    __slots__ = (
        "above_high", "free_pages", "high_wmark_pages", "is_kswapd", "is_memcg", "now_ns", "nr_to_reclaim", "plugged",
        "priority", "progress",
    )  # fmt: skip

    def __init__(self, nr_to_reclaim: int, is_kswapd: bool = False, is_memcg: bool = False) -> None:
        self.priority = 12
        self.nr_to_reclaim = nr_to_reclaim
        self.progress = 0
        self.plugged = 0
        self.is_kswapd = is_kswapd
        self.is_memcg = is_memcg
        self.free_pages = 0
        self.high_wmark_pages = 0
        self.above_high: Callable[[int], bool] = lambda margin_pages: False
        self.now_ns = 0

    @property
    def got_enough(self) -> bool:
        """Enough has been freed or is being written, beside what waits in the plug."""
        return self.progress >= self.nr_to_reclaim

    @property
    def satisfied(self) -> bool:
        """Enough has been freed or is to be written."""
        return self.progress + self.plugged >= self.nr_to_reclaim


class ScanBalance:
    """Shares between anonymous and file lists, and whether active pages may be deactivated, pass by pass.

    By refaults and pages written as in 5.8 to 6.1, by these with pages kept at a 32nd of their weight as from 6.2 on,
    or by the share of scanned pages rotated as in 3.11.

    `known` is what reclaim goes by: how long the four lists were, and which refaults were activated, when a cgroup's
    statistics were last brought up to date (mem_cgroup_flush_stats): at the start of a pass, or when
    `stats_interval_ns` is over or they are read. Only how much is scanned goes by the lists as they are. 3.11 had no
    such statistics.
    """

    def __init__(self, config: ReclaimConfig, lists: Sequence[Sized], counters: Counters) -> None:
        self.config = config
        self.lists = lists
        self.counters = counters
        self.by_cost = config.balance != "rotated"
        self.weighed = config.balance == "weighed"
        self.may_deactivate = [True, True]
        self.force_deactivate = False
        self.skipped_deactivate = False
        self._activated_at_snapshot = [0, 0]
        self._interval_ns = config.stats_interval_ns
        self._flush_ns = config.stats_interval_ns
        self._cost = [0, 0]
        self._scanned = [0, 0]
        self._rotated = [0, 0]
        self.flush()

    def inactive_is_low(self, kind: int) -> bool:
        """Whether the active list should feed the inactive one: 1:1 below 1 GiB, then isqrt(10 GiB):1."""
        inactive, active = self._sizes()[2 * kind : 2 * kind + 2]
        gigabytes = (inactive + active) // PAGES_PER_GB
        ratio = isqrt(10 * gigabytes) if gigabytes and (self.by_cost or kind == ANON) else 1
        return inactive * ratio < active

    def flush(self) -> None:
        """Bring the statistics up to date."""
        self.known = [len(pages) for pages in self.lists]
        self._activated = [self.counters.workingset_activate_anon, self.counters.workingset_activate_file]

    def pages_beside(self, inactive: int) -> int:
        """Pages on the lists but one: the size of the working set that a page of that list has to fit into."""
        sizes = self._sizes()
        return sum(sizes) - sizes[inactive]

    def _sizes(self) -> list[int]:
        return self.known if self.by_cost else [len(pages) for pages in self.lists]

    def scan_counts(self, pressure: Pressure) -> list[int]:
        """Pages to scan of each of the four lists in this pass."""
        self._prepare(pressure.now_ns)
        shares, total = self._shares(pressure)
        counts = []
        for which, pages in enumerate(self.lists):
            scan = len(pages) >> pressure.priority
            if not scan and pressure.is_memcg and not self.by_cost:
                scan = min(len(pages), self.config.batch)
            counts.append(scan * shares[which >> 1] // total)
        return counts

    def _prepare(self, now_ns: int) -> None:
        """prepare_scan_count: deactivate where the inactive list is low or refaults were activated of late."""
        if now_ns >= self._flush_ns:
            self.flush()
            self._flush_ns = now_ns + self._interval_ns
        if self.force_deactivate:
            self.may_deactivate = [True, True]
            return
        for kind in (ANON, FILE):
            thrashing = self.by_cost and self._activated[kind] != self._activated_at_snapshot[kind]
            self.may_deactivate[kind] = thrashing or self.inactive_is_low(kind)

    def snapshot_refaults(self) -> None:
        """A whole reclaim has ended: later refaults are news."""
        self._activated_at_snapshot = self._activated

    def _shares(self, pressure: Pressure) -> tuple[tuple[int, int], int]:
        """What part of the anon and of the file lists this pass scans: (anon, file) and what they are parts of."""
        if not self.config.swappiness and pressure.is_memcg:
            return (0, 1), 1
        if not pressure.priority and self.config.swappiness:
            return (1, 1), 1
        if self._file_is_tiny(pressure):
            return (1, 0), 1
        inactive_file = self._sizes()[INACTIVE_FILE]
        plenty = inactive_file >> pressure.priority if self.by_cost else inactive_file
        if plenty and not self.may_deactivate[FILE]:
            return (0, 1), 1
        shares = self._cost_shares() if self.by_cost else self._rotated_shares()
        return shares, sum(shares)

    def _file_is_tiny(self, pressure: Pressure) -> bool:
        """Global reclaim with so little page cache that only anonymous pages can meet the high mark."""
        if pressure.is_memcg:
            return False
        file_pages = len(self.lists[INACTIVE_FILE]) + len(self.lists[ACTIVE_FILE])
        if file_pages + pressure.free_pages > pressure.high_wmark_pages:
            return False
        return not self.by_cost or (
            not self.may_deactivate[ANON] and bool(len(self.lists[INACTIVE_ANON]) >> pressure.priority)
        )

    def _cost_shares(self) -> tuple[int, int]:
        total = sum(self._cost)
        anon_cost, file_cost = total + self._cost[ANON], total + self._cost[FILE]
        total = anon_cost + file_cost
        swappiness = self.config.swappiness
        return (
            swappiness * (total + 1) // (anon_cost + 1),
            (200 - swappiness) * (total + 1) // (file_cost + 1),
        )

    def _rotated_shares(self) -> tuple[int, int]:
        for kind in (ANON, FILE):
            if self._scanned[kind] > (len(self.lists[2 * kind]) + len(self.lists[2 * kind + 1])) // 4:
                self._scanned[kind] //= 2
                self._rotated[kind] //= 2
        swappiness = self.config.swappiness
        return (
            swappiness * (self._scanned[ANON] + 1) // (self._rotated[ANON] + 1) + 1,
            (200 - swappiness) * (self._scanned[FILE] + 1) // (self._rotated[FILE] + 1) + 1,
        )

    def note_scan(self, kind: int, scanned: int, rotated: int, paged_out: int, kept: int = 0) -> None:
        """One list was scanned: `rotated` of `kept` pages as wanted, `paged_out` were written or stored."""
        if self.by_cost:
            self._note_cost(kind, paged_out, kept)
        else:
            self._scanned[kind] += scanned
            self._rotated[kind] += rotated

    def note_refault(self, kind: int) -> None:
        """A page of the working set came back."""
        self._note_cost(kind, 1)

    def _note_cost(self, kind: int, pages: int, kept: int = 0) -> None:
        self._cost[kind] += pages * SWAP_CLUSTER_MAX + kept if self.weighed else pages
        if sum(self._cost) > sum(self.known) // 4:
            self._cost = [cost // 2 for cost in self._cost]

    @staticmethod
    def trim(left: list[int], asked: list[int]) -> bool:
        """Enough was freed: drop the kind with less left to scan, the other keeps its proportion. False: all done."""
        anon, file = left[0] + left[1], left[2] + left[3]
        if not anon or not file:
            return False
        smaller, larger = (INACTIVE_ANON, INACTIVE_FILE) if file > anon else (INACTIVE_FILE, INACTIVE_ANON)
        percent = min(anon, file) * 100 // (asked[smaller] + asked[smaller + 1] + 1)
        left[smaller] = left[smaller + 1] = 0
        for which in (larger, larger + 1):
            scanned = asked[which] - left[which]
            left[which] = max(asked[which] * (100 - percent) // 100 - scanned, 0)
        return True
