"""The machine: frames, plugged writes and what their end means, slots; and that its own audit notices damage."""

from typing import Any

import pytest

from tests.machines import Bench, SizesByPage
from zsim.memory import FRAME, PG_DIRTY, RECLAIM, SWAPCACHE, WRITEBACK
from zsim.reclaim import FREED

PAGE_NS = 1366
"""4096 bytes over the 3 GB/s link of an NVMe drive, rounded up."""
WRITE_NS = 20_000


def test_frames_are_counted() -> None:
    """Each first touch takes one frame of the RAM's 200, an eviction into the store gives it back less the pool's."""
    bench = Bench()
    bench.touch(0, 1, 2)
    assert (bench.memory.frames, bench.machine.room.frames_left()) == (3, 197)
    assert bench.evict(0) == [FREED]
    assert (bench.memory.frames, bench.machine.store.pages, bench.machine.room.frames_left()) == (2, 1, 197)


def test_pool_grows_to_the_last_frame() -> None:
    """A store may use the reserves; past the last frame it may not grow."""
    bench = Bench(pages=30)
    bench.memory.frames += 199
    assert bench.machine.may_grow(1) and not bench.machine.may_grow(2)
    bench.memory.frames += 1
    assert not bench.machine.may_grow(1)


def test_lists_of_a_policy_without_active_ones() -> None:
    """Pages with a frame, anonymous and of files, all inactive; and each counts as once active."""
    bench = Bench(files=[1, 3, 5])
    bench.touch(0, 1, 2, 3)
    assert bench.machine.lru_pages() == (2, 0, 2, 0)
    assert bench.machine.was_active(1)


def test_keys_of_file_pages() -> None:
    """Runs of file pages are objects, with indexes from their first page on."""
    objects, indexes = Bench(pages=6, files=[1, 2, 5]).machine.file_keys()
    assert (objects, indexes) == ([-1, 0, 0, -1, -1, 1], [0, 0, 1, 0, 0, 0])


def test_plugged_writes_merge() -> None:
    """Pages of one batch go out in the order of their slots, neighbours as one request."""
    bench = Bench(store="none")
    bench.touch(0, 1, 2, 3, 4)
    bench.evict(0, 1, 2, 3, 4)
    bench.end_writes()
    for page in (4, 1, 0, 3):
        bench.machine.queue_write(page)
    bench.machine.flush_writes()
    assert [write.pages for write in bench.writes] == [[0, 1], [3, 4]]
    assert bench.machine.swap_device.write_requests == 1 + 2
    assert bench.counters.pswpout == 5 + 4


