"""What every allocator promises, as checks that take any of them: `make(grow)` returns an empty pool."""

from collections import defaultdict
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from zsim.allocators import EAGAIN, EINVAL, ENOMEM, ENOSPC, Allocator, Grow
from zsim.units import PAGE_SIZE

Make = Callable[[Grow | None], Allocator]

sizes_bytes = st.one_of(
    st.integers(1, PAGE_SIZE),
    st.integers(1, 200),
    st.sampled_from((1, 32, 64, 1280, 1281, 1984, 1985, 2048, 3264, 3632, 3904, 3968, 4000, 4079, 4088, PAGE_SIZE)),
)


def snapshot(pool: Allocator) -> tuple[Any, ...]:
    """All that can be seen of a pool."""
    return pool.pages, sorted(pool.extents()), pool.occupancy()


def check_extents(pool: Allocator, live: dict[int, int]) -> None:
    """The live objects, each once and whole, without overlap, in groups that fit into the pool's pages."""
    extents = list(pool.extents())
    assert len(extents) == len(live) and {extent.handle: extent.size_bytes for extent in extents} == live
    groups = defaultdict(list)
    for extent in extents:
        groups[extent.group].append(extent)
    pages = 0
    for members in groups.values():
        end = 0
        for extent in sorted(members, key=attrgetter("offset")):
            assert extent.offset >= end, f"{extent} lies over its neighbour"
            end = extent.offset + extent.size_bytes
        pages += -(-end // PAGE_SIZE)
    assert pages <= pool.pages


def check_occupancy(pool: Allocator, live: dict[int, int]) -> None:
    """The pool's own view adds up."""
    rows = pool.occupancy()
    assert sum(row.pages for row in rows) == pool.pages
    assert sum(row.objects for row in rows) == len(live)
    assert all(0 <= row.objects <= row.capacity for row in rows)


def check_sizes(make: Make) -> None:
    """Size 0 is invalid, `max_size` is taken, one byte more is not; a refusal leaves nothing behind."""
    pool = make(None)
    for size_bytes, errnos in ((0, {EINVAL}), (-1, {EINVAL}), (pool.max_size + 1, {ENOSPC, EINVAL})):
        assert pool.alloc(size_bytes) in errnos
        assert pool.pages == 0 and not list(pool.extents())
    assert pool.alloc(pool.max_size) > 0 and pool.pages > 0
    assert pool.alloc(1) > 0


def check_dead_handles(make: Make) -> None:
    """Freeing what is not live is a `KeyError` and changes nothing."""
    pool = make(None)
    dead, _ = pool.alloc(100), pool.alloc(2000)
    pool.free(dead)
    before = snapshot(pool)
    for handle in (dead, 0, -1, 10**9):
        try:
            pool.free(handle)
        except KeyError:
            assert snapshot(pool) == before
        else:
            raise AssertionError(f"free({handle}) of a dead handle passed")


class AllocatorMachine(RuleBasedStateMachine):
    """Allocate, free, reclaim and compact in any order; every promise is checked after every step."""

    make: Make

    def __init__(self) -> None:
        super().__init__()
        self.granting = True
        self.granted = 0
        self.pool = type(self).make(self.grow)
        self.live: dict[int, int] = {}

    def grow(self, frames: int) -> bool:
        """The machine's memory: all or nothing."""
        assert frames > 0
        self.granted += frames * self.granting
        return self.granting

    def alloc(self, size_bytes: int) -> int:
        """Allocate and keep the books."""
        before, self.granted = self.pool.pages, 0
        handle = self.pool.alloc(size_bytes)
        assert self.pool.pages - before == self.granted, "frames taken other than those asked for"
        if handle > 0:
            assert handle not in self.live and size_bytes <= self.pool.max_size
            self.live[handle] = size_bytes
        return handle

    @rule(sizes=st.lists(sizes_bytes, min_size=1, max_size=12))
    def store(self, sizes: list[int]) -> None:
        """Objects that fit are taken, others are refused."""
        for size_bytes in sizes:
            handle = self.alloc(size_bytes)
            assert handle > 0 if size_bytes <= self.pool.max_size else handle in (ENOSPC, EINVAL)

    @rule(size_bytes=sizes_bytes, times=st.integers(1, 40))
    def store_alike(self, size_bytes: int, times: int) -> None:
        """Many of one size: whole groups of them."""
        self.store([size_bytes] * times)

    @rule(size_bytes=sizes_bytes)
    def store_without_memory(self, size_bytes: int) -> None:
        """No frames: the object goes where there is room, or nowhere and nothing changes."""
        before, self.granting = snapshot(self.pool), False
        handle = self.alloc(size_bytes)
        self.granting = True
        if handle < 0:
            assert handle == ENOMEM or size_bytes > self.pool.max_size
            assert snapshot(self.pool) == before

    @precondition(lambda self: self.live)
    @rule(picks=st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
    def invalidate(self, picks: list[int]) -> None:
        """Free objects in any order."""
        for pick in picks[: len(self.live)]:
            handle = list(self.live)[pick % len(self.live)]
            del self.live[handle]
            self.pool.free(handle)

    @rule(tries=st.integers(1, 8), busy=st.integers(0, 4))
    def reclaim(self, tries: int, busy: int) -> None:
        """Evict: live objects only, of which every `busy`-th will not go; the result is the frames freed."""
        before, asked = self.pool.pages, list[int]()

        def evict(handle: int) -> bool:
            assert handle in self.live
            asked.append(handle)
            if busy and len(asked) % busy == 0:
                return False
            del self.live[handle]
            self.pool.free(handle)
            return True

        result = self.pool.reclaim(evict, tries)
        assert before - self.pool.pages == max(result, 0)
        assert result > 0 or result in (EAGAIN, EINVAL)
        assert result != EINVAL or not asked
        assert result == EINVAL or self.pool.can_reclaim

    @rule()
    def compact(self) -> None:
        """Moves objects, loses none; the result is the frames freed."""
        before = self.pool.pages
        freed = self.pool.compact()
        assert freed == before - self.pool.pages >= 0
        assert not freed or self.pool.can_compact

    @rule()
    def drain(self) -> None:
        """Free everything: no pages are left, but for allocators that say they keep frames."""
        for handle in self.live:
            self.pool.free(handle)
        self.live.clear()
        assert self.pool.pages == 0 or getattr(self.pool, "keeps_frames", False)

    @invariant()
    def books_are_right(self) -> None:
        """Recount everything."""
        self.pool.validate()
        check_extents(self.pool, self.live)
        check_occupancy(self.pool, self.live)
        assert self.pool.pages * PAGE_SIZE >= sum(self.live.values())


def check_any_order(make: Make, examples: int = 15, steps: int = 25) -> None:
    """Run the state machine on one allocator."""
    machine = type("Machine", (AllocatorMachine,), {"make": staticmethod(make)})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )
