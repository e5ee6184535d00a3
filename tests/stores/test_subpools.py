"""Several pools of one kind behind one face, as zswap had them from 6.6 to 6.10."""

import random

import pytest

from tests.machines import Bench, SizesByPage
from zsim.allocators import EINVAL, ENOSPC, make_allocator
from zsim.stores.subpools import SubPools


def subpools(name: str, count: int = 4) -> SubPools:
    """Sub-pools of an allocator in its form of 6.6."""
    return SubPools(lambda: make_allocator(name, "6.6"), count, seed=1)


@pytest.mark.parametrize("name", ["zbud", "z3fold", "zsmalloc"])
def test_objects_come_and_go(name: str) -> None:
    """Handles are unique, pages are those of all pools, and nothing is left at the end."""
    pools, choose, live = subpools(name), random.Random(2), dict[int, int]()
    for _ in range(600):
        if live and choose.random() < 0.4:
            handle = choose.choice(list(live))
            del live[handle]
            pools.free(handle)
        else:
            size_bytes = choose.randrange(1, 3900)
            handle = pools.alloc(size_bytes)
            assert handle > 0 and handle not in live
            live[handle] = size_bytes
    pools.validate()
    assert {extent.handle for extent in pools.extents()} == set(live)
    assert sum(row.objects for row in pools.occupancy()) == len(live)
    for handle in live:
        pools.free(handle)
    pools.compact()
    pools.validate()
    assert pools.pages == 0


def test_a_pool_each_takes_more_frames() -> None:
    """Eight objects of which eight share a zspage's class: one pool needs fewer frames than 32."""
    one, many = subpools("zsmalloc", 1), subpools("zsmalloc", 32)
    for _ in range(64):
        assert one.alloc(1000) > 0 and many.alloc(1000) > 0
    assert one.pages < many.pages


def test_what_the_pools_refuse() -> None:
    """The errno of the pool that was drawn; and none evicts."""
    assert subpools("zbud").alloc(4096) == ENOSPC
    assert subpools("zbud").reclaim(lambda handle: True) == EINVAL


def test_compaction_within_each_pool() -> None:
    """What the shrinkers count is what compaction frees."""
    pools = subpools("zsmalloc", 2)
    handles = [pools.alloc(1000) for _ in range(400)]
    for handle in handles[::2]:
        pools.free(handle)
    before, promised = pools.pages, pools.compactable_pages()
    assert promised > 0 and pools.compact() == promised == before - pools.pages
    pools.validate()


def test_zswap_of_6_6_has_32() -> None:
    """Pages go in and come back, entry by entry, from whichever pool they are in."""
    bench = Bench(era="6.6", contents=SizesByPage({page: 500 + 37 * page for page in range(40)}))
    pool = bench.machine.store.allocator
    assert isinstance(pool, SubPools) and len(pool.pools) == 32
    bench.swap_out(*range(20))
    assert bench.counters.zswpout == 20 and pool.pages > 10
    bench.machine.validate()
    bench.touch(*range(20))
    assert bench.counters.zswpin == 20
    bench.machine.validate()
