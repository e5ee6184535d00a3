"""Writeback decided by reclaim: the young page is let in, the oldest go at the end of the pass."""

import pytest

from tests.machines import config_of
from tests.results import busy_result
from tests.writeback.pool import Pool
from zsim.writeback.reclaim import Reclaim


def reclaim(pool: Pool) -> Reclaim:
    """The placement over a pool of 20 pages, which accepts stores again below 9."""
    return Reclaim(config_of(era="6.12", writeback="reclaim"), pool)


def test_a_full_pool_lets_the_page_in_and_shrinks_afterwards() -> None:
    """Nothing is written back in the store; the pass ends at the threshold, once."""
    pool = Pool()
    writeback = reclaim(pool)
    assert writeback.pool_full() and pool.evicted_at == []
    writeback.shrink(12)
    assert pool.pages == 8
    pool.pages = 20
    writeback.shrink(12)
    assert pool.pages == 20, "stores did not find it full again"


def test_evictions_that_fail_are_given_up() -> None:
    """After as many as a worker's."""
    pool = Pool(succeeds=False)
    writeback = reclaim(pool)
    writeback.pool_full()
    writeback.shrink(12)
    assert len(pool.evicted_at) == 16


def test_what_is_cold_goes_by_priority() -> None:
    """Of 40 pages 40 >> priority, without any limit being met."""
    pool = Pool()
    pool.oldest_is_cold = lambda working_set_pages: working_set_pages == 100  # type: ignore[method-assign]
    writeback = reclaim(pool)
    writeback.shrink(6)
    assert pool.evicted_at == []
    writeback.shrink(3)
    assert len(pool.evicted_at) == 5


def test_there_is_no_above_where_the_allocator_is_refused_frames() -> None:
    """2013: the store fails."""
    pool = Pool()
    pool.limit.test = "allocator"
    assert not reclaim(pool).pool_full()


def test_nothing_is_written_back_to_a_device_that_fails() -> None:
    """Pages would only come back to memory; a full pool refuses then, and in the end memory runs out."""
    pool = Pool()
    writeback = reclaim(pool)
    pool.mm.counters.write_errors = 1
    assert not writeback.pool_full()
    writeback.shrink(0)
    assert pool.evicted_at == []
    result = busy_result(era="3.11", writeback="reclaim", swap="failing")
    assert result.outcome == "oom" and result.metrics["written_back_pages"] is not None


@pytest.mark.parametrize("writeback", ["worker", "store-path"])
def test_fewer_stores_are_refused(writeback: str) -> None:
    """That is what the decision is for: the young page stays."""
    by_age = busy_result(era="6.12", writeback="reclaim").metrics
    other = busy_result(era="6.12", writeback=writeback).metrics
    assert by_age["written_back_pages"] and by_age["reject_pool_limit"] < other["reject_pool_limit"]  # type: ignore[operator]
