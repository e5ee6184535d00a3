"""The queued work item of 5.6 and later."""

import pytest

from tests.machines import config_of
from tests.writeback.pool import Pool
from zsim.writeback.worker import FAILURES_MAX, Worker


def worker(pool: Pool, **values: object) -> Worker:
    """A worker that wakes up 5,000 ns after it was queued."""
    return Worker(config_of(cost__wakeup_ns=5000, **values), pool)


def test_refuses_and_frees_one_page_later() -> None:
    """The store that found the pool full goes to the device; the worker runs when it gets the processor."""
    pool = Pool()
    assert pool.run(worker(pool), [100]) == [False]
    assert pool.evicted_at == [5100]


def test_runs_once_however_often_it_is_queued() -> None:
    """queue_work() on pending work does nothing: one page for three refusals."""
    pool = Pool()
    pool.run(worker(pool), [100, 101, 5000])
    assert pool.evicted_at == [5100]


def test_runs_again_when_queued_later() -> None:
    """Queued after it has run, it runs again."""
    pool = Pool()
    pool.run(worker(pool), [100, 50_000])
    assert pool.evicted_at == [5100, 55_000]


@pytest.mark.xfail(strict=True, reason="the event that queues it is renewed only when the work is over")
def test_can_be_queued_while_it_runs() -> None:
    """Work is no longer pending once it runs (from 5,100 to 6,100 here): queued then, it runs once more."""
    pool = Pool()
    pool.run(worker(pool), [100, 5500])
    assert len(pool.evicted_at) == 2


def test_a_failure_ends_the_turn_to_6_4() -> None:
    """One attempt for each queueing, also where it fails."""
    pool = Pool(succeeds=False)
    pool.run(worker(pool), [100])
    assert len(pool.evicted_at) == 1


def test_goes_on_until_stores_are_accepted() -> None:
    """6.6 and later: from 20 pages down to 8, the first count that is acceptable."""
    pool = Pool()
    pool.run(worker(pool, era="6.12"), [100])
    assert pool.pages == 8
    assert pool.evicted_at == [5100 + 1000 * step for step in range(12)]


def test_gives_up_after_16_failures() -> None:
    """MAX_RECLAIM_RETRIES of a turn, second chances among them."""
    pool = Pool(succeeds=False)
    pool.run(worker(pool, era="6.12"), [100])
    assert len(pool.evicted_at) == FAILURES_MAX == 16


def test_empty_pool_ends_the_turn() -> None:
    """Nothing stored, nothing to do."""
    pool = Pool()
    pool.stored = 0
    pool.run(worker(pool), [100])
    assert pool.evicted_at == []
