"""Reclaim: what becomes of each page, who makes room, and when memory is out."""

import pytest

from tests.machines import Bench, SizesByPage, config_of, make_trace, replayed
from zsim.engine import Engine
from zsim.faults import BLOCKED
from zsim.machine import OutOfMemoryError
from zsim.memory import ACCESSED, DIRTY, FRAME, PG_DIRTY, PRESENT, RECLAIM, SEEN, SWAPCACHE, WRITEBACK
from zsim.reclaim import ACTIVATED, FREED, KEPT

COMPRESS_NS = 5000


def test_reclaim_knows_of_the_marks() -> None:
    """kswapd is told how far every zone is above its high mark, by the room it is in."""
    bench = Bench()
    pressure = bench.vmscan._pressure(is_kswapd=True)
    assert pressure.high_wmark_pages == bench.machine.room.marks.high
    assert pressure.above_high == bench.machine.room.above_high


# One page.


def test_clean_page_is_dropped() -> None:
    """No write, no store, no slot more: only its frame goes."""
    bench = Bench()
    bench.swap_out(0)
    bench.touch(0)
    before = (bench.counters.zswpout, bench.counters.pswpout, bench.machine.versions[0])
    assert bench.evict(0) == [FREED]
    assert (bench.counters.zswpout, bench.counters.pswpout, bench.machine.versions[0]) == before
    assert (bench.memory.flags[0], bench.memory.pte[0], bench.memory.frames) == (SEEN, 0, 0)


def test_stored_page_is_free_at_once() -> None:
    """Accepted by the store: its frame is free in the same pass, its contents are in the pool, its slot is kept."""
    bench = Bench()
    bench.fault(0, 1)
    assert bench.evict(0) == [FREED]
    assert (bench.memory.frames, bench.machine.store.pages, bench.memory.slot[0]) == (0, 1, 0)
    assert (bench.counters.zswpout, bench.counters.pageout, bench.counters.pswpout) == (1, 1, 0)
    assert bench.machine.latency["store"].max_ns == COMPRESS_NS


def test_refused_page_is_free_only_after_its_write() -> None:
    """Refused by the store: unmapped and under writeback, in memory until a later pass than the write's end."""
    bench = Bench(contents=SizesByPage({0: 4097}))
    bench.fault(0, 1)
    assert bench.evict(0) == [KEPT]
    assert bench.memory.pte[0] == 0
    assert bench.memory.flags[0] & (FRAME | SWAPCACHE | WRITEBACK | RECLAIM | PG_DIRTY) == (
        FRAME | SWAPCACHE | WRITEBACK | RECLAIM
    )
    assert bench.evict(0) == [ACTIVATED]
    bench.end_writes()
    assert bench.memory.frames == 1
    assert bench.evict(0) == [FREED]
    assert (bench.memory.frames, bench.counters.pswpout, bench.counters.pageout) == (0, 1, 1)


def test_page_under_writeback_is_marked() -> None:
    """Reclaim that meets a page being written back for zswap wants it next, also where zswap did not say so."""
    bench = Bench(era="3.11")
    bench.swap_out(0)
    bench.machine.begin(0)
    bench.machine.start_writeback(0)
    bench.machine.write_back(0, 0)
    assert not bench.memory.flags[0] & RECLAIM
    assert bench.evict(0) == [ACTIVATED]
    assert bench.memory.flags[0] & RECLAIM


def test_without_a_slot_a_page_stays() -> None:
    """Swap is full: the page stays mapped and counts as wanted."""
    bench = Bench(swap__size="8K")
    bench.swap_out(0, 1)
    bench.touch(2)
    assert bench.evict(2) == [ACTIVATED]
    assert bench.memory.pte[2] & PRESENT and bench.memory.slot[2] == -1


def test_without_writeback_a_refused_page_stays() -> None:
    """memory.zswap.writeback=0: nothing is written; the page waits unmapped in the swap cache and comes back minor."""
    bench = Bench(writeback="none", contents=SizesByPage({0: 4097}))
    bench.fault(0, 1)
    assert bench.evict(0) == [ACTIVATED]
    assert bench.memory.flags[0] & (FRAME | SWAPCACHE | PG_DIRTY | WRITEBACK) == FRAME | SWAPCACHE | PG_DIRTY
    assert (bench.counters.pswpout, bench.counters.pageout, bench.machine.writes.pages) == (0, 0, 0)
    assert bench.fault(0) == 500


def test_dirty_bit_of_the_mapping_counts() -> None:
    """A page mapped writable from its copy and written since is stored again, although its own flag is clean."""
    bench = Bench(swap__map_writable=True)
    bench.swap_out(0)
    bench.touch(0)
    bench.memory.pte[0] |= DIRTY
    assert bench.evict(0) == [FREED]
    assert bench.counters.zswpout == 2


