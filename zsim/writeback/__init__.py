"""Writeback: who writes compressed pages back to the device, and when."""

from collections.abc import Callable, Generator
from typing import Any, Protocol

import simpy

from zsim.config import Config
from zsim.registry import Registry

Steps = Generator[simpy.Event, Any, None]
"""A SimPy process: yields the events it waits for."""

Work = Callable[[Callable[[], Any], str], simpy.Event]
"""Does a piece of work in the machine now and gives the event of its end: (what, counter its time is added to)."""


class Pool(Protocol):
    """What writeback does to a store."""

    def reclaim_page(self) -> bool:
        """Free one frame of the pool by writing back what is in it."""
        ...


class Writeback(Protocol):
    """A writeback placement: what a store that finds the pool full gets, and what runs beside it."""

    def pool_full(self) -> bool:
        """The pool is at its limit; True lets the store go on, False refuses it."""
        ...

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """What runs in the background, if anything does."""
        ...


WRITEBACK = Registry(
    "writeback policy",
    {
        "worker": "zsim.writeback.worker:Worker",
        "store-path": "zsim.writeback.store_path:StorePath",
        "none": "zsim.writeback.none:NoWriteback",
    },
    plural="writeback",
)


def make_writeback(config: Config, pool: Pool) -> Writeback:
    """The writeback policy that `config` names."""
    writeback: Writeback = WRITEBACK.load(config.writeback)(config, pool)
    return writeback
