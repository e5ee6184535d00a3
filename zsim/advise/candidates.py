"""What is worth trying on a kernel, stage by stage: each stage starts from what the one before found best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zsim.kernels import parse_kernel

COMPRESSORS = ("lz4", "zstd")
POOL_PERCENT = (10, 20, 35, 50)
FIRST_POOL_PERCENT = 20
"""zswap's own default."""
KEPT = 2
"""Settings that a stage hands on to the next."""


@dataclass(frozen=True)
class Candidate:
    """A name for people, and the configuration values that make it."""

    name: str
    settings: tuple[tuple[str, Any], ...]

    def value(self, key: str) -> Any:
        """One of its values; None where it leaves that key alone."""
        return dict(self.settings).get(key)


PLAIN = Candidate("plain swap", (("store", "none"),))


def allocators_of(era: str) -> tuple[str, ...]:
    """zswap's allocators that a kernel offers: zbud from 3.11, z3fold from 4.8, both until 6.14; zsmalloc from 3.17."""
    kernel = parse_kernel(era)
    known = {"zbud": ("3.11", "6.14"), "z3fold": ("4.8", "6.14"), "zsmalloc": ("3.17", "9.99")}
    found = [name for name, (first, last) in known.items() if parse_kernel(first) <= kernel <= parse_kernel(last)]
    return tuple(found) or ("zsmalloc",)


def zswap(allocator: str, compressor: str, percent: int, shrinker: bool = False) -> Candidate:
    """zswap with these parameters."""
    name = f"zswap, {allocator}, {compressor}, {percent} %{', shrinker' if shrinker else ''}"
    settings = {
        "store": "zswap",
        "allocator": allocator,
        "compressor": compressor,
        "zswap.max_pool_percent": percent,
        "zswap.shrinker_enabled": shrinker,
    }
    return Candidate(name, tuple(settings.items()))


def zram(compressor: str) -> Candidate:
    """zram before the swap device, as large as the footprint."""
    return Candidate(f"zram, {compressor}", (("store", "zram"), ("allocator", "zsmalloc"), ("compressor", compressor)))


def first_stage(era: str) -> list[Candidate]:
    """Nothing, and every allocator with every compressor at the default limit; zram with every compressor."""
    pools = [zswap(a, c, FIRST_POOL_PERCENT) for a in allocators_of(era) for c in COMPRESSORS]
    return [PLAIN, *pools, *map(zram, COMPRESSORS)]


def pool_stage(best: Sequence[Candidate]) -> list[Candidate]:
    """Other limits for the best pools so far."""
    pools = [candidate for candidate in best if candidate.value("store") == "zswap"]
    others = [percent for percent in POOL_PERCENT if percent != FIRST_POOL_PERCENT]
    return [zswap(p.value("allocator"), p.value("compressor"), percent) for p in pools for percent in others]


def writeback_stage(best: Sequence[Candidate], era: str) -> list[Candidate]:
    """The best pools with the shrinker, where the kernel has it."""
    if parse_kernel(era) < parse_kernel("6.8"):
        return []
    pools = [candidate for candidate in best if candidate.value("store") == "zswap"]
    return [
        zswap(p.value("allocator"), p.value("compressor"), p.value("zswap.max_pool_percent"), shrinker=True)
        for p in pools
    ]
