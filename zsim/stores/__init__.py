"""Stores: what stands between reclaim and the swap device."""

from typing import Protocol, runtime_checkable

import simpy

from zsim.config import Config
from zsim.contents import Contents
from zsim.histogram import LatencyHistogram
from zsim.registry import Registry
from zsim.writeback import Mm as WritersMm
from zsim.writeback import Steps, Work


class Mm(WritersMm, Protocol):
    """What memory management offers a store and its writeback."""

    latency: dict[str, LatencyHistogram]
    now_ns: int
    total_pages: int
    footprint_bytes: int
    owner: list[int]

    @property
    def writeback_in_flight(self) -> int:
        """Pages of a store that are being written back."""
        ...

    def may_grow(self, pages: int) -> bool:
        """Whether the pool may take so many more frames now."""
        ...

    def may_spare(self, pages: int) -> bool:
        """The same without touching what is kept in reserve (__GFP_NOMEMALLOC)."""
        ...

    def lru_pages(self) -> tuple[int, int, int, int]:
        """Pages on reclaim's lists: inactive anon, active anon, inactive file, active file."""
        ...

    def was_active(self, page: int) -> bool:
        """Whether a page has been on an active list since it got its frame."""
        ...

    def file_keys(self) -> tuple[list[int], list[int]]:
        """Per page the page-cache object it belongs to (-1: anonymous) and its index in it."""
        ...

    def note_slot_written(self, slot: int) -> None:
        """A slot's page goes to a device of the store's own."""
        ...

    def page_at(self, slot: int) -> int:
        """The page that a slot in use is of."""
        ...

    def has_frame(self, page: int) -> bool:
        """Whether a page is in memory, mapped or in the swap cache."""
        ...

    def start_writeback(self, page: int) -> bool:
        """Give a swapped-out page a frame in the swap cache, to be written; False: already cached, or no frame."""
        ...

    def write_back(self, page: int, since_ns: int) -> None:
        """Write that page, whose writeback began at `since_ns`."""
        ...


ACCEPTED, TO_DEVICE, KEEP, FAILED = range(4)
"""What becomes of a page offered to a store: it is kept here; it goes to the device; it stays in memory, wanted; it
stays in memory, dirty, for the store is a device and the write failed."""

ABSENT, LOADED, READ = range(3)
"""Where a store found a page: not here, so it is on the device; in memory; on a device of the store's own."""


class Store(Protocol):
    """Keeps pages that reclaim offers, by swap slot (Linux: frontswap operations, zswap, or a zram device).

    keeps_copy   a load leaves the copy, so that the page can be dropped again without a store; without, the page is
                 the only copy once loaded
    keeps_slot   ... and a page loaded without a copy keeps its slot, for its next store; without, the slot is free
    """

    keeps_copy: bool
    keeps_slot: bool
    stored_peak: int
    pages_peak: int
    same_filled: int
    compressed_bytes: int

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

    def store(self, slot: int, page: int, content: int) -> int:
        """Offer a page: ACCEPTED, TO_DEVICE or KEEP."""
        ...

    def load(self, slot: int) -> int:
        """Give a page back: LOADED (or True), READ; ABSENT (or False) where it is on the device."""
        ...

    def content_of(self, slot: int) -> int | None:
        """The content id stored for a slot; None where nothing is."""
        ...

    def holds(self, slot: int) -> bool:
        """Whether the slot's page takes room in the pool; same-filled pages do not. Slot -1: no page of the swap."""
        ...

    def invalidate(self, slot: int) -> None:
        """The slot is free: forget its page, if it is here."""
        ...

    def shrink(self, priority: int) -> None:
        """One pass of memory reclaim has ended at `priority` (12 .. 0): what shrinkers do then."""
        ...

    def validate(self) -> None:
        """Recount everything from scratch."""
        ...


@runtime_checkable
class SwapDevice(Protocol):
    """A store that is a swap device by itself, used before `swap.device` (zram): the first slots are its own.

    It is synchronous: its pages are swapped in without readahead and leave no copy. Its memory is nobody's cgroup's.
    """

    disksize_pages: int


@runtime_checkable
class Cleancache(Protocol):
    """A store that also keeps clean page-cache pages which reclaim dropped (Linux 3.0 to 5.16: cleancache operations).

    Pages are the trace's page numbers over all tasks; a get takes the page out (exclusive, as for private pools).
    """

    def put_page(self, page: int, content: int) -> None:
        """A clean page of a file loses its frame; it may be kept, or not."""
        ...

    def get_page(self, page: int) -> bool:
        """A page of a file is needed; True: it was here, and is not any more."""
        ...

    def invalidate_page(self, page: int) -> None:
        """What is kept of the page is void."""
        ...

    def content_of_file(self, page: int) -> int | None:
        """The content id kept of a page of a file; None where nothing is."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A store that counts what no other does."""

    def statistics(self) -> dict[str, int | float | None]:
        """Those counts and gauges, by metric name."""
        ...


STORES = Registry(
    "store",
    {
        "zswap": "zsim.stores.zswap:Zswap",
        "zcache1": "zsim.stores.zcache1:Zcache1",
        "zcache2": "zsim.stores.zcache2:Zcache2",
        "zram": "zsim.stores.zram:Zram",
        "none": "zsim.stores.none:NoStore",
    },
)


def make_store(config: Config, contents: Contents, mm: Mm) -> Store:
    """The store that `config` names."""
    store: Store = STORES.load(config.store)(config, contents, mm)
    return store
