"""Writeback: who writes compressed pages back to the device, and when."""

from collections.abc import Callable, Generator
from typing import Any, Protocol

import simpy

from zsim.config import Config
from zsim.metrics import Counters
from zsim.registry import Registry

Steps = Generator[simpy.Event, Any, None]
"""A SimPy process: yields the events it waits for."""

Work = Callable[[Callable[[], Any], str], simpy.Event]
"""Does a piece of work in the machine now and gives the event of its end: (what, counter its time is added to)."""


class Mm(Protocol):
    """What writeback asks of memory management."""

    counters: Counters
    spent_ns: int
    plugged: bool

    def frames(self) -> int:
        """Page frames that pages hold: what the working set is measured by."""
        ...

    def has_room(self) -> bool:
        """Whether a page can be had without reclaim."""
        ...

    def make_room(self) -> bool:
        """The same, by reclaim where it must be; False where that does not help now."""
        ...

    def write_wait_ns(self) -> int:
        """How long it is until a write that is under way ends."""
        ...


class Limit(Protocol):
    """The limit of a pool."""

    @property
    def limit_pages(self) -> int:
        """Its size in page frames."""
        ...

    @property
    def test(self) -> str:
        """Where it is enforced: "above", "at", "allocator"."""
        ...


class Pool(Protocol):
    """What writeback sees of a store and does to it."""

    @property
    def mm(self) -> Mm:
        """Who reclaims around it."""
        ...

    @property
    def limit(self) -> Limit:
        """The pool's limit."""
        ...

    @property
    def pages(self) -> int:
        """Page frames of the pool."""
        ...

    @property
    def stored(self) -> int:
        """Pages stored."""
        ...

    def acceptable(self) -> bool:
        """Whether the pool is small enough for stores to be accepted again."""
        ...

    def next_is_written(self) -> bool:
        """Whether the next eviction writes something, and takes a page for it; else it only passes an entry over."""
        ...

    def evict(self) -> bool:
        """Write back one unit: a page of the allocator's choosing, or the oldest entry of whose turn it is; False where
        that failed.
        """
        ...

    def evict_oldest(self) -> bool:
        """The same, but the oldest entry of all cgroups that has had its second chance."""
        ...

    def flush(self) -> bool:
        """Write back up to 16 of the oldest entries at once; False where no buffer was free for that."""
        ...

    def oldest_is_cold(self, working_set_pages: int) -> bool:
        """Whether more pages were paged out since the oldest entry was stored than memory holds."""
        ...


class Writeback(Protocol):
    """A writeback placement: what happens when a store finds the pool full, and what runs beside it."""

    def pool_full(self) -> bool:
        """The pool is at its limit; True lets the store go on, False refuses it."""
        ...

    def stored(self) -> None:
        """A page was stored."""
        ...

    def shrink(self, priority: int) -> None:
        """A pass of memory reclaim has ended at `priority` (12 .. 0)."""
        ...

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """What runs in the background, if anything does."""
        ...


class Passive:
    """What a placement does where it has nothing of its own to do: refuse when the pool is full, run nothing."""

    def __init__(self, config: Config, pool: Pool) -> None:
        self.pool = pool

    def pool_full(self) -> bool:
        """Refuse."""
        return False

    def stored(self) -> None:
        """Nothing to do."""

    def shrink(self, priority: int) -> None:
        """Nothing to do."""

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """Nothing runs beside."""
        return None


WRITEBACK = Registry(
    "writeback policy",
    {
        "worker": "zsim.writeback.worker:Worker",
        "store-path": "zsim.writeback.store_path:StorePath",
        "daemon": "zsim.writeback.daemon:Daemon",
        "reclaim": "zsim.writeback.reclaim:Reclaim",
        "shrinker": "zsim.writeback.shrinker:ShrinkerOnly",
        "none": "zsim.writeback.none:NoWriteback",
    },
    plural="writeback",
)


def make_writeback(config: Config, pool: Pool) -> Writeback:
    """The writeback policy that `config` names."""
    writeback: Writeback = WRITEBACK.load(config.writeback)(config, pool)
    return writeback