def test_contents_change_by_writes_alone() -> None:
    """A page that is refused and offered again unwritten holds what it held."""
    bench = Bench(writeback="none", contents=SizesByPage({0: 4097}))
    bench.fault(0, 1)
    bench.evict(0)
    held = bench.machine.versions[0]
    bench.evict(0)
    assert bench.machine.versions[0] == held


# Making room.


def test_direct_reclaim_frees_a_batch() -> None:
    """At a cgroup's limit of 40 pages the task stores 32 of the oldest and pays for each; then its page fits."""
    bench = Bench(pages=60, memory__mode="memcg", memory__size="160K")
    bench.touch(*range(40))
    assert bench.machine.room.frames_left() == 0
    assert bench.fault(40) == 32 * COMPRESS_NS + 500
    assert [page for page in range(60) if bench.memory.flags[page] & FRAME] == list(range(32, 41))
    assert (bench.counters.allocstall, bench.counters.pgsteal_direct) == (1, 32)
    assert bench.counters.direct_reclaim_ns == bench.machine.latency["direct_reclaim"].max_ns == 32 * COMPRESS_NS
    assert bench.counters.stall_ns == 41 * 500 + 32 * COMPRESS_NS
    assert bench.machine.room.charged_bytes() == 9 * 4096 + 32 * 1000


def test_marks_of_a_machine() -> None:
    """Of 100 pages 32, 40 and 48 are the marks: kswapd is woken at 40 free pages, a task reclaims itself at 32."""
    bench = Bench(pages=100, memory__size="400K")
    woken = []
    bench.machine.wake_kswapd = lambda: woken.append(bench.machine.room.frames_left())
    bench.touch(*range(60))
    assert woken == []
    bench.touch(*range(60, 68))
    assert woken == [40, 39, 38, 37, 36, 35, 34, 33]
    assert bench.counters.allocstall == 0
    bench.touch(68)
    assert bench.counters.allocstall == 1


def test_kswapd_frees_to_above_the_high_mark() -> None:
    """One pass wants as many pages as the high mark: 48 pages of 1,900 bytes stored take 24 frames of zbud."""
    sizes = SizesByPage(dict.fromkeys(range(100), 1900))
    bench = Bench(pages=100, contents=sizes, memory__size="400K", zswap__max_pool_percent=50)
    bench.touch(*range(60))
    bench.machine.begin(0)
    assert not bench.vmscan.balanced()
    ((progress, scanned, priority),) = bench.vmscan.kswapd_pass(12)
    assert (progress, scanned, priority) == (48, 48, 12)
    assert bench.machine.room.frames_left() == 40 + 48 - 24
    assert bench.vmscan.balanced()
    assert bench.counters.pgsteal_kswapd == 48


def test_balanced_is_above_the_high_mark() -> None:
    """49 free pages are enough for kswapd to sleep, 48 are not."""
    bench = Bench(pages=100, memory__size="400K")
    bench.touch(*range(51))
    assert bench.vmscan.balanced()
    bench.touch(51)
    assert not bench.vmscan.balanced()


@pytest.mark.parametrize(("device", "page_ns", "written"), [("hdd", 0, 33), ("hdd", 1000, 73), ("nvme", 100_000, 37)])
def test_only_what_is_free_is_progress_where_time_passes(device: str, page_ns: int, written: int) -> None:
    """32 pages to a request: timeless reclaim has enough with the first, other goes on until it has ended.

    73 is all there is: of 256 accessed pages so many have been looked at when priority 0 comes to them again.
    """
    values = {"memory__mode": "memcg", "reclaim__batch": 4, "swap__request_pages": 32, "swap__device": device}
    config = config_of(era="6.1", store="none", pages=256, cost__reclaim_page_ns=page_ns, **values)
    trace = make_trace([[(page, 1) for page in range(257)]])
    assert replayed(trace, config).machine.counters.pswpout == written


def test_kswapd_rests_while_enough_is_written() -> None:
    """48 pages under writeback will bring 40 free pages above the mark of 48; once written they must be freed first."""
    bench = Bench(pages=100, memory__size="400K", store="none")
    bench.touch(*range(60))
    bench.machine.begin(0)
    assert not bench.vmscan.kswapd_may_rest()
    list(bench.vmscan.kswapd_pass(12))
    assert bench.vmscan.kswapd_may_rest() and not bench.vmscan.balanced()
    bench.end_writes()
    assert not bench.vmscan.kswapd_may_rest()
    list(bench.vmscan.kswapd_pass(12))
    assert bench.vmscan.balanced()


def test_out_of_memory() -> None:
    """8 pages, one slot: when nothing can leave any more there is no room for a ninth."""
    bench = Bench(memory__mode="memcg", memory__size="32K", swap__size="4K", contents=SizesByPage({0: 4097}))
    bench.touch(*range(8))
    assert bench.fault(8) == BLOCKED
    bench.end_writes()
    assert bench.fault(8) == 500
    with pytest.raises(OutOfMemoryError):
        bench.fault(9)


