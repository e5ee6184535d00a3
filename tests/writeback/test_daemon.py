"""Writeback by a thread between two marks."""

from typing import Any

from tests.machines import config_of
from tests.writeback.pool import Pool
from zsim.writeback.daemon import Daemon


def daemon(pool: Pool, **values: Any) -> Daemon:
    """A daemon that runs 5,000 ns after it is woken; the pool's limit is 10 pages, the marks are 9 and 8."""
    return Daemon(config_of(writeback="daemon", **values), pool)


def test_writes_back_from_the_high_mark_to_the_low_one() -> None:
    """Woken by a store that finds more than 9 pages, 5 us later, one page after the other."""
    pool = Pool()
    writeback = daemon(pool)
    pool.env.timeout(100).callbacks.append(lambda _: writeback.stored())
    assert pool.run(writeback, []) == []
    assert pool.pages == 8
    assert pool.evicted_at == [5100 + 1000 * number for number in range(12)]


def test_sleeps_below_the_high_mark() -> None:
    """Nine of ten pages are no reason to run."""
    pool = Pool()
    pool.pages = 9
    writeback = daemon(pool)
    pool.env.timeout(100).callbacks.append(lambda _: writeback.stored())
    pool.run(writeback, [])
    assert pool.evicted_at == []


def test_a_full_pool_refuses_and_wakes_it() -> None:
    """It was too slow; woken twice it runs once."""
    pool = Pool()
    assert pool.run(daemon(pool), [100, 200]) == [False, False]
    assert pool.evicted_at[0] == 5100 and pool.pages == 8


def test_gives_up_after_failures() -> None:
    """Until it is woken again."""
    pool = Pool(succeeds=False)
    pool.run(daemon(pool), [100, 500_000])
    assert len(pool.evicted_at) == 32


def test_chances_are_no_failures() -> None:
    """However many entries are passed over, it goes on to the low mark."""
    pool = Pool()
    pool.chances = 40
    pool.run(daemon(pool), [100])
    assert pool.pages == 8


def test_marks_are_shares_of_the_limit() -> None:
    """As told."""
    pool = Pool()
    pool.run(daemon(pool, zswap__writeback_high_percent=50, zswap__writeback_low_percent=20), [100])
    assert pool.pages == 2
