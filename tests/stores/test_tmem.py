"""zsim.stores.tmem: keys, trees, and the rules that keep two copies of a page from disagreeing."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from zsim.stores.tmem import OBJ_BYTES, OBJNODE_BYTES, POOL_BYTES, TmemObject, TmemPool, bucket_of, frontswap_key


def holding(indexes: list[int]) -> TmemObject[int]:
    """An object with pages of these indexes, put in order."""
    found: TmemObject[int] = TmemObject()
    for index in indexes:
        found.add(index, index)
        found.validate()
    return found


@pytest.mark.parametrize(
    ("indexes", "height", "nodes"),
    [
        ([0], 0, 0),  # the object points to the page itself
        ([1], 1, 1),
        ([0, 1], 1, 1),  # a node comes between object and page 0
        ([63], 1, 1),
        ([64], 2, 2),
        ([0, 63, 64], 2, 3),  # a leaf for 0..63, one for 64..127, and the root
        ([0, 64], 2, 3),
        ([64, 128, 192], 2, 4),
        ([4095, 4096], 3, 5),  # two paths of a middle node and a leaf below one root
        ([0, 4096], 3, 5),
        ([0xFFFFFFFF], 6, 6),
        (list(range(256)), 2, 5),
        (list(range(0, 4096, 64)), 2, 65),
    ],
)
def test_height_and_nodes(indexes: list[int], height: int, nodes: int) -> None:
    """By hand: 64 slots a node, the tree as high as the largest index needs."""
    for order in (indexes, indexes[::-1]):
        found = holding(order)
        assert (len(found.levels), found.nodes) == (height, nodes)


def test_tree_is_cut_when_the_large_indexes_go() -> None:
    """Of 3, 70 and 5000, when 5000 goes two levels are left, then one, and for 0 alone none."""
    found = holding([0, 3, 70, 5000])
    assert (len(found.levels), found.nodes) == (3, 6)
    shapes = []
    for index in (5000, 70, 3):
        found.remove(index)
        found.validate()
        shapes.append((len(found.levels), found.nodes))
    assert shapes == [(2, 3), (1, 1), (0, 0)]


def test_tree_stays_high_where_index_zero_is_not() -> None:
    """A root whose only slot is not the first stays."""
    found = holding([64, 65])
    found.remove(65)
    assert (len(found.levels), found.nodes) == (2, 2)
    found.remove(64)
    assert (len(found.levels), found.nodes) == (0, 0)


def test_steps_within_an_object() -> None:
    """As many as the tree is high; fewer where a path ends early; none for an index beyond the tree."""
    found = holding([0, 5000])
    steps = {0: 3, 5000: 3, 1: 3, 4999: 3, 4096: 2, 64: 2, 262143: 1, 262144: 0}
    assert {index: found.steps_to(index) for index in steps} == steps
    assert holding([0]).steps_to(0) == 0 and holding([0]).steps_to(1) == 0


def test_swizzled_slots() -> None:
    """Slot 0x1234 of type 1: object (1, 0x34), index 0x12; 256 slots on is the next page of the same object."""
    assert frontswap_key(0x1234, 1) == (0x134, 0x12)
    assert frontswap_key(0x1334, 1) == (0x134, 0x13)
    assert len({frontswap_key(slot)[0] for slot in range(1000)}) == 256


def test_buckets() -> None:
    """hash_64 of the object id: the top 8 bits of its product with the kernel's prime."""
    assert [bucket_of(oid) for oid in (0, 1, 2, 3)] == [0, 0x9E, 0x3C, 0xDA]
    assert max(bucket_of(oid) for oid in range(1000)) == 255


def test_metadata_of_a_full_swap_area() -> None:
    """65,536 slots: 256 objects of 256 pages, each a root and 4 leaves: 5 nodes."""
    pool: TmemPool[int] = TmemPool(False, lambda page: None)
    for slot in range(1 << 16):
        pool.put(frontswap_key(slot), lambda: 1)
    assert (pool.objects, pool.nodes, pool.pages) == (256, 1280, 1 << 16)
    assert pool.slab_bytes == 256 * OBJ_BYTES + 1280 * OBJNODE_BYTES == 698_368
    pool.validate()
    assert POOL_BYTES == 4144


