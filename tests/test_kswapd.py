"""kswapd beside the task, or on its processor."""

import pytest

from tests.machines import Engine, config_of, left_behind, make_trace, replayed

TRACE = make_trace([[(i * 13 % 90, i % 2) for i in range(2500)]])
MACHINE = {"pages": 64, "memory__zones": "40/3/6/9 24/2/4/6/3", "zswap__max_pool_percent": 40}


def run(processor: str, reference: bool = False, **values: object) -> Engine:
    """A machine of two zones that is short of memory."""
    costs = {"cost__processor": processor, "cost__access_ns": 25_000} | values
    return replayed(TRACE, config_of(**MACHINE, **costs), check=not reference, reference=reference)


@pytest.mark.parametrize("processor", ["cfs", "eevdf"])
def test_both_engines_agree(processor: str) -> None:
    """With long work, which takes many turns, and with short."""
    for compress_ns in (0, 90_000, 2_000_000):
        fast = run(processor, cost__compress_ns=compress_ns)
        assert left_behind(fast) == left_behind(run(processor, True, cost__compress_ns=compress_ns))


@pytest.mark.parametrize("processor", ["cfs", "eevdf"])
def test_the_task_stands_still_while_kswapd_works(processor: str) -> None:
    """All that kswapd took is part of the runtime; on a processor of its own it is not."""
    own, one = (run(each, cost__compress_ns=300_000) for each in ("own", processor))
    counters = one.machine.counters
    assert counters.kswapd_ns > 0
    assert one.end_ns() >= counters.kswapd_ns + counters.direct_reclaim_ns + one.unlimited_ns
    assert own.end_ns() < one.end_ns()


def test_a_slow_kswapd_leaves_more_to_the_task() -> None:
    """When it has to give way to the task, that goes on below the low mark and reclaims by itself."""
    quick, slow = (run("cfs", cost__compress_ns=each).machine.counters for each in (1_000, 2_000_000))
    assert quick.pgsteal_direct < slow.pgsteal_direct
    assert quick.pgsteal_kswapd > slow.pgsteal_kswapd
