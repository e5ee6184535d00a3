"""zswap as debated: its flush in the store path fails where it has no buffer, or where too much is unfinished."""

from typing import Any

from tests.machines import config_of as config
from tests.machines import make_trace, replayed
from zsim.metrics import Counters


def counted(tasks: int = 1, **values: Any) -> Counters:
    """A replay of tasks that each walk 80 pages five times, in memory for 60 of them."""
    trace = make_trace([[(row % 80, 1) for row in range(400)] for _ in range(tasks)])
    settings = {"era": "2013", "pages": 60 * tasks, "check__every": 50, "swap__device": "hdd"} | values
    engine = replayed(trace, config(**settings), check=True)
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
