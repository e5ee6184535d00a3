"""z3fold: three buddies, what moves when, reclaim."""

import pytest

from tests.allocators.limits import check_chunk_limits, objects_in_first_group
from zsim.allocators import EAGAIN, EINVAL, Occupancy, make_allocator
from zsim.allocators.z3fold import Z3fold, Z3foldCompacting, Z3foldWithoutReclaim

CHUNK = 64
FORMS = [Z3fold, Z3foldCompacting]


def offsets(pool: Z3fold) -> dict[int, int]:
    """Handle -> chunk of its page it starts in."""
    return {extent.handle: extent.offset // CHUNK for extent in pool.extents()}


def groups(pool: Z3fold) -> dict[int, int]:
    """Handle -> page."""
    return {extent.handle: extent.group for extent in pool.extents()}


@pytest.mark.parametrize(("form", "row"), [(Z3fold, "z3fold_4.8"), (Z3foldCompacting, "z3fold_4.14")])
def test_limits(form: type[Z3fold], row: str) -> None:
    """A whole page at most; the header grew from one chunk to two."""
    check_chunk_limits(form, row)
    assert objects_in_first_group(form(), 1280) == 3
    assert objects_in_first_group(form(), 1344) == (3 if form is Z3fold else 2)


def test_forms() -> None:
    """4.8, 4.14, 6.5; anything older gets the first."""
    forms = [type(make_allocator(f"z3fold@{kernel}")) for kernel in ("3.11", "4.8", "4.13", "4.14", "6.4", "6.5")]
    assert forms == [Z3fold, Z3fold, Z3fold, Z3foldCompacting, Z3foldCompacting, Z3foldWithoutReclaim]
    assert make_allocator("z3fold@6.6").reclaim(lambda _: True) == EINVAL


@pytest.mark.parametrize("form", FORMS)
def test_first_last_middle(form: type[Z3fold]) -> None:
    """In that order; the middle one lies directly behind the first."""
    pool = form()
    first, last, middle = (pool.alloc(10 * CHUNK) for _ in range(3))
    header = form.header_chunks
    assert offsets(pool) == {first: header, last: 54, middle: header + 10}
    assert pool.occupancy() == [Occupancy("headless", 0, 0, 0), Occupancy("buddied", 1, 3, 3)]


@pytest.mark.parametrize("form", FORMS)
def test_middle_left_alone_slides_to_the_start(form: type[Z3fold]) -> None:
    """So that all the rest of the page is one run again."""
    pool = form()
    first, last, middle = pool.alloc(20 * CHUNK), pool.alloc(20 * CHUNK), pool.alloc(10 * CHUNK)
    pool.free(first)
    pool.free(last)
    assert offsets(pool) == {middle: form.header_chunks}
    pool.alloc(50 * CHUNK)
    assert pool.pages == 1


@pytest.mark.parametrize(("gap", "moves"), [(2, False), (3, True)])
def test_middle_moves_up_when_that_gains_three_chunks(gap: int, moves: bool) -> None:
    """The first one freed: against the last one (4.14 on), leaving one run before it."""
    pool = Z3foldCompacting()
    first, last = pool.alloc(20 * CHUNK), pool.alloc(20 * CHUNK)
    middle = pool.alloc((22 - gap) * CHUNK)
    pool.free(first)
    assert offsets(pool)[middle] == (64 - 20 - (22 - gap) if moves else 22)
    assert offsets(pool)[last] == 44


@pytest.mark.parametrize(("gap", "moves"), [(2, False), (3, True)])
def test_middle_moves_down_when_that_gains_three_chunks(gap: int, moves: bool) -> None:
    """A smaller first one came, the last one went: against the first one."""
    pool = Z3foldCompacting()
    first, last, middle = pool.alloc(20 * CHUNK), pool.alloc(22 * CHUNK), pool.alloc(20 * CHUNK)
    pool.free(first)
    first = pool.alloc((20 - gap) * CHUNK)
    pool.free(last)
    assert offsets(pool) == {first: 2, middle: 22 - gap if moves else 22}


def moved() -> tuple[Z3foldCompacting, int, int]:
    """A pool with a host and an object that was left alone and moved in with it."""
    pool = Z3foldCompacting()
    host, neighbour, lone = pool.alloc(40 * CHUNK), pool.alloc(40 * CHUNK), pool.alloc(22 * CHUNK)
    assert groups(pool)[lone] == groups(pool)[neighbour] and pool.pages == 2
    pool.free(neighbour)
    return pool, host, lone


def test_lone_object_moves_into_another_page() -> None:
    """4.14 on: the page it leaves is released."""
    pool, host, lone = moved()
    assert pool.pages == 1 and offsets(pool) == {host: 2, lone: 42}
    pool.validate()


def test_lone_object_stays_where_there_is_no_room() -> None:
    """Moving never takes a new page."""
    pool = Z3foldCompacting()
    _, neighbour, lone = pool.alloc(41 * CHUNK), pool.alloc(40 * CHUNK), pool.alloc(22 * CHUNK)
    pool.free(neighbour)
    assert pool.pages == 2 and lone in groups(pool)


def test_foreign_object_does_not_move_again() -> None:
    """Left alone in its second page it stays, though another has room."""
    pool, host, lone = moved()
    pool.alloc(30 * CHUNK)
    pool.free(host)
    assert pool.pages == 2 and lone in groups(pool)


def test_page_with_a_foreign_object_is_not_reclaimed() -> None:
    """EAGAIN with nobody asked, until that object is freed."""
    pool, host, lone = moved()
    assert pool.reclaim(lambda handle: pytest.fail("asked to evict")) == EAGAIN
    pool.free(lone)

    def evict(handle: int) -> bool:
        pool.free(handle)
        return handle == host

    assert pool.reclaim(evict) == 1 and pool.pages == 0


@pytest.mark.parametrize("form", FORMS)
def test_reclaim_order(form: type[Z3fold]) -> None:
    """Middle, first, last; then a headless page with its one object."""
    pool, order = form(), list[int]()
    first, last, middle = pool.alloc(1000), pool.alloc(1000), pool.alloc(1000)
    headless = pool.alloc(4096)

    def evict(handle: int) -> bool:
        order.append(handle)
        pool.free(handle)
        return True

    assert [pool.reclaim(evict), pool.pages] == [1, 1]
    assert [pool.reclaim(evict), pool.pages, pool.reclaim(evict)] == [1, 0, EINVAL]
    assert order == [middle, first, last, headless]


@pytest.mark.parametrize("form", FORMS)
def test_busy_object_keeps_its_page(form: type[Z3fold]) -> None:
    """What was evicted before it is gone; the page has its room back and is the newest."""
    pool = form()
    first, last, middle = pool.alloc(1000), pool.alloc(1000), pool.alloc(1000)

    def evict(handle: int) -> bool:
        if handle == middle:
            pool.free(handle)
        return handle == middle

    assert pool.reclaim(evict, 3) == EAGAIN and set(groups(pool)) == {first, last}
    pool.validate()
    pool.alloc(1000)
    assert pool.pages == 1


def test_refused_page_goes_to_the_young_end() -> None:
    """A second try takes the next page."""
    pool = Z3foldCompacting()
    busy, free = pool.alloc(4000), pool.alloc(4000)

    def evict(handle: int) -> bool:
        if handle == free:
            pool.free(handle)
        return handle == free

    assert pool.reclaim(evict, 1) == EAGAIN
    assert pool.reclaim(evict, 1) == 1 and list(groups(pool)) == [busy]