def test_steps_of_lookups() -> None:
    """A put that finds nothing, one that finds its object, a get through object and node, a miss in the object."""
    pool: TmemPool[int] = TmemPool(False, lambda page: None)
    seen = []
    for act in (
        lambda: pool.put((7, 0), lambda: 1),  # an empty bucket
        lambda: pool.put((7, 1), lambda: 2),  # the object; index 1 is beyond a tree of no height
        lambda: pool.get((7, 1)),  # the object and a node
        lambda: pool.flush_page((7, 5)),  # the same, and no page
    ):
        before = pool.lookup_steps
        act()
        seen.append(pool.lookup_steps - before)
    assert seen == [0, 1, 2, 2] and pool.lookups == 4


class Model(RuleBasedStateMachine):
    """A pool against a plain dict of its keys."""

    exclusive = False

    def __init__(self) -> None:
        super().__init__()
        self.freed: list[int] = []
        self.pool: TmemPool[int] = TmemPool(self.exclusive, self.freed.append)
        self.kept: dict[tuple[int, int], int] = {}
        self.made = 0

    keys: Any = st.tuples(st.integers(0, 6), st.sampled_from([0, 1, 2, 63, 64, 65, 4095, 4096, 70_000, 2**32 - 1]))

    def expect_freed(self, pages: list[int]) -> None:
        """These pages, and no others, have left the pool since last asked."""
        assert sorted(self.freed) == sorted(pages)
        self.freed.clear()

    def create(self, fails: bool) -> Callable[[], int | None]:
        """What makes the page of a put, at a time when what was there has been freed."""
        self.made += 1
        return lambda: None if fails else self.made

    @rule(key=keys, fails=st.booleans())
    def put(self, key: tuple[int, int], fails: bool) -> None:
        """The old page is gone whether the put fails or not."""
        assert self.pool.put(key, self.create(fails)) == (not fails)
        old = self.kept.pop(key, None)
        self.expect_freed([] if old is None else [old])
        if not fails:
            self.kept[key] = self.made

    @rule(key=keys)
    def get(self, key: tuple[int, int]) -> None:
        """The last page put, or none; gone if gets are exclusive."""
        page = self.pool.get(key)
        assert page == self.kept.get(key)
        if self.exclusive and page is not None:
            del self.kept[key]
            self.expect_freed([page])

    @rule(key=keys)
    def flush_page(self, key: tuple[int, int]) -> None:
        """The page is gone, if there was one."""
        old = self.kept.pop(key, None)
        assert self.pool.flush_page(key) == (old is not None)
        self.expect_freed([] if old is None else [old])

    @rule(oid=st.integers(0, 6))
    def flush_object(self, oid: int) -> None:
        """All pages of the object are gone."""
        gone = [key for key in self.kept if key[0] == oid]
        assert self.pool.flush_object(oid) == len(gone)
        self.expect_freed([self.kept.pop(key) for key in gone])

    @rule(really=st.integers(0, 9))
    def flush_pool(self, really: int) -> None:
        """Everything is gone; seldom."""
        if not really:
            assert self.pool.flush_pool() == len(self.kept)
            self.expect_freed(list(self.kept.values()))
            self.kept.clear()

    @invariant()
    def agrees(self) -> None:
        """The pool recounts itself and has what the dict has."""
        self.pool.validate()
        assert dict(self.pool.items()) == self.kept
        assert all(self.pool.peek(key) == page for key, page in self.kept.items())


class ExclusiveModel(Model):
    """The same where gets take the page out."""

    exclusive = True


Model.TestCase.settings = ExclusiveModel.TestCase.settings = settings(max_examples=30, deadline=None)
TestPool = Model.TestCase
TestExclusivePool = ExclusiveModel.TestCase