def test_failing_device_is_out_of_memory() -> None:
    """Plain swap on a device that fails every write frees nothing: the end comes after 16 attempts, not never."""
    engine = replayed(make_trace([[(page, 1) for page in range(20)]]), config_of(
        pages=8, memory__mode="memcg", store="none", swap__device="failing"
    ))  # fmt: skip
    assert engine.outcome == "oom"
    assert engine.machine.counters.allocstall == 1 + 16


def test_failing_device_with_room_in_the_store() -> None:
    """zswap with slots and nothing behind them works as long as everything fits the pool."""
    engine = replayed(make_trace([[(page % 60, 1) for page in range(600)]]), config_of(
        pages=120, swap__device="failing", zswap__max_pool_percent=50, memory__entry_bytes=0
    ))  # fmt: skip
    assert engine.outcome == "done"


def test_swap_smaller_than_needed_is_out_of_memory() -> None:
    """Footprint 60, memory 20, swap 10 pages: no loop without end, but OOM with all books in order."""
    config = config_of(pages=20, memory__mode="memcg", store="none", swap__size="40K", check__every=1)
    engine = replayed(make_trace([[(page % 60, 1) for page in range(300)]]), config, check=True)
    assert engine.outcome == "oom"
    assert engine.machine.slots.used == 10


@pytest.mark.parametrize("device", ["hdd", "nvme"])
@pytest.mark.parametrize("store", ["zswap", "none"])
def test_tiny_memory_ends(device: str, store: str) -> None:
    """8 pages for 100, where all of them are often under writeback: slow, but every access is replayed."""
    trace = make_trace([[(page * 7 % 100, page & 1) for page in range(500)]])
    values = {"memory__mode": "memcg", "zswap__max_pool_percent": 1}
    engine = replayed(trace, config_of(pages=8, store=store, swap__device=device, **values))
    assert (engine.outcome, engine.machine.cursors) == ("done", [500])


def many_tasks(tasks: int, pages: int) -> Engine:
    """Tasks of 12 pages each, all writing, over memory that holds only part of them."""
    trace = make_trace([[(page % 12, 1) for page in range(60)] for _ in range(tasks)])
    return replayed(trace, config_of(pages=pages, store="none", memory__mode="memcg"))


def test_waiting_is_not_out_of_memory() -> None:
    """60 tasks wait for a drive that works: while writes end, memory is not out."""
    assert many_tasks(60, 160).outcome == "done"


def test_no_stall_is_charged_twice() -> None:
    """Time in direct reclaim is part of the time that tasks were stalled."""
    accesses = [(page, 0) for page in (0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1)]
    values = {"era": "3.11", "memory__mode": "memcg", "reclaim__batch": 1, "writeback": "worker"}
    engine = replayed(make_trace([[(0, 0)], accesses]), config_of(
        pages=8, zswap__max_pool_percent=10, cost__wakeup_ns=0, memory__entry_bytes=0, **values
    ))  # fmt: skip
    assert not engine.vmscan._began_ns
    assert engine.machine.counters.direct_reclaim_ns <= engine.machine.counters.stall_ns


def test_kswapd_comes_back_after_direct_reclaim() -> None:
    """kswapd that failed 16 times is woken again once a task's own reclaim has freed something (11.1)."""
    engine = Engine(make_trace([[(page, 1) for page in range(130)]]), config_of(
        pages=100, memory__entry_bytes=0, zswap__max_pool_percent=50
    ), SizesByPage())  # fmt: skip
    engine.machine.kswapd_failures = 16
    engine.run()
    assert engine.machine.counters.pgsteal_direct > 0
    assert engine.machine.kswapd_failures == 0


def test_writes_in_the_plug_are_not_free_pages() -> None:
    """Linux 6.1 before a virtio disk wrote 286 pages in the first reclaim of every recorded run, and freed 32.

    One request of 254 pages is full; the next page has it submitted, it is written at once, and the batch after that
    frees 32 of its pages.
    """
    disk = {"device__write_ns": 0, "device__bandwidth_bytes_per_s": 10**15, "swap__request_pages": 254}
    memory = {"memory__mode": "memcg", "memory__size": "1600K", "reclaim__policy": "two-list"}
    bench = Bench(pages=400, store="none", **memory, **disk)
    for page in range(400):
        bench.fault(page, 1)
        bench.memory.pte[page] &= ~ACCESSED
    bench.machine.begin(0)
    pressure = bench.vmscan._pressure(is_kswapd=False)
    pressure.priority = 0
    freed = bench.vmscan._pass(pressure, 0)
    assert (bench.counters.pswpout, freed) == (256, 32)
