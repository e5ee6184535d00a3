"""What running an allocator over a sequence gives: checkpoints, density, fragmentation, what reclaim evicted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from zsim.allocators import Allocator, Extent
from zsim.units import PAGE_SIZE

SCHEMA = 1
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


@dataclass
class Reclaim:
    """What the `r` rows did: per call the ids evicted in order and the page frames freed; calls that freed nothing.

    by: "allocator" where the allocator picks the objects, "entry-lru" where the oldest objects go until a page is free.
    times_ns: per call, how long until what it evicted is on `device`; empty where that was not asked for.
    """

    by: str
    evicted: list[tuple[int, ...]] = field(default_factory=list)
    freed_pages: list[int] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    device: str = ""
    times_ns: list[int] = field(default_factory=list)

    def needed(self) -> list[int]:
        """Evictions of each call that freed a page or more, ascending."""
        return sorted(len(ids) for ids, pages in zip(self.evicted, self.freed_pages, strict=True) if pages)

    def needed_ns(self) -> list[int]:
        """Times of the calls that freed a page or more, ascending."""
        return sorted(time_ns for time_ns, pages in zip(self.times_ns, self.freed_pages, strict=False) if pages)

    def summary(self) -> dict[str, Any]:
        """Counts and distributions, for JSON."""
        counts = [len(ids) for ids in self.evicted]
        needed, freed_pages = self.needed(), sum(self.freed_pages)
        return {
            "by": self.by,
            "calls": len(counts),
            "freed_pages": freed_pages,
            "evictions": sum(counts),
            "evictions_that_freed_nothing": sum(counts) - sum(needed),
            "evictions_per_freed_page": ratio(sum(counts), freed_pages),
            "evictions_per_call": {str(n): calls for n, calls in sorted(Counter(counts).items())},
            "freed_pages_per_call": {str(n): calls for n, calls in sorted(Counter(self.freed_pages).items())},
            "evictions_to_free_a_page": quantiles(needed),
            "time_to_free_a_page_ns": {"device": self.device, **quantiles(self.needed_ns())} if self.device else None,
            "errors": dict(sorted(self.errors.items())),
        }


@dataclass
class PackResult:
    """One allocator's run: checkpoints as columns, and what was there at the end (`to_json` is the stable form).

    extents, group_pages: where the objects of a small pool lie, and the pages of groups that have several.
    """

    allocator: str
    ops: list[int]
    pages: list[int]
    live: list[int]
    live_bytes: list[int]
    refused: int
    refused_by: dict[str, int]
    final: dict[str, Any]
    occupancy: list[dict[str, Any]]
    compactions: list[dict[str, int]]
    reclaim: Reclaim | None
    extents: list[Extent] = field(repr=False)
    group_pages: dict[int, int] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values; `compact` is the last of `compactions`, None where there was none."""
        return {
            "allocator": self.allocator,
            "ops": self.ops,
            "pages": self.pages,
            "live": self.live,
            "live_bytes": self.live_bytes,
            "refused": self.refused,
            "refused_by": self.refused_by,
            "final": self.final,
            "compact": self.compactions[-1] if self.compactions else None,
            "compactions": self.compactions,
            "reclaim": self.reclaim.summary() if self.reclaim else None,
            "occupancy": self.occupancy,
        }


def final(allocator: Allocator, live: int, live_bytes: int) -> dict[str, Any]:
    """Pages, objects, and where the bytes of the pool are; shares of the pool add up to 1.

    density: objects per page frame. external: places with no object in them, at an equal share of their pages, so
    an estimate where places differ in size (zbud, z3fold). internal: the rest: rounding, headers, ends of pages.
    """
    pool_bytes = allocator.pages * PAGE_SIZE
    rows = [row for row in allocator.occupancy() if row.capacity]
    vacant = sum(row.pages * PAGE_SIZE * (row.capacity - row.objects) / row.capacity for row in rows)
    external = min(vacant, pool_bytes - live_bytes)
    return {
        "pages": allocator.pages,
        "live": live,
        "live_bytes": live_bytes,
        "density": ratio(live, allocator.pages),
        "utilization": ratio(live_bytes, pool_bytes),
        "internal_fragmentation": ratio(pool_bytes - live_bytes - external, pool_bytes),
        "external_fragmentation": ratio(external, pool_bytes),
    }


def ratio(amount: float, of: float) -> float | None:
    """A quotient of 6 digits after the point, None over nothing."""
    return round(amount / of, 6) if of else None


def quantile(ascending: Sequence[int], q: float) -> int | None:
    """The smallest value that at least a share `q` of the values do not exceed."""
    return ascending[max(0, ceil(q * len(ascending)) - 1)] if ascending else None


def quantiles(ascending: Sequence[int]) -> dict[str, int | None]:
    """Median, p90, p99 and the maximum."""
    return {name: quantile(ascending, q) for name, q in QUANTILES.items()}
