"""What userspace has a zram device do; nothing of it happens by itself (admin-guide/blockdev/zram.rst)."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import simpy

from zsim.configzram import ZramConfig
from zsim.errors import UsageError
from zsim.units import parse_ns
from zsim.writeback import Steps, Work

if TYPE_CHECKING:
    from zsim.stores.zram import Zram
    from zsim.stores.zram_sector import Sector


class Userspace:
    """A script that every `zram.interval` marks idle sectors, recompresses, writes back and compacts, in that order.

    Sectors are visited in the order of the table, one after the other, each as it is when its turn comes; idle is what
    has not been accessed for `zram.idle_age` when a sweep begins.
    """

    def __init__(self, zram: "Zram", config: ZramConfig) -> None:
        self.zram = zram
        self.config = config
        self.interval_ns = parse_ns(config.interval)
        self.idle_age_ns = parse_ns(config.idle_age)
        self.block = -1
        """The block under writeback, if any."""
        if self.interval_ns < 1:
            raise UsageError(f"zram.interval: {config.interval!r} is no time at all")
        if config.writeback != "none" and config.backing_device == "none":
            raise UsageError(f"zram.writeback: {config.writeback} needs a zram.backing_device")
        if config.recompress != "none" and config.recomp_algorithm == "none":
            raise UsageError(f"zram.recompress: {config.recompress} needs a zram.recomp_algorithm")

    def process(self, env: simpy.Environment, work: Work) -> Steps | None:
        """The script, if there is anything for it to do."""
        config = self.config
        wanted = config.recompress != "none" or config.writeback != "none" or config.compact
        return self._run(env, work) if wanted else None

    def _run(self, env: simpy.Environment, work: Work) -> Steps:
        while True:
            yield env.timeout(self.interval_ns)
            if self.config.recompress != "none":
                yield from self._recompress(env, work)
            if self.config.writeback != "none":
                yield from self._write_back(env, work)
            if self.config.compact:
                yield work(self.zram.compact, "writeback_ns")

    def _selected(self, mode: str, idle_before_ns: int) -> Iterator[tuple[int, "Sector"]]:
        """Sectors with an object that `mode` means, looked at as the sweep comes by."""
        for slot, sector in enumerate(self.zram.table):
            if sector is not None and sector.handle and _is(mode, sector, idle_before_ns):
                yield slot, sector

    def _recompress(self, env: simpy.Environment, work: Work) -> Steps:
        """recompress_store."""
        idle_before_ns = int(env.now) - self.idle_age_ns
        for slot, sector in self._selected(self.config.recompress, idle_before_ns):
            small = sector.size_bytes < self.config.recompress_threshold
            if not (small or sector.incompressible or sector.recompressed):
                yield work(partial(self.zram.recompress, slot), "writeback_ns")

    def _write_back(self, env: simpy.Environment, work: Work) -> Steps:
        """writeback_store: read, write, wait, and let go of the object unless the sector has been used meanwhile."""
        zram, backing = self.zram, self.zram.backing
        assert backing is not None
        idle_before_ns = int(env.now) - self.idle_age_ns
        for slot, sector in self._selected(self.config.writeback, idle_before_ns):
            if backing.exhausted:
                break
            if self.block < 0:
                self.block = backing.alloc()
            if self.block < 0:
                break
            accessed_ns = sector.accessed_ns
            done_ns = yield work(partial(zram.write_back, slot, self.block), "writeback_ns")
            yield env.timeout(max(done_ns - int(env.now), 0))
            if backing.device.fails:
                zram.mm.counters.write_errors += 1
                continue
            zram.count.bd_writes += 1
            if zram.table[slot] is sector and sector.accessed_ns == accessed_ns:
                zram.written_back(slot, self.block)
                self.block = -1
        if self.block >= 0:
            backing.free(self.block)
            self.block = -1


def _is(mode: str, sector: "Sector", idle_before_ns: int) -> bool:
    """Whether a sector is idle, huge, both, or known to be incompressible."""
    if mode == "incompressible":
        return sector.incompressible
    idle = sector.accessed_ns < idle_before_ns
    return (idle or "idle" not in mode) and (sector.huge or "huge" not in mode)
