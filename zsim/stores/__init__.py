"""Stores: what stands between reclaim and the swap device."""

from typing import ClassVar, Protocol

import simpy

from zsim.config import Config
from zsim.contents import Contents
from zsim.histogram import LatencyHistogram
from zsim.metrics import Counters
from zsim.registry import Registry
from zsim.writeback import Steps, Work


class Mm(Protocol):
    """What memory management offers a store and its writeback."""

    counters: Counters
    latency: dict[str, LatencyHistogram]
    spent_ns: int
    total_pages: int

    def may_grow(self, pages: int) -> bool:
        """Whether the pool may take so many more frames now."""
        ...

    def start_writeback(self, page: int) -> bool:
        """Give a swapped-out page a frame in the swap cache and queue its write; False: already cached, or no frame."""
        ...


class Store(Protocol):
    """Keeps pages that reclaim offers, by swap slot (Linux: frontswap operations)."""

    stored_peak: int
    pages_peak: int
    same_filled: int
    compressed_bytes: int

    can_write_back: ClassVar[bool]

    @property
    def pages(self) -> int:
        """Page frames of the pool."""
        ...

    @property
    def stored(self) -> int:
        """Pages stored, same-filled ones included."""
        ...

    @property
    def metadata_bytes(self) -> int:
        """Slab memory beside the pool."""
        ...

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """What runs in the background, if anything does."""
        ...

    def store(self, slot: int, page: int, content: int) -> bool:
        """Take a page; False: refused, the page goes to the device."""
        ...

    def load(self, slot: int) -> bool:
        """Give a page back; False: not here, it is on the device."""
        ...

    def content_of(self, slot: int) -> int | None:
        """The content id stored for a slot; None where nothing is."""
        ...

    def invalidate(self, slot: int) -> None:
        """The slot is free: forget its page, if it is here."""
        ...

    def reclaim_page(self) -> bool:
        """Free one frame of the pool by writing back what is in it."""
        ...

    def validate(self) -> None:
        """Recount everything from scratch."""
        ...


STORES = Registry("store", {"zswap": "zsim.stores.zswap:Zswap", "none": "zsim.stores.none:NoStore"})


def make_store(config: Config, contents: Contents, mm: Mm) -> Store:
    """The store that `config` names."""
    store: Store = STORES.load(config.store)(config, contents, mm)
    return store
