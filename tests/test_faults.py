"""Page faults, one at a time: what each costs, what it leaves mapped, and what becomes of slot and copy."""

import pytest

from tests.machines import Bench, SizesByPage, config_of, make_trace, replayed
from zsim.engine import Engine
from zsim.faults import BLOCKED
from zsim.memory import ACCESSED, DIRTY, FRAME, PG_DIRTY, PRESENT, READAHEAD, SEEN, SWAPCACHE, WRITABLE, WRITEBACK
from zsim.reclaim import FREED, KEPT

MINOR_NS = 500
MAJOR_NS = 3000
LZ4_NS = 1700
PAGE_NS = 1366
READ_NS = PAGE_NS + 80_000
"""One page from an idle NVMe drive."""
READ_ONLY = PRESENT | ACCESSED


def test_first_touch_is_minor() -> None:
    """A frame, mapped writable and dirty by nature: nothing below holds the page."""
    bench = Bench()
    assert bench.fault(0) == MINOR_NS
    assert bench.memory.pte[0] == PRESENT | WRITABLE | ACCESSED
    assert bench.memory.flags[0] == FRAME | SEEN | PG_DIRTY
    assert bench.fault(1, 1) == MINOR_NS
    assert bench.memory.pte[1] == PRESENT | WRITABLE | ACCESSED | DIRTY
    assert (bench.counters.pgfault, bench.counters.minor_faults, bench.counters.stall_ns) == (2, 2, 1000)


def test_swap_cache_hit_is_minor() -> None:
    """A page on its way to the device is still here: no read, and no slot given back while it is written."""
    bench = Bench(store="none")
    bench.touch(0)
    assert bench.evict(0) == [KEPT]
    assert bench.fault(0, 1) == MINOR_NS
    assert bench.memory.pte[0] == PRESENT | WRITABLE | ACCESSED | DIRTY
    assert bench.memory.flags[0] & (SWAPCACHE | WRITEBACK) == SWAPCACHE | WRITEBACK
    assert (bench.counters.pswpin, bench.counters.major_device) == (0, 0)


def test_read_fault_keeps_slot_and_copy() -> None:
    """6.1: a load from the store leaves its copy; the page is mapped read-only, clean, in the swap cache."""
    bench = Bench()
    bench.swap_out(0)
    assert bench.fault(0) == LZ4_NS + MAJOR_NS
    assert bench.memory.pte[0] == READ_ONLY
    assert bench.memory.flags[0] == FRAME | SEEN | SWAPCACHE
    assert (bench.machine.slots.used, bench.machine.store.stored, bench.machine.store.pages) == (1, 1, 1)
    assert (bench.counters.zswpin, bench.counters.major_store) == (1, 1)


def test_clean_page_with_a_copy_is_dropped() -> None:
    """Evicted again unwritten, it needs neither a store nor a write."""
    bench = Bench()
    bench.swap_out(0)
    bench.touch(0)
    assert bench.evict(0) == [FREED]
    assert (bench.counters.zswpout, bench.counters.pswpout) == (1, 0)
    assert bench.fault(0) == LZ4_NS + MAJOR_NS


def test_later_write_leaves_a_stale_copy() -> None:
    """6.1: a write to a page read back is a minor fault; the copy stays until the page is stored again in its place."""
    bench = Bench()
    bench.swap_out(0)
    bench.touch(0)
    assert bench.fault(0, 1) == MINOR_NS
    assert bench.memory.pte[0] == PRESENT | WRITABLE | ACCESSED | DIRTY
    assert (bench.machine.slots.used, bench.machine.store.stored) == (1, 1)
    assert bench.evict(0) == [FREED]
    assert (bench.counters.zswpout, bench.machine.store.stored, bench.machine.slots.used) == (2, 1, 1)
    bench.machine.validate()


def test_write_fault_frees_slot_and_copy() -> None:
    """A swap-in for writing leaves the page as its only copy."""
    bench = Bench()
    bench.swap_out(0)
    assert bench.fault(0, 1) == LZ4_NS + MAJOR_NS
    assert bench.memory.pte[0] == PRESENT | WRITABLE | ACCESSED | DIRTY
    assert bench.memory.flags[0] == FRAME | SEEN | PG_DIRTY
    assert (bench.machine.slots.used, bench.machine.store.stored, bench.machine.store.pages) == (0, 0, 0)


