"""No store: plain swap."""

from tests.machines import Bench
from zsim.reclaim import KEPT
from zsim.stores import TO_DEVICE


def test_everything_goes_to_the_device() -> None:
    """Refused at no cost, nothing kept, nothing found."""
    bench = Bench(store="none")
    store = bench.machine.store
    bench.machine.begin(0)
    assert store.store(3, 0, 0) == TO_DEVICE
    assert not store.load(3)
    assert store.content_of(3) is None
    assert (store.pages, store.stored, store.metadata_bytes, bench.machine.spent_ns) == (0, 0, 0, 0)


def test_no_store_is_timed() -> None:
    """Plain swap-out is no store: its latency is empty."""
    bench = Bench(store="none")
    bench.touch(0)
    assert bench.evict(0) == [KEPT]
    assert bench.machine.latency["store"].count == 0
    assert bench.counters.zswpout == 0
