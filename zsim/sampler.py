"""The machine over time: what a run's `series.csv` holds."""

from collections.abc import Generator
from typing import Any

import simpy

from zsim.machine import Machine

GAUGES = (
    "resident_pages", "swapcache_pages", "pool_pages", "stored_pages", "compressed_bytes", "free_pages", "slots_used",
)  # fmt: skip
COUNTERS = (
    "pgfault", "minor_faults", "major_store", "major_device", "zswpin", "zswpout", "pswpin", "pswpout", "filein",
    "fileout", "written_back_pages", "writeback_refaults", "lru_inversions", "rejected_stores",
    "reject_pool_limit", "pgscan", "pgsteal_kswapd", "pgsteal_direct", "allocstall", "direct_reclaim_ns",
    "device_read_ns", "stall_ns",
)  # fmt: skip
COLUMNS = ("time_ns", "accesses", *GAUGES, *COUNTERS)

SAMPLES_EXPECTED = 256
SAMPLES_MAX = 1024


class Sampler:
    """Rows of COLUMNS at even intervals of simulated time; counters are totals since the start.

    The first interval gives 256 rows if nothing stalls; whenever there are more than 1024 every other one is dropped
    and the interval doubled, so that the memory it takes is bounded.
    """

    def __init__(self, machine: Machine, unlimited_ns: int) -> None:
        self.machine = machine
        self.interval_ns = max(unlimited_ns // SAMPLES_EXPECTED, 1)
        self.rows: list[tuple[int, ...]] = []

    def process(self, env: simpy.Environment) -> Generator[simpy.Event, Any, None]:
        """Sample for ever."""
        while True:
            self.sample(int(env.now))
            if len(self.rows) > SAMPLES_MAX:
                self.rows = self.rows[::2]
                self.interval_ns *= 2
            yield env.timeout(self.interval_ns)

    def sample(self, now_ns: int) -> None:
        """One row."""
        counters = self.machine.counters
        gauges = self.machine.gauges()
        self.rows.append(
            (
                now_ns,
                sum(self.machine.cursors),
                *(gauges[name] for name in GAUGES),
                *(getattr(counters, name) for name in COUNTERS),
            )
        )
