"""No writeback."""

from tests.machines import Bench, SizesByPage, config_of, make_trace, replayed
from tests.writeback.pool import Pool
from zsim.writeback.none import NoWriteback


def test_refuses_and_writes_nothing() -> None:
    """A full pool stays full."""
    pool = Pool()
    assert pool.run(NoWriteback(config_of(writeback="none"), pool), [100]) == [False]
    assert pool.evicted_at == []


def test_device_is_never_written() -> None:
    """Not for incompressible pages, and not when memory runs out."""
    bench = Bench(writeback="none", contents=SizesByPage(dict.fromkeys(range(40), 4097)))
    bench.touch(*range(10))
    bench.evict(*range(10))
    assert (bench.machine.swap_device.requests, bench.memory.frames) == (0, 10)
    config = config_of(pages=8, memory__mode="memcg", writeback="none")
    engine = replayed(make_trace([[(page, 1) for page in range(100)]]), config, check=True)
    assert engine.outcome == "oom"
    assert engine.machine.swap_device.requests == 0
