"""Writeback by the storing task."""

from tests.machines import config_of
from tests.writeback.pool import Pool
from zsim.writeback.store_path import StorePath


def test_frees_a_page_and_goes_on() -> None:
    """3.11: one page of the pool, at once and at the reclaimer's cost; the pool is not looked at again."""
    pool = Pool()
    assert StorePath(config_of(era="3.11"), pool).pool_full()
    assert (pool.pages, pool.mm.spent_ns) == (19, 1000)


def test_refuses_where_that_fails() -> None:
    """Nothing freed, nothing stored."""
    pool = Pool(succeeds=False)
    assert not StorePath(config_of(era="3.11"), pool).pool_full()


def test_nothing_runs_beside() -> None:
    """No process of its own."""
    pool = Pool()
    assert StorePath(config_of(era="3.11"), pool).process(pool.env, pool.work) is None