def test_a_request_is_bounded() -> None:
    """300 adjacent pages are a request of 1 MiB and one for the rest, the second behind the first on the link."""
    bench = Bench(pages=300, store="none", memory__size="2M")
    bench.touch(*range(300))
    bench.evict(*range(300))
    assert [len(write.pages) for write in bench.writes] == [256, 44]
    first_ns = -(-256 * 4096 // 3)
    second_ns = first_ns + -(-44 * 4096 // 3)
    assert [write.done_ns for write in bench.writes] == [first_ns + WRITE_NS, second_ns + WRITE_NS]


def test_each_device_gets_its_own() -> None:
    """An anonymous page goes to swap, a dirty page of a file to the file's device; they never merge."""
    bench = Bench(files=[1], store="none")
    bench.fault(0, 1)
    bench.fault(1, 1)
    bench.evict(0, 1)
    bench.vmscan._let_write()
    assert [write.pages for write in bench.writes] == [[0]]
    assert (bench.machine.swap_device.written_pages, bench.machine.file_device.written_pages) == (1, 1)
    assert (bench.counters.pswpout, bench.counters.fileout) == (1, 1)


def test_writes_go_out_at_the_end_of_the_work() -> None:
    """An actor that began at 1,000 ns and has worked 5,000 ns submits at 6,000."""
    bench = Bench(store="none")
    bench.touch(0)
    bench.machine.begin(1000)
    bench.machine.policy.remove(0)
    bench.vmscan.pageout(0)
    bench.machine.spent_ns = 5000
    bench.machine.policy.insert(0, False)
    bench.machine.flush_writes()
    assert [write.done_ns for write in bench.writes] == [6000 + PAGE_NS + WRITE_NS]


def test_a_page_written_is_reclaimed_next() -> None:
    """The end of a write clears its flags and moves the clean page to the front of those to leave."""
    bench = Bench(store="none")
    bench.touch(0, 1, 2)
    bench.evict(1)
    assert bench.memory.flags[1] & (WRITEBACK | RECLAIM) == WRITEBACK | RECLAIM
    assert bench.machine.writes.pages == 1
    bench.end_writes()
    assert not bench.memory.flags[1] & (WRITEBACK | RECLAIM | PG_DIRTY)
    assert bench.machine.writes.pages == 0
    assert list(bench.machine.policy.queue) == [1, 0, 2]
    assert bench.counters.pgrotated == 1


def test_a_page_dirtied_meanwhile_is_not() -> None:
    """What is dirty again when its write ends keeps its place."""
    bench = Bench(store="none")
    bench.touch(0, 1)
    bench.evict(1)
    bench.memory.flags[1] |= PG_DIRTY
    bench.end_writes()
    assert list(bench.machine.policy.queue) == [0, 1]


def test_failed_writes_leave_the_page_dirty() -> None:
    """The write error handler of the kernel: dirty, in the swap cache, not to be reclaimed next; nothing is lost."""
    bench = Bench(store="none", swap__device="failing")
    bench.touch(0, 1)
    bench.evict(0)
    bench.end_writes()
    assert bench.memory.flags[0] & (FRAME | SWAPCACHE | PG_DIRTY | WRITEBACK | RECLAIM) == FRAME | SWAPCACHE | PG_DIRTY
    assert (bench.counters.write_errors, bench.counters.pgrotated) == (1, 0)
    assert bench.memory.slot[0] == 0
    bench.machine.validate()


def test_a_page_given_up_while_written_is_left_alone() -> None:
    """The write of a page that was unmapped meanwhile ends without a trace."""
    bench = Bench(store="none")
    bench.touch(0)
    bench.evict(0)
    bench.faults.unmap(0)
    bench.end_writes()
    assert (bench.memory.flags[0], bench.machine.writes.pages, bench.counters.pgrotated) == (0, 0, 0)
    bench.machine.validate()


@pytest.mark.parametrize(("era", "rotates"), [("3.11", False), ("6.1", True)])
def test_rotation_after_writeback_by_era(era: str, rotates: bool) -> None:
    """zswap flags a page it writes back for reclaim from 3.13 on; in 3.11 it stays where it is."""
    bench = Bench(era=era)
    bench.swap_out(0)
    bench.machine.begin(0)
    assert bench.machine.start_writeback(0)
    bench.machine.write_back(0, 0)
    assert bool(bench.memory.flags[0] & RECLAIM) == rotates


def test_writeback_takes_a_frame_until_written() -> None:
    """A stored page gets a frame in the swap cache, unmapped and under writeback: memory first shrinks."""
    bench = Bench()
    bench.swap_out(0)
    bench.machine.begin(0)
    assert bench.machine.start_writeback(0)
    bench.machine.write_back(0, 0)
    assert bench.memory.flags[0] & (FRAME | SWAPCACHE | WRITEBACK | PG_DIRTY) == FRAME | SWAPCACHE | WRITEBACK
    assert (bench.memory.frames, bench.memory.pte[0], bench.counters.pswpout) == (1, 0, 1)
    assert (bench.machine.writes.pages, bench.machine.writeback_in_flight) == (1, 1)
    bench.end_writes()
    assert (bench.machine.writes.pages, bench.machine.writeback_in_flight) == (0, 0)


def written_back(bench: Bench, *pages: int) -> None:
    """Write stored pages back, one after the other, and let the writes end."""
    bench.machine.begin(0)
    for page in pages:
        assert bench.machine.start_writeback(page)
        bench.machine.write_back(page, 0)
    bench.end_writes()


def test_pages_written_back_join_the_lists_in_batches() -> None:
    """Three at a time here; four pages and then a pass of reclaim: the fourth is on no list before that."""
    bench = Bench(reclaim__folio_batch=3)
    bench.swap_out(0, 1, 2, 3)
    written_back(bench, 0, 1, 2, 3)
    assert (bench.memory.lru_add, bench.memory.listed()) == ([3], 3)
    bench.machine.validate()
    bench.machine.drain_lru_add()
    assert (bench.memory.lru_add, bench.memory.listed()) == ([], 4)


def test_a_write_that_ends_before_its_page_is_listed_does_not_rotate_it() -> None:
    """folio_rotate_reclaimable finds only the pages of the full batch."""
    bench = Bench(reclaim__folio_batch=3)
    bench.swap_out(0, 1, 2, 3)
    written_back(bench, 0, 1, 2, 3)
    assert (bench.counters.pgrotated, bench.machine.writes.cleaned) == (3, {0, 1, 2})


def test_a_page_on_its_way_to_the_lists_can_be_given_up() -> None:
    """Its task unmaps it: frame, slot and place in the batch are gone."""
    bench = Bench()
    bench.swap_out(0)
    written_back(bench, 0)
    bench.faults.unmap(0)
    assert (bench.memory.frames, bench.memory.lru_add) == (0, [])
    bench.machine.validate()


def test_writeback_of_what_is_in_memory_fails() -> None:
    """A page that is in the swap cache, or no free frame: nothing is written."""
    bench = Bench()
    bench.swap_out(0, 1)
    bench.touch(0)
    assert not bench.machine.start_writeback(0)
    bench.memory.frames += bench.machine.room.frames_left()
    assert not bench.machine.start_writeback(1)
    assert bench.counters.pswpout == 0


def test_writeback_is_timed_from_its_start() -> None:
    """Decompression (1,700 ns, after the start) and the write itself; plain swap-out is not counted as writeback."""
    bench = Bench()
    bench.swap_out(0)
    bench.machine.begin(0)
    bench.machine.store.reclaim_page()
    assert bench.machine.latency["writeback"].max_ns == 1700 + PAGE_NS + WRITE_NS
    bench.touch(1)
    bench.memory.flags[1] |= PG_DIRTY
    assert bench.machine.latency["writeback"].count == 1


def test_reap_ends_what_is_done_by_now() -> None:
    """An actor that has worked long enough sees its own first write ended, not the second."""
    bench = Bench(store="none")
    bench.touch(0, 1)
    bench.evict(0)
    bench.evict(1)
    bench.machine.begin(0)
    bench.machine.spent_ns = PAGE_NS + WRITE_NS
    bench.machine.reap()
    assert not bench.memory.flags[0] & WRITEBACK and bench.memory.flags[1] & WRITEBACK
    bench.end_writes()
    assert bench.machine.writes.pages == 0


def test_a_free_slot_takes_its_copy_along() -> None:
    """Slot, store entry and swap-cache flag go together."""
    bench = Bench()
    bench.swap_out(0)
    bench.touch(0)
    assert (bench.machine.slots.used, bench.machine.store.stored) == (1, 1)
    bench.machine.free_slot(0)
    assert (bench.machine.slots.used, bench.machine.store.stored, bench.memory.slot[0]) == (0, 0, -1)
    assert not bench.memory.flags[0] & SWAPCACHE


def test_gauges() -> None:
    """Mapped pages are resident, cached ones are not, and a same-filled page takes no frame of the pool."""
    bench = Bench(contents=SizesByPage(same=[1]))
    bench.swap_out(0, 1)
    bench.touch(2, 3)
    bench.machine.begin(0)
    bench.machine.start_writeback(0)
    expected = {
        "resident_pages": 2, "swapcache_pages": 1, "pool_pages": 1, "stored_pages": 2, "same_filled_pages": 1,
        "compressed_bytes": 1000, "free_pages": 200 - 4, "slots_used": 2,
    }  # fmt: skip
    assert bench.machine.gauges() == expected


def test_blocks_of_files_follow_their_addresses() -> None:
    """File pages lie on their device in the order of their addresses, anonymous ones not at all."""
    bench = Bench(pages=4, files=[3, 1])
    assert bench.machine.file_block == [-1, 0, -1, 1]


def leak_a_slot(bench: Bench) -> None:
    """A slot that no page has."""
    bench.machine.slots.alloc(5)


def share_a_slot(bench: Bench) -> None:
    """Two pages in one slot."""
    bench.memory.slot[1] = bench.memory.slot[0]


def lose_a_frame(bench: Bench) -> None:
    """A frame nobody holds."""
    bench.memory.frames += 1


def lose_bytes(bench: Bench) -> None:
    """Compressed bytes that are nowhere."""
    bench.machine.store.compressed_bytes += 1


def forget_a_page(bench: Bench) -> None:
    """A page with a frame on no list."""
    bench.machine.policy.remove(2)


def overcommit(bench: Bench) -> None:
    """More metadata than the RAM has room for."""
    bench.machine.room.page_table_bytes = 200 * 4096


@pytest.mark.parametrize("damage", [leak_a_slot, share_a_slot, lose_a_frame, lose_bytes, forget_a_page, overcommit])
def test_validate_notices(damage: object) -> None:
    """Each way of cooking the books is found."""
    bench = Bench()
    bench.swap_out(0)
    bench.touch(1, 2)
    bench.machine.validate()
    assert callable(damage)
    damage(bench)
    with pytest.raises(AssertionError):
        bench.machine.validate()


def given_up(bench: Bench, pages: int) -> list[int]:
    """Slots of pages that were swapped out, read back and written to: the writes give them up."""
    bench.swap_out(*range(pages))
    slots = [bench.memory.slot[page] for page in range(pages)]
    for page in range(pages):
        bench.fault(page, 1)
    return slots


def test_slots_go_back_together() -> None:
    """4.11 to 6.13: with the 65th, 64 are given back, and zswap's copies of them dropped."""
    bench = Bench(pages=70, memory__size="4M", swap__size="8M")
    slots = given_up(bench, 64)
    machine = bench.machine
    assert machine.returned == slots and machine.slots.used == machine.store.stored == 64
    assert all(machine.page_at(slot) == -1 for slot in slots)
    machine.validate()
    bench.swap_out(64)
    bench.fault(64, 1)
    assert len(machine.returned) == machine.slots.used == machine.store.stored == 1
    machine.validate()


def test_a_slot_that_waits_is_not_written_back() -> None:
    """Its page is elsewhere by now."""
    bench = Bench(pages=70, memory__size="4M", swap__size="8M", zswap__evicts="entry")
    given_up(bench, 2)
    bench.machine.begin(0)
    assert not bench.machine.store.evict()
    assert bench.counters.written_back_pages == 0


@pytest.mark.parametrize(
    "values",
    [{"era": "3.11"}, {"era": "6.19"}, {"swap__slots_cache": 0}, {"swap__size": "1M"}, {"store": "zcache2"}],
    ids=str,
)
def test_slots_go_back_at_once(values: dict[str, Any]) -> None:
    """Before and after, with few slots, and in stores that do not know it."""
    bench = Bench(**({"pages": 70, "memory__size": "4M", "swap__size": "8M"} | values))
    given_up(bench, 20)
    assert bench.machine.returned == [] and bench.machine.slots.used == 0


def test_the_last_slots_are_fetched_back() -> None:
    """A page that finds no slot has those that wait given back."""
    bench = Bench(pages=70, memory__size="4M", swap__size="8M")
    slots = given_up(bench, 10)
    machine = bench.machine
    bench.touch(11)
    others = [machine.slots.alloc(69) for _ in range(machine.slots.slots - machine.slots.used)]
    assert machine.slots.alloc(69) == -1 and len(others) > 1000
    assert bench.evict(11) == [FREED]
    assert bench.memory.slot[11] in slots