def test_older_kernels_free_the_copy_on_write() -> None:
    """Before 5.18 the write to a page that kept its slot frees slot and copy, unless the page is being written."""
    bench = Bench(era="3.11")
    bench.swap_out(0, 1)
    bench.touch(0, 1)
    assert bench.fault(0, 1) == MINOR_NS
    assert (bench.machine.slots.used, bench.machine.store.stored) == (1, 1)
    assert bench.memory.flags[0] & (SWAPCACHE | PG_DIRTY) == PG_DIRTY
    bench.memory.flags[1] |= WRITEBACK
    bench.fault(1, 1)
    assert (bench.machine.slots.used, bench.memory.flags[1] & SWAPCACHE) == (1, SWAPCACHE)


@pytest.mark.parametrize(("out", "left"), [(2, 2), (3, 2)])
def test_swap_more_than_half_full_is_freed(out: int, left: int) -> None:
    """With 4 slots: 2 used is half full and a read keeps its slot, 3 used is more and it does not (vm_swap_full)."""
    bench = Bench(swap__size="16K")
    bench.swap_out(*range(out))
    bench.touch(0)
    assert bench.machine.slots.used == left
    assert bool(bench.memory.flags[0] & SWAPCACHE) == (out == left)
    assert bool(bench.memory.pte[0] & WRITABLE) == bool(bench.memory.flags[0] & PG_DIRTY) == (out != left)


def test_device_read() -> None:
    """Without a store the task waits for the drive; the page keeps its slot, clean."""
    bench = Bench(store="none")
    bench.swap_out(0)
    assert bench.fault(0, now_ns=1_000_000) == READ_NS + MAJOR_NS
    assert bench.memory.flags[0] == FRAME | SEEN | SWAPCACHE
    assert (bench.counters.pswpin, bench.counters.major_device, bench.counters.device_read_ns) == (1, 1, READ_NS)
    assert bench.evict(0) == [FREED]
    assert bench.counters.pswpout == 1


def test_mapped_writable_from_the_device() -> None:
    """6.2 and later: a page read from the device keeps its slot and is mapped writable; a write is seen at reclaim."""
    bench = Bench(store="none", swap__map_writable=True)
    bench.swap_out(0)
    bench.fault(0)
    assert bench.memory.pte[0] == PRESENT | WRITABLE | ACCESSED
    assert bench.machine.slots.used == 1
    bench.memory.pte[0] |= DIRTY
    assert bench.evict(0) == [KEPT]


def test_exclusive_load_is_dirty() -> None:
    """6.12: a load takes the entry out, so that the page must be stored again, written or not."""
    bench = Bench(era="6.12")
    bench.swap_out(0)
    bench.touch(0)
    assert (bench.machine.store.stored, bench.machine.store.pages) == (0, 0)
    assert bench.memory.flags[0] & PG_DIRTY
    assert bench.evict(0) == [FREED]
    assert bench.counters.zswpout == 2


def test_clean_file_page_is_dropped_and_read_again() -> None:
    """A page of a file needs no slot; its first touch finds it in the page cache, later ones wait for its device."""
    bench = Bench(files=[0])
    assert bench.fault(0) == MINOR_NS
    assert bench.memory.pte[0] & WRITABLE and not bench.memory.flags[0] & PG_DIRTY
    assert bench.evict(0) == [FREED]
    assert (bench.counters.fileout, bench.machine.slots.used, bench.counters.zswpout) == (0, 0, 0)
    assert bench.fault(0, now_ns=1_000_000) == READ_NS + MAJOR_NS
    assert (bench.counters.filein, bench.counters.major_device, bench.counters.pswpin) == (1, 1, 0)


def test_dirty_file_page_was_written_by_a_flusher() -> None:
    """By the time reclaim meets it: to its own device, never to the store, and it is freed like a clean one."""
    bench = Bench(files=[0])
    bench.fault(0, 1)
    assert bench.evict(0) == [FREED]
    assert (bench.counters.fileout, bench.counters.zswpout, bench.memory.frames) == (1, 0, 0)
    assert bench.fault(0, now_ns=1_000_000) == READ_NS + MAJOR_NS


def test_a_dirty_file_page_stays_where_its_device_fails() -> None:
    """No flusher can write it: it is dirty again and keeps its frame."""
    bench = Bench(files=[0], file__device="failing")
    bench.fault(0, 1)
    assert bench.evict(0) == [KEPT]
    bench.end_writes()
    assert bench.memory.flags[0] & PG_DIRTY and bench.memory.frames == 1


