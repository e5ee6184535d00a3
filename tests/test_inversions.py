"""LRU inversion: which page went to the device, and which older ones stayed; by hand and in whole replays."""

import random

import pytest

from tests.machines import Bench, SizesByPage
from tests.results import busy_result
from zsim.inversions import Inversions
from zsim.machine import Machine


def shares(inversions: Inversions) -> tuple[int, float]:
    """Pages that went to a device, and the sum of their shares."""
    return inversions.writes, inversions.older_share


def test_the_oldest_goes() -> None:
    """Nobody older stays: no inversion."""
    order = Inversions()
    for page in (1, 2, 3):
        order.evicted(page)
    assert not order.written(1)
    assert shares(order) == (1, 0.0)


def test_the_newest_goes() -> None:
    """A page that was not compressed at all is younger than all of those that stay; one in between than some."""
    order = Inversions()
    for page in (1, 2, 3):
        order.evicted(page)
    assert order.written(9)
    assert shares(order) == (1, 1.0)
    assert order.written(2)
    assert shares(order) == (2, 1.5)


def test_a_page_evicted_again_is_the_newest() -> None:
    """What counts is when it left memory last."""
    order = Inversions()
    for page in (1, 2, 1):
        order.evicted(page)
    assert order.pages() == [2, 1]
    order.gone(2)
    order.gone(7)
    assert order.pages() == [1] and not order.written(1)


def test_random_orders_against_a_list() -> None:
    """The same as by counting in a plain list."""
    choose, order, plain = random.Random(1), Inversions(), list[int]()
    for _ in range(2000):
        page, what = choose.randrange(40), choose.randrange(3)
        if what == 2:
            older = plain.index(page) if page in plain else len(plain)
            assert order.written(page) == (older > 0)
        order.gone(page)
        plain = [kept for kept in plain if kept != page]
        if what == 0:
            order.evicted(page)
            plain.append(page)
    assert order.pages() == plain


def machine_of(bench: Bench) -> tuple[Machine, int]:
    """The machine and the inversions it counted."""
    bench.machine.validate()
    return bench.machine, bench.counters.lru_inversions


def test_refused_pages_pass_those_that_stay() -> None:
    """A page that does not compress goes to the device, three that were evicted before it stay; then one came back."""
    bench = Bench(contents=SizesByPage({5: 5000, 6: 5000}))
    bench.swap_out(1, 2, 3, 5)
    assert machine_of(bench)[1] == 1
    bench.touch(1, 2, 3)
    bench.swap_out(6)
    machine, inversions = machine_of(bench)
    assert inversions == 1, "nobody is left who is older"
    assert (machine.inversions.writes, machine.inversions.older_share) == (2, 1.0)


def test_writeback_of_the_oldest_entry_is_none() -> None:
    """By entry the oldest goes; its page counts once it is written, and is out of the order."""
    bench = Bench(era="6.12", zswap__second_chance=False)
    bench.swap_out(1, 2, 3)
    bench.machine.begin(0)
    assert bench.machine.store.evict()
    machine, inversions = machine_of(bench)
    assert (inversions, machine.inversions.writes, machine.inversions.pages()) == (0, 1, [2, 3])


def test_same_filled_pages_do_not_count() -> None:
    """They take no room, so nobody would write them back."""
    bench = Bench(contents=SizesByPage({5: 5000}, same=[1]))
    bench.swap_out(1, 5)
    assert machine_of(bench)[1] == 0


def test_pages_of_a_disk_behind_zram() -> None:
    """zram of two sectors before a disk: whatever is evicted later passes what lies in zram."""
    bench = Bench(store="zram", zram__disksize="8K")
    bench.swap_out(1, 2, 3, 4)
    assert (machine_of(bench)[1], bench.counters.pswpout) == (2, 2)


@pytest.mark.parametrize("writeback", ["worker", "store-path", "daemon"])
def test_metrics_of_a_replay(writeback: str) -> None:
    """The share is that of all pages that went to the device."""
    metrics = busy_result(writeback=writeback).metrics
    assert 0 < metrics["lru_inversions"] <= metrics["pswpout"]  # type: ignore[operator]
    assert 0 < metrics["lru_inversion_share"] <= 1  # type: ignore[operator]


def test_nothing_to_tell_without_a_store() -> None:
    """Plain swap keeps nothing compressed."""
    metrics = busy_result(store="none").metrics
    assert (metrics["lru_inversions"], metrics["lru_inversion_share"]) == (0, 0.0)
