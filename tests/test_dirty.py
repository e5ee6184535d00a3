"""Dirty pages of files: the fault of the first write, what reclaim does with them, when flusher threads write."""

from typing import Any

import pytest

from tests.machines import Bench, SizesByPage, config_of, make_trace
from zsim.dirty import FIRST_PAUSE_PAGES
from zsim.engine import Engine, ReferenceEngine
from zsim.memory import BUFFER_HEAD_BYTES, DIRTY, PG_DIRTY, PRESENT, RECLAIM, UNFLUSHED, WRITABLE, WRITEBACK
from zsim.reclaim import ACTIVATED, FREED
from zsim.tlb import Tlb


def tracking(**values: Any) -> Bench:
    """200 pages of a file and one of the task, in a machine of 200 pages, of which 48 are below the high mark."""
    return Bench(pages=201, files=range(200), file__track_dirty=True, **values)


def test_a_clean_page_tells_when_it_is_written() -> None:
    """Read, it is mapped read-only; the first write faults, the second does not."""
    bench = tracking()
    bench.touch(0)
    assert not bench.memory.pte[0] & WRITABLE
    bench.fault(0, 1)
    assert bench.counters.minor_faults == 2
    assert bench.memory.pte[0] & (WRITABLE | DIRTY) == WRITABLE | DIRTY
    assert bench.memory.flags[0] & UNFLUSHED


def test_a_page_that_is_first_written_faults_once() -> None:
    """The fault that brings it in makes it writable and dirty."""
    bench = tracking()
    bench.fault(0, 1)
    assert bench.memory.pte[0] & WRITABLE
    assert bench.memory.flags[0] & UNFLUSHED


def test_anonymous_pages_are_writable_from_the_start() -> None:
    """Nobody flushes them."""
    bench = tracking()
    bench.touch(200)
    assert bench.memory.pte[200] & WRITABLE
    assert not bench.memory.flags[200] & UNFLUSHED


def test_reclaim_activates_what_is_dirty() -> None:
    """It is unmapped, marked to be reclaimed once written, and not written; written to again, it is wanted."""
    bench = tracking()
    bench.fault(0, 1)
    assert bench.evict(0) == [ACTIVATED]
    assert bench.memory.pte[0] == 0
    assert bench.memory.flags[0] & (UNFLUSHED | RECLAIM | WRITEBACK) == UNFLUSHED | RECLAIM
    assert bench.counters.fileout == 0
    bench.fault(0, 1)
    assert bench.memory.flags[0] & (UNFLUSHED | RECLAIM) == UNFLUSHED


def test_flusher_threads_clean() -> None:
    """In the order of the file, as one request, they leave pages mapped read-only; then those can be reclaimed."""
    bench = tracking()
    for page in (2, 0, 1):
        bench.fault(page, 1)
    bench.touch(3)
    dirty = bench.vmscan.dirty
    assert dirty is not None
    dirty.flush()
    assert [write.pages for write in bench.writes] == [[0, 1, 2]]
    assert bench.memory.pte[0] & (PRESENT | WRITABLE | DIRTY) == PRESENT
    assert bench.memory.flags[0] & (UNFLUSHED | WRITEBACK | RECLAIM) == WRITEBACK
    assert (dirty.pages, bench.machine.versions[:4], bench.counters.fileout) == (set(), [1, 1, 1, 0], 3)
    bench.end_writes()
    assert bench.evict(0, 3) == [FREED, FREED]


def test_a_mark_of_reclaim_lasts_while_the_page_is_unmapped() -> None:
    """folio_mark_dirty clears PG_reclaim, and folio_clear_dirty_for_io calls it for what it finds in a page table."""
    bench = tracking()
    for page in (0, 1):
        bench.fault(page, 1)
    assert bench.evict(0) == [ACTIVATED]
    bench.memory.flags[1] |= RECLAIM
    bench.vmscan.dirty.flush()  # type: ignore[union-attr]
    assert [bench.memory.flags[page] & RECLAIM > 0 for page in (0, 1)] == [True, False]
    bench.end_writes()
    assert bench.counters.pgrotated == 1


def test_what_is_under_way_is_not_written_twice() -> None:
    """Dirtied again while it is written, a page stays dirty when that ends, also where reclaim waits for it."""
    bench = tracking()
    bench.fault(0, 1)
    dirty = bench.vmscan.dirty
    assert dirty is not None
    dirty.flush()
    bench.fault(0, 1)
    dirty.flush()
    assert [write.pages for write in bench.writes] == [[0]]
    assert bench.evict(0) == [ACTIVATED]
    bench.end_writes()
    assert bench.memory.flags[0] & (UNFLUSHED | WRITEBACK) == UNFLUSHED
    assert bench.counters.pgrotated == 0
    assert dirty.pages == {0}


def test_the_tlb_forgets_what_is_cleaned() -> None:
    """A flusher thread is another process, and what it unmaps or protects is flushed."""
    bench = tracking()
    dirty = bench.vmscan.dirty
    assert dirty is not None
    tlb = Tlb(4)
    dirty.tlbs = [tlb]
    assert [tlb.look_up(3), tlb.look_up(3)] == [False, True]
    dirty.flush()
    assert tlb.look_up(3)  # nothing was dirty
    bench.fault(0, 1)
    dirty.flush()
    assert not tlb.look_up(3)


def first_flush(**values: Any) -> int:
    """How many pages a task can write to, one after the other, before flusher threads write."""
    bench = tracking(**values)
    for page in range(200):
        bench.fault(page, 1)
        if bench.writes:
            return page
    return 200