def test_readahead_window_grows_with_hits() -> None:
    """page-cluster 3: one page; two for a neighbour; four after one hit: aligned blocks of the window's size."""
    bench = Bench(store="none", swap__page_cluster=3, swap__readahead="cluster")
    bench.swap_out(*range(16))
    device = bench.machine.swap_device
    for page, read in ((9, 1), (10, 2), (12, 4)):
        before = device.read_pages
        bench.fault(page)
        assert device.read_pages - before == read
        if page == 10:
            assert bench.memory.flags[11] & READAHEAD and bench.memory.pte[11] == 0
            assert bench.fault(11) == MINOR_NS
            assert not bench.memory.flags[11] & READAHEAD
    assert (bench.counters.swap_ra, bench.counters.swap_ra_hit, bench.counters.pswpin) == (1 + 3, 1, 1 + 2 + 4)
    assert device.read_requests == 3
    assert [page for page in range(16) if bench.memory.flags[page] & FRAME] == [9, 10, 11, 12, 13, 14, 15]


def test_readahead_waits_for_the_whole_request() -> None:
    """Two adjacent pages are one request: the task waits for both to come over the link."""
    bench = Bench(store="none", swap__page_cluster=3, swap__readahead="cluster")
    bench.swap_out(*range(16))
    bench.fault(9, now_ns=1_000_000)
    assert bench.fault(10, now_ns=2_000_000) == -(-2 * 4096 // 3) + 80_000 + MAJOR_NS


def test_readahead_decompresses_neighbours() -> None:
    """Neighbours in zswap cost a decompression each, and no read; with readahead the fault is still the store's."""
    bench = Bench(swap__page_cluster=3, swap__readahead="cluster")
    bench.swap_out(*range(16))
    bench.fault(9)
    assert bench.fault(10) == 2 * LZ4_NS + MAJOR_NS
    assert (bench.counters.zswpin, bench.counters.swap_ra, bench.counters.major_store) == (3, 1, 2)
    assert bench.machine.swap_device.read_requests == 0


def test_readahead_passes_over_holes_and_residents() -> None:
    """Free slots and pages that are in memory are not read."""
    bench = Bench(store="none", swap__page_cluster=3, swap__readahead="cluster")
    bench.swap_out(*range(16))
    bench.faults.unmap(14)
    bench.fault(9)
    bench.fault(10)
    bench.fault(11)
    bench.fault(12)
    assert [page for page in range(12, 16) if bench.memory.flags[page] & FRAME] == [12, 13, 15]
    assert bench.machine.swap_device.read_requests == 2 + 2


def full_of_writes(**values: object) -> Bench:
    """A cgroup of 8 pages that swaps to a drive: 8 pages in it, none on its way out yet."""
    bench = Bench(store="none", memory__mode="memcg", memory__size="32K", reclaim__batch=4, **values)
    bench.touch(*range(8))
    return bench


def test_blocked_until_a_write_ends() -> None:
    """No clean page: 4 are put under writeback and the fault is to be tried again; then it takes a frame of them."""
    bench = full_of_writes()
    assert bench.fault(8, now_ns=1000) == BLOCKED
    assert (bench.counters.pgfault, bench.counters.pswpout, bench.memory.pte[8]) == (8, 4, 0)
    done_ns = max(write.done_ns for write in bench.writes)
    assert done_ns == 1000 + -(-4 * 4096 // 3) + 20_000
    bench.end_writes()
    assert bench.fault(8, now_ns=done_ns, since_ns=1000) == MINOR_NS
    assert bench.counters.pgfault == 9
    assert bench.machine.latency["minor"].max_ns == done_ns - 1000 + MINOR_NS
    assert bench.counters.direct_reclaim_ns == done_ns - 1000
    assert bench.counters.stall_ns == 8 * MINOR_NS + done_ns - 1000 + MINOR_NS
    assert bench.memory.frames == 5
    bench.machine.validate()


def test_unmap_gives_everything_up() -> None:
    """Frame, slot and copy go; the next touch of the page is a first one."""
    bench = Bench()
    bench.swap_out(0, 1)
    bench.touch(0, 2)
    for page in (0, 1, 2):
        bench.faults.unmap(page)
    assert (bench.memory.frames, bench.machine.slots.used, bench.machine.store.stored) == (0, 0, 0)
    assert list(bench.memory.flags[:3]) == [0, 0, 0]
    assert bench.fault(1) == MINOR_NS
    bench.machine.validate()


def test_same_filled_load_costs_no_decompression() -> None:
    """A fill word is copied, not decompressed."""
    bench = Bench(contents=SizesByPage(same=[0]))
    bench.swap_out(0)
    assert bench.fault(0) == MAJOR_NS
    assert (bench.counters.zswpin, bench.counters.decompress_ns) == (1, 0)


def test_writeback_refaults_are_of_pages_written_back() -> None:
    """A page that zswap wrote back and that comes from the device again is counted; one never stored is not."""
    bench = Bench(contents=SizesByPage({1: 5000}))
    bench.swap_out(0, 1)
    bench.machine.begin(0)
    assert bench.machine.store.reclaim_page()
    bench.machine.flush_writes()
    bench.end_writes()
    assert bench.evict(0) == [FREED]
    bench.touch(0, 1)
    assert (bench.counters.pswpin, bench.counters.writeback_refaults) == (2, 1)


@pytest.mark.xfail(strict=True, reason="a page once written back is taken for it ever after")
def test_a_page_is_written_back_once() -> None:
    """Read in again and then swapped out past the store, it comes from the device for another reason."""
    bench = Bench(contents=SizesByPage(), allocator="zsmalloc", zswap__evicts="entry")
    bench.swap_out(0)
    bench.machine.begin(0)
    assert bench.machine.store.evict()
    bench.machine.flush_writes()
    bench.end_writes()
    assert bench.evict(0) == [FREED]
    bench.fault(0, 1)
    assert (bench.counters.pswpin, bench.counters.writeback_refaults) == (1, 1)
    bench.machine.contents.size_bytes[0] = 5000
    assert bench.evict(0) == [KEPT]
    bench.end_writes()
    assert bench.evict(0) == [FREED]
    bench.touch(0)
    assert (bench.counters.pswpin, bench.counters.writeback_refaults) == (2, 1)


def test_reclaim_is_over_when_the_read_begins() -> None:
    """Dropping clean pages costs nothing; the wait for the device after it is not time in direct reclaim."""
    bench = Bench(store="none", memory__mode="memcg", memory__size="32K", reclaim__batch=4)
    bench.swap_out(*range(8))
    bench.swap_out(8)
    bench.touch(*range(8))
    assert bench.counters.allocstall == 0
    assert bench.fault(8, now_ns=10**9) == READ_NS + MAJOR_NS
    assert (bench.counters.allocstall, bench.counters.pgsteal_direct) == (1, 4)
    assert (bench.machine.latency["direct_reclaim"].count, bench.counters.direct_reclaim_ns) == (1, 0)


@pytest.mark.parametrize("seed", [6, 9, 12, 18])
def test_stalls_hold_their_parts(seed: int) -> None:
    """Direct reclaim and waits for devices do not overlap, and together are no longer than the stalls they are in."""
    engine = tight(seed)
    count = engine.machine.counters
    assert not engine.vmscan._began_ns
    assert count.direct_reclaim_ns + count.device_read_ns <= count.stall_ns


def churn(seed: int, pages: int, accesses: int) -> list[tuple[int, int]]:
    """(page, write) at random, by a linear congruence of Numerical Recipes."""
    chosen = []
    for _ in range(accesses):
        seed = (seed * 1664525 + 1013904223) % (1 << 32)
        chosen.append(((seed >> 8) % pages, seed >> 30 & 1))
    return chosen


def tight(seed: int) -> Engine:
    """An audited replay with readahead in so little memory that each page read may push others out."""
    config = config_of(
        pages=8 + seed % 12, era="3.11", memory__mode=("memcg", "machine")[seed & 1], memory__min_free_kbytes=0,
        memory__total="200K", memory__entry_bytes=0, swap__page_cluster=3, reclaim__batch=(1, 4, 32)[seed % 3],
        zswap__max_pool_percent=10, check__every=1,
    )  # fmt: skip
    return replayed(make_trace([churn(seed, 20 + seed % 40, 400)]), config, check=True)


@pytest.mark.parametrize("seed", [10, 24])
def test_readahead_may_block_without_a_read(seed: int) -> None:
    """Readahead that found all neighbours in the store and took the last frame leaves nothing to read."""
    tight(seed)


@pytest.mark.parametrize("seed", [20, 32])
def test_room_for_readahead_may_bring_the_page(seed: int) -> None:
    """Making room may write back the wanted page or its neighbour, which then has a frame already."""
    tight(seed)


@pytest.mark.parametrize("seed", range(8))
def test_readahead_in_tight_memory(seed: int) -> None:
    """With the audit after every fault: what readahead brings and what it pushes out are all accounted for."""
    tight(seed)
