"""The queued work item of 5.6 and later."""

from tests.machines import config_of
from tests.writeback.pool import Pool
from zsim.writeback.worker import FAILURES_MAX, Worker

NEVER = 1000
"""More refused stores than any test has: the worker has no turn within reclaim."""


def worker(pool: Pool, **values: object) -> Worker:
    """A worker that wakes up 5,000 ns after it was queued."""
    settings = {"cost__wakeup_ns": 5000, "zswap__worker_turn_stores": NEVER} | values
    return Worker(config_of(**settings), pool)


def test_refuses_and_frees_one_page_later() -> None:
    """The store that found the pool full goes to the device; the worker runs when it gets the processor."""
    pool = Pool()
    assert pool.run(worker(pool), [100]) == [False]
    assert pool.evicted_at == [5100]


def test_preempts_reclaim() -> None:
    """6.1: after each refused store, on the reclaimer's time, and not once more when it would have woken."""
    pool = Pool()
    assert pool.run(worker(pool, zswap__worker_turn_stores=1), [100, 101]) == [False, False]
    assert pool.evicted_at == [100, 101]
    assert pool.mm.counters.writeback_ns == 2000


def test_has_its_turn_after_some_stores() -> None:
    """Later under 6.6's scheduler: here with the third; the fourth is left to the worker's own time."""
    pool = Pool()
    pool.run(worker(pool, zswap__worker_turn_stores=3), [100, 101, 102])
    assert pool.evicted_at == [102]
    another = Pool()
    another.run(worker(another, zswap__worker_turn_stores=3), [100, 101, 102, 103])
    assert another.evicted_at == [102, 5100]


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


def test_can_be_queued_while_it_runs() -> None:
    """Work is no longer pending once it runs (from 5,100 to 6,100 here): queued then, it runs once more."""
    pool = Pool()
    pool.run(worker(pool), [100, 5500, 5600])
    assert pool.evicted_at == [5100, 11_100]


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


def test_a_turn_uses_up_16_chances() -> None:
    """20 entries are to be passed over: 16 in the first turn, 4 and all that is to be written in the second."""
    pool = Pool()
    pool.chances = 20
    pool.run(worker(pool, era="6.12", zswap__worker_turn_stores=1), [100, 200])
    assert pool.chances == 0
    assert (pool.evicted_at, pool.pages) == ([200] * 12, 8)


def test_without_room_it_goes_on_by_itself() -> None:
    """Within reclaim entries are passed over; to write them it needs a time of its own, and reclaim."""
    pool = Pool()
    pool.chances, pool.mm.room = 3, False
    pool.run(worker(pool, era="6.12", zswap__worker_turn_stores=1), [100])
    assert pool.chances == 0
    assert pool.evicted_at[0] == 5100 and pool.pages == 8


def test_waits_for_writes_to_end() -> None:
    """Room that reclaim cannot make before two writes have ended."""
    pool = Pool()
    pool.mm.room, pool.mm.waits = False, [700, 300]
    pool.run(worker(pool), [100])
    assert pool.evicted_at == [6100]


def test_gives_up_waiting() -> None:
    """16 times without room are a failure, and of those 16 end the turn; nothing was asked of the pool."""
    pool = Pool()
    pool.mm.room, pool.mm.waits = False, [10] * 1000
    pool.run(worker(pool, era="6.12"), [100])
    assert pool.evicted_at == []
    assert len(pool.mm.waits) == 1000 - 16 * 16


def test_empty_pool_ends_the_turn() -> None:
    """Nothing stored, nothing to do."""
    pool = Pool()
    pool.stored = 0
    pool.run(worker(pool), [100])
    assert pool.evicted_at == []
