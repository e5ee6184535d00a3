"""zswap as debated: its flush in the store path fails where it has no buffer, or where too much is unfinished."""

from typing import Any

import pytest

from tests.machines import Bench, make_trace, replayed
from tests.machines import config_of as config
from zsim.metrics import Counters
from zsim.stores.zswap import Zswap


def counted(tasks: int = 1, **values: Any) -> Counters:
    """A replay of tasks that each walk 80 pages five times, in memory for 60 of them."""
    trace = make_trace([[(row % 80, 1) for row in range(400)] for _ in range(tasks)])
    settings = {"era": "2013", "pages": 60 * tasks, "check__every": 50, "swap__device": "hdd"} | values
    engine = replayed(trace, config(**settings), check=True, quiet=True)
    assert engine.outcome == "done"
    return engine.machine.counters


def test_a_flush_makes_room() -> None:
    """Each store that found no room was saved, for 64 unfinished writes are many for a machine so small."""
    count = counted()
    assert count.reject_flush_attempted == count.saved_by_flush > 50
    assert count.flush_stopped == count.reject_tmppage_fail == count.reject_alloc_fail == 0


def test_unfinished_writes_stop_flushes() -> None:
    """Above one unfinished write no entry is flushed, the second try fails, and the newest page goes to the disk."""
    few, many = counted(zswap__outstanding_max=1), counted()
    assert few.flush_stopped > few.saved_by_flush > 0
    assert few.reject_alloc_fail == few.reject_flush_attempted - few.saved_by_flush > 0
    assert few.lru_inversions > 2 * many.lru_inversions and few.written_back_pages < many.written_back_pages


def test_stores_at_a_time_need_a_buffer_each() -> None:
    """Six tasks and one buffer: who comes while it is taken is refused at once; two are enough for them."""
    one, two = counted(6, zswap__temp_buffers=1), counted(6, zswap__temp_buffers=2)
    assert one.reject_tmppage_fail > 0 and two.reject_tmppage_fail == 0
    assert one.reject_flush_attempted == one.saved_by_flush + one.reject_tmppage_fail + one.reject_alloc_fail
    assert one.rejected_stores > two.rejected_stores


def three_stored() -> tuple[Bench, Zswap]:
    """Pages 0, 1 and 2 in the store, in this order."""
    bench = Bench(era="2013")
    bench.swap_out(0, 1, 2)
    store: Zswap = bench.machine.store
    assert order(store) == [0, 1, 2]
    return bench, store


def order(store: Zswap) -> list[int]:
    """Pages whose entries are on the list, the oldest first."""
    (memcg,) = store.memcgs
    return [store.entries[slot][3] for slot in memcg.lru.slots()]


def test_a_load_makes_an_entry_the_youngest() -> None:
    """The entry stays, for loads are not exclusive."""
    bench, store = three_stored()
    bench.touch(1, 0)
    assert order(store) == [2, 1, 0]


def test_entries_of_cached_pages_are_set_aside_until_a_load() -> None:
    """Nothing is freed for them, and no later flush meets them again."""
    bench, store = three_stored()
    bench.touch(0, 1)
    assert store.flush()
    assert order(store) == [] and sorted(entry[3] for entry in store.entries.values()) == [0, 1]
    assert (bench.counters.written_back_pages, bench.counters.reject_reclaim_fail) == (1, 0)
    bench.evict(1)
    bench.touch(1)
    assert order(store) == [1]


def test_an_entry_without_a_frame_to_go_to_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is put back at the old end."""
    bench, store = three_stored()
    monkeypatch.setattr(bench.machine, "may_grow", lambda pages: False)
    assert store.flush()
    assert order(store) == [0, 1, 2] and bench.counters.written_back_pages == 0
