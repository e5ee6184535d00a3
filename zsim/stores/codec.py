"""A store's compressor as what it costs: processor time, on the meter of whoever is acting."""

from typing import Protocol

from zsim.compressors import COMPRESSORS
from zsim.config import CostConfig
from zsim.metrics import Counters


class Meter(Protocol):
    """Who is acting, and what is counted."""

    counters: Counters
    spent_ns: int


class Codec:
    """One algorithm; `cost` says what a page takes where that is not the algorithm's own figure (-1)."""

    def __init__(self, name: str, meter: Meter, cost: CostConfig = CostConfig()) -> None:  # noqa: B008 (frozen)
        own = COMPRESSORS.load(name)
        self.meter = meter
        self.compress_ns: int = own.compress_ns if cost.compress_ns < 0 else cost.compress_ns
        self.decompress_ns: int = own.decompress_ns if cost.decompress_ns < 0 else cost.decompress_ns

    def compress(self) -> None:
        """A page is compressed, whatever comes of it."""
        self.meter.spent_ns += self.compress_ns
        self.meter.counters.compress_ns += self.compress_ns

    def decompress(self) -> None:
        """A page is decompressed."""
        self.meter.spent_ns += self.decompress_ns
        self.meter.counters.decompress_ns += self.decompress_ns
