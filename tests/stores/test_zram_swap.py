"""zram as a swap device of a machine: alone, before a disk, with a backing device; and both engines alike."""

from random import Random
from typing import Any

import pytest

from tests.machines import SizesByHash, config_of, left_behind, make_trace
from zsim.config import Config
from zsim.engine import Engine, ReferenceEngine
from zsim.memory import FRAME, SWAPCACHE
from zsim.stores.zram import Zram
from zsim.swap import PrioritySlots, SwapSlots
from zsim.traces.trace import Trace


def loop(pages: int, rounds: int, write: int = 1) -> Trace:
    """Pages 0 .. n-1 again and again."""
    return make_trace([[(page, write) for _ in range(rounds) for page in range(pages)]])


def churn(seed: int, accesses: int = 3000, pages: int = 90) -> Trace:
    """Two tasks that favour some of their pages, with times that leave userspace room to act."""
    random = Random(seed)

    def rows() -> list[tuple[int, int]]:
        return [(int(pages * random.random() ** 2), random.getrandbits(1)) for _ in range(accesses)]

    tasks = [rows(), rows()]
    return make_trace(tasks, [[row * 3000 for row in range(accesses)] for _ in tasks])


class FewSizes(SizesByHash):
    """Contents of five size classes, so that a small pool of zsmalloc's fills its zspages; one is same-filled."""

    def __init__(self) -> None:
        super().__init__()
        self.size_bytes = [(0, 400, 900, 1500, 2000, 4200)[content % 6] for content in range(97)]
        self.recompressed_bytes = [size // 2 if size % 1000 else size for size in self.size_bytes]
        self.same_filled = self.zero_filled = bytearray(size == 0 for size in self.size_bytes)


def played(trace: Trace, config: Config, reference: bool = False, check: bool = False) -> Engine:
    """A finished replay."""
    engine = (ReferenceEngine if reference else Engine)(trace, config, FewSizes(), check=check)
    engine.sampler.interval_ns = 1 << 60
    engine.run()
    return engine


def swapping(pages: int, **values: Any) -> Config:
    """zram on a machine of so many pages, with 4 of them in reserve."""
    return config_of(store="zram", pages=pages, reclaim__batch=4, memory__min_free_kbytes=16, **values)


def zram_of(engine: Engine) -> Zram:
    """The device of a finished replay."""
    assert isinstance(engine.machine.store, Zram)
    return engine.machine.store


def test_swapping_in_frees_the_sector() -> None:
    """A page read is the only copy: no swap cache, no slot, and it is stored again when it goes again."""
    engine = played(loop(40, 3, write=0), swapping(30), check=True)
    counters, machine = engine.machine.counters, engine.machine
    assert counters.major_store == counters.zswpin == zram_of(engine).count.notify_free > 0
    assert counters.zswpout == counters.zswpin + zram_of(engine).stored
    assert counters.pswpin == counters.pswpout == 0
    assert not any(flags & SWAPCACHE for flags in machine.memory.flags if flags & FRAME)


def test_no_readahead_from_zram() -> None:
    """vm.page-cluster is for devices that are waited for."""
    engine = played(loop(40, 3), swapping(30, swap__page_cluster=3), check=True)
    assert engine.machine.counters.zswpin > 0
    assert engine.machine.counters.swap_ra == 0


def test_readahead_behind_zram_is_aligned_to_the_disk() -> None:
    """13 slots of zram, the disk behind them: windows of the disk's own blocks, none of them zram's."""
    values = {"zram__disksize": str(13 * 4096), "swap__page_cluster": 3, "swap__device": "hdd"}
    engine = played(loop(80, 4), swapping(40, **values), check=True)
    counters = engine.machine.counters
    assert counters.swap_ra > 0 and counters.swap_ra_hit > 0
    assert counters.pswpin == counters.major_device + counters.swap_ra


def test_lru_inversion() -> None:
    """The first pages out fill zram and stay, used or not; what is evicted later goes to disk."""
    rows = [(page, 1) for page in range(60)] + [(page, 0) for _ in range(5) for page in range(30, 60)]
    values = {"zram__disksize": str(20 * 4096), "reclaim__policy": "lru"}
    engine = played(make_trace([rows]), swapping(36, **values), check=True)
    machine = engine.machine
    assert sorted(page for page in range(60) if 0 <= machine.memory.slot[page] < 20) == list(range(20))
    assert zram_of(engine).stored == 20
    assert machine.counters.major_store == 0
    assert machine.counters.major_device > 30


def test_disk_slots_keep_their_copy() -> None:
    """Pages of the disk go through the swap cache as ever: read, not written, they are dropped without a write."""
    values = {"zram__disksize": "4K", "reclaim__batch": 1}
    engine = played(loop(40, 6, write=0), config_of(store="zram", pages=30, **values), check=True)
    counters = engine.machine.counters
    assert counters.pswpin > counters.pswpout > 0


def test_nothing_behind_zram() -> None:
    """Full, it is no place to swap to: pages stay, and when nothing is left the machine is out of memory."""
    values = {"zram__disksize": "32K", "swap__size": "none", "reclaim__batch": 1}
    engine = played(loop(60, 2), config_of(store="zram", pages=30, **values), check=True)
    assert engine.outcome == "oom"
    assert engine.machine.slots.used == 8
    assert engine.machine.counters.pswpout == 0
    ample = played(loop(60, 2), config_of(store="zram", pages=60, **values), check=True)
    assert ample.outcome == "done"
    assert ample.machine.counters.zswpout > 0


def test_failed_writes_stay_in_memory() -> None:
    """mem_limit of one page: writes fail, pages keep their slot and stay dirty, nothing goes to the disk behind."""
    engine = played(loop(60, 2), swapping(56, zram__mem_limit="4K"), check=True)
    assert zram_of(engine).count.failed_writes > 0
    assert engine.machine.counters.pswpout == 0
    assert sum(slot >= 0 for slot in engine.machine.memory.slot) > zram_of(engine).stored


def test_a_cgroup_is_not_charged_for_zram() -> None:
    """Its limit is for its pages; the device's memory is the machine's."""
    engine = played(loop(60, 2), config_of(store="zram", pages=30, memory__mode="memcg"), check=True)
    assert zram_of(engine).pages > 0
    assert engine.machine.room.frames_left() == 30 - engine.machine.memory.frames


def test_backing_device_in_a_replay() -> None:
    """Idle pages leave, come back by a read of the device, and count as faults that read one."""
    values = {"zram__backing_device": "nvme", "zram__writeback": "idle", "zram__idle_age": "1ms"}
    config = swapping(100, zram__interval="2ms", **values)
    engine = played(churn(1), config, check=True)
    counters, count = engine.machine.counters, zram_of(engine).count
    assert count.bd_writes > 0 and counters.writeback_ns > 0
    assert count.bd_reads == counters.major_device == counters.writeback_refaults > 0
    assert counters.device_read_ns > 80_000 * count.bd_reads


BEHIND = [
    {"zram.backing_device": "nvme", "zram.writeback": "idle"},
    {"zram.backing_device": "hdd", "zram.writeback": "huge", "zram.backing_size": "40K"},
    {"zram.backing_device": "optane", "zram.writeback": "huge_idle", "zram.writeback_limit": 5},
    {"zram.backing_device": "failing", "zram.writeback": "idle", "zram.mem_limit": "20%"},
    {"zram.backing_device": "nvme", "zram.writeback": "incompressible", "zram.recompress": "idle"},
    {"zram.recompress": "huge_idle", "zram.compact": True, "zram.disksize": "40K"},
    {"zram.disksize": "40K", "swap.page_cluster": 3, "swap.device": "hdd"},
    {"zram.mem_limit": "5%", "swap.size": "none"},
    {"era": "3.11", "zram.compact": True},
    {"era": "6.12", "zram.disksize": "60K"},
    {"allocator": "zbud"},
    {"memory.mode": "memcg", "zram.recompress": "huge"},
]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("values", BEHIND, ids=lambda values: "-".join(map(str, values.values())))
def test_both_engines_alike_with_the_audit(values: dict[str, object], seed: int) -> None:
    """Whatever userspace does beside, every counter and page is the same, and no version is lost."""
    times = {"zram.idle_age": "500us", "zram.interval": "700us", "zram.recomp_algorithm": "zstd", "check.every": 20}
    named = {name.replace(".", "__"): value for name, value in ({"reclaim.batch": 4} | times | values).items()}
    config, trace = config_of(store="zram", pages=110, **named), churn(seed, 500)
    fast = played(trace, config, check=True)
    fast.machine.validate()
    reference = played(trace, config, reference=True)
    assert left_behind(fast) == left_behind(reference)
    assert zram_of(fast).count == zram_of(reference).count
    assert fast.machine.counters.zswpin > 0


def test_slots_by_priority() -> None:
    """The second device from the moment the first is full; the first again as soon as it has room."""
    slots = PrioritySlots(SwapSlots(3), SwapSlots(2))
    assert [slots.alloc(page) for page in range(6)] == [0, 1, 2, 3, 4, -1]
    assert (slots.used, slots.slots) == (5, 5)
    slots.free(1)
    slots.free(4)
    slots.validate()
    assert [slots.alloc(7), slots.alloc(8)] == [1, 4]
    assert slots.page_at == [0, 7, 2, 3, 8]
    slots.validate()
