"""A zram device by itself, for tests: memory management that only keeps the meter, and a clock to run userspace by."""

from collections.abc import Callable
from typing import Any

import simpy

from tests.machines import config_of
from zsim.histogram import LatencyHistogram
from zsim.metrics import Counters
from zsim.stores.zram import Zram
from zsim.units import PAGE_SIZE


class Sizes:
    """Contents whose id is their place in a list of sizes; size 0: zeros, size 8: a word repeated."""

    def __init__(self, size_bytes: list[int], recompressed_bytes: list[int] | None = None) -> None:
        self.size_bytes = size_bytes
        self.recompressed_bytes = recompressed_bytes or []
        self.zero_filled = bytearray(size == 0 for size in size_bytes)
        self.same_filled = bytearray(size in (0, 8) for size in size_bytes)


class MeterOnly:
    """What a device asks of memory management: frames without end, unless `frames_left` says otherwise."""

    def __init__(self, pages: int) -> None:
        self.counters = Counters()
        self.latency = {"writeback": LatencyHistogram()}
        self.now_ns = self.spent_ns = 0
        self.total_pages = 1000
        self.footprint_bytes = pages * PAGE_SIZE
        self.frames_left = 1 << 30

    def may_grow(self, pages: int) -> bool:
        """Whether there are so many frames."""
        return pages <= self.frames_left

    def note_slot_written(self, slot: int) -> None:
        """Nobody asks for the order in which sectors leave."""


def device(contents: Any, pages: int = 100, **values: Any) -> Zram:
    """A device of `pages` sectors under the configuration that `zram` and `values` give."""
    return Zram(config_of(store="zram", **values), contents, MeterOnly(pages))  # type: ignore[arg-type]


def store_at(zram: Zram, now_ns: int, *contents: int, first: int = 0) -> None:
    """Write contents to sectors one after the other, all at one time."""
    zram.mm.now_ns, zram.mm.spent_ns = now_ns, 0
    for slot, content in enumerate(contents, first):
        zram.store(slot, slot, content)
        zram.mm.spent_ns = 0


def run_userspace(zram: Zram, until_ns: int, *actions: tuple[int, Callable[[], Any]]) -> None:
    """Let userspace act until a time; (time, what) happens beside."""
    env = simpy.Environment(initial_time=0)

    def work(what: Callable[[], Any], counter: str) -> simpy.Event:
        zram.mm.now_ns, zram.mm.spent_ns = int(env.now), 0
        result = what()
        return env.timeout(zram.mm.spent_ns, result)

    def act() -> Any:
        for at_ns, what in actions:
            yield env.timeout(at_ns - int(env.now))
            zram.mm.now_ns, zram.mm.spent_ns = at_ns, 0
            what()

    process = zram.process(env, work)
    assert process is not None
    env.process(process)
    env.process(act())
    env.run(until=until_ns)
    zram.validate()