def test_a_task_looks_after_32_pages_and_then_more_often() -> None:
    """Of 152 pages 15 may be dirty before they are written; it looks when 31 are, and they are written at once."""
    assert first_flush() == FIRST_PAUSE_PAGES - 1


def test_a_machine_writes_from_the_background_ratio_on() -> None:
    """30 and 40 % of 152 are 45 and 60: looks at 31, 35, ... 47, as the root of 60 - 31, as a power of two, is 4."""
    assert first_flush(file__dirty_background_ratio=30, file__dirty_ratio=40) == 47


def test_a_cgroup_writes_half_way_to_its_limit() -> None:
    """30 and 40 % of 200 are 60 and 80: above 70 they are written; near there a task looks at every second page."""
    values = {"memory__mode": "memcg", "memory__size": "800K"}
    assert first_flush(file__dirty_background_ratio=30, file__dirty_ratio=40, **values) == 71


def test_a_background_ratio_above_the_limit_is_half_of_that() -> None:
    """domain_dirty_limits: 100 % background is 40 % where 80 % is the limit."""
    assert first_flush(file__dirty_background_ratio=100, file__dirty_ratio=80) == first_flush(
        file__dirty_background_ratio=40, file__dirty_ratio=80
    )


def test_what_is_being_written_is_not_written_again() -> None:
    """It counts towards a cgroup's limit, but for more to be written more must be dirty (wb_over_bg_thresh)."""
    values = {"memory__mode": "memcg", "memory__size": "800K"}
    bench = tracking(file__dirty_background_ratio=30, file__dirty_ratio=40, **values)
    for page in range(150):
        bench.fault(page, 1)
    assert [len(write.pages) for write in bench.writes] == [71, 61]


def test_flusher_threads_go_round_until_it_is_enough() -> None:
    """1,024 pages at a time, from where they stopped; reclaim has them write everything."""
    bench = Bench(pages=3000, files=range(3000), memory__size="16M", file__track_dirty=True, file__dirty_ratio=100,
                  file__dirty_background_ratio=50)  # fmt: skip
    dirty = bench.vmscan.dirty
    assert dirty is not None
    for page in range(3000):
        bench.fault(page, 1)
        if bench.writes:
            break
    written = sorted(page for write in bench.writes for page in write.pages)
    assert written == list(range(1024))
    bench.end_writes()
    dirty._write_until(len(dirty.pages) - 1)
    assert min(page for write in bench.writes for page in write.pages) == 1024
    dirty.flush()
    assert dirty.pages == set()


def test_what_a_device_fails_stays_dirty() -> None:
    """It is flushed again later, and never written by reclaim."""
    bench = tracking(file__device="failing")
    bench.fault(0, 1)
    dirty = bench.vmscan.dirty
    assert dirty is not None
    for failures in (1, 2):
        dirty.flush()
        bench.end_writes()
        assert bench.counters.write_errors == failures
        assert bench.memory.flags[0] & (UNFLUSHED | PG_DIRTY | WRITEBACK) == UNFLUSHED
        assert bench.evict(0) == [ACTIVATED]
    assert bench.counters.pageout == 0


def test_a_page_that_is_gone_while_it_is_written() -> None:
    """Its number may come back and be written again; the first write is nobody's then."""
    bench = tracking()
    dirty, writes = bench.vmscan.dirty, bench.machine.writes
    assert dirty is not None
    bench.fault(0, 1)
    dirty.flush()
    bench.faults.unmap(0)
    bench.fault(0, 1)
    dirty.flush()
    assert (writes.pages, len(writes.from_flusher), bench.vmscan._coming_frames()) == (1, 1, 0)
    first, second = sorted(bench.writes)
    writes.reap(first.done_ns)
    assert bench.memory.flags[0] & WRITEBACK or first.done_ns == second.done_ns
    writes.reap(second.done_ns)
    assert not bench.memory.flags[0] & WRITEBACK
    assert (writes.pages, writes.from_reclaim, writes.cleaned_pages) == (0, 0, 1)


def test_buffer_heads_are_charged_while_the_page_is_there() -> None:
    """One a page that was dirtied, from then until it is evicted."""
    bench = tracking(memory__tables=True)
    bench.touch(0, 1)
    before = bench.memory.tables_bytes
    bench.fault(0, 1)
    assert bench.memory.tables_bytes == before + BUFFER_HEAD_BYTES
    bench.vmscan.dirty.flush()  # type: ignore[union-attr]
    bench.end_writes()
    bench.fault(0, 1)
    bench.vmscan.dirty.flush()  # type: ignore[union-attr]
    bench.end_writes()
    assert bench.memory.tables_bytes == before + BUFFER_HEAD_BYTES
    assert bench.evict(0, 1) == [FREED, FREED]
    assert bench.memory.tables_bytes == before


@pytest.mark.parametrize("policy", ["two-list", "mglru", "fifo"])
@pytest.mark.parametrize("kind", [Engine, ReferenceEngine])
def test_all_dirty_is_not_out_of_memory(kind: type[Engine], policy: str) -> None:
    """Nothing to reclaim but dirty pages, before a task looks for the first time: reclaim wakes the flusher threads."""
    rows = [(page, 1) for page in range(60)]
    config = config_of(
        pages=20, memory__mode="memcg", reclaim__policy=policy, reclaim__batch=4, swap__size="none", store="none",
        file__track_dirty=True, file__dirty_background_ratio=100, file__dirty_ratio=100,
    )  # fmt: skip
    engine = kind(make_trace([rows], files=frozenset((0, page) for page in range(60))), config, SizesByPage())
    engine.run()
    assert engine.outcome == "done"
    assert 40 <= engine.machine.counters.fileout < 60
