"""One processor for kswapd and the task: who runs when."""

from zsim.config import CostConfig
from zsim.processor import OwnProcessor, SharedProcessor, make_processor

MS = 1_000_000


def shared(scheduler: str) -> SharedProcessor:
    """A tick every 4 ms, 50 us for a wake-up that preempts."""
    processor = make_processor(CostConfig(processor=scheduler, wakeup_ns=50_000))
    assert isinstance(processor, SharedProcessor)
    return processor


def test_a_processor_of_its_own() -> None:
    """kswapd runs when it has been woken, for as long as it likes."""
    processor = make_processor(CostConfig(wakeup_ns=700))
    assert isinstance(processor, OwnProcessor)
    assert (processor.wake(0), processor.go_on(0), processor.preempted(10**12)) == (700, 0, False)


def test_cfs() -> None:
    """A sleeper is 3 ms behind, preempts, and runs to the first tick after 3 ms at which it is ahead."""
    processor = shared("cfs")
    assert processor.wake(10 * MS) == 50_000
    assert not processor.preempted(15_999_999)
    assert processor.preempted(16 * MS)
    assert processor.give_way(16 * MS) == 4 * MS
    assert processor.kswapd_ns == 5_950_000
    assert not processor.preempted(23_999_999)
    assert processor.preempted(24 * MS)


def test_cfs_does_not_let_in_who_has_had_enough() -> None:
    """Woken 0.5 ms after 5.95 ms of work, 2.9 ms ahead of the task, kswapd waits for the tick at which it is behind."""
    processor = shared("cfs")
    processor.wake(10 * MS)
    processor.sleep(16 * MS)
    assert processor.wake(16_500_000) == 3_500_000
    processor.sleep(20_100_000)
    assert processor.kswapd_ns == 6_050_000


def test_eevdf() -> None:
    """0.75 ms after a tick the task has used up its slice; before, kswapd waits for the next tick."""
    processor = shared("eevdf")
    assert processor.wake(8_500_000) == 3_500_000
    processor.sleep(12_100_000)
    assert processor.wake(15 * MS) == 50_000
    assert not processor.preempted(15_999_999)
    assert processor.preempted(16 * MS)
    assert processor.give_way(16 * MS) == 4 * MS


def test_who_is_behind_goes_on() -> None:
    """At a tick at which kswapd is still behind the task it keeps the processor."""
    processor = shared("cfs")
    processor.wake(11_900_000)
    assert not processor.preempted(12 * MS)
    assert not processor.preempted(15_999_999)
    assert processor.preempted(16 * MS)
