"""zswap's entries by cgroup: each its own order, turn about; what an empty one costs before 6.12 and since."""

from typing import Any

from tests.machines import SizesByPage, config_of, make_trace, replayed
from zsim.machine import Machine
from zsim.stores.memcgs import Memcgs
from zsim.stores.zswap import Zswap

PAGES = 30


def turns(memcgs: Memcgs, times: int) -> list[int]:
    """Whose turn it is, by number; -1 where a walk has ended."""
    each = list(memcgs)
    return [-1 if memcg is None else each.index(memcg) for memcg in (memcgs.next() for _ in range(times))]


def memcgs_of(skips_empty: bool, *entries: int) -> Memcgs:
    """Cgroups with so many entries each, the pages of the first before those of the second."""
    owners = [number for number, count in enumerate(entries) for _ in range(max(count, 1))]
    memcgs = Memcgs(owners, second_chance=False, skips_empty=skips_empty)
    for number, memcg in enumerate(memcgs):
        for entry in range(entries[number]):
            memcg.lru.add(100 * number + entry, 100 * number + entry)
    return memcgs


def test_turn_about() -> None:
    """One after the other, on where the last walk stopped; nobody without entries has a turn."""
    assert turns(memcgs_of(True, 2, 0, 1), 5) == [0, 2, 0, 2, 0]
    assert turns(memcgs_of(True, 0, 0), 3) == [-1, -1, -1]


def test_before_6_12_empty_ones_and_ends_count() -> None:
    """The worker's failures are used up by them."""
    assert turns(memcgs_of(False, 2, 0, 1), 8) == [0, 1, 2, -1, 0, 1, 2, -1]


def test_the_oldest_of_all() -> None:
    """By the age of the entries, not by whose turn it is."""
    memcgs = memcgs_of(True, 0, 2, 2)
    assert memcgs.oldest() is list(memcgs)[1]
    assert Memcgs([], second_chance=False, skips_empty=True).oldest() is None


def two_tasks(**values: Any) -> tuple[Machine, Zswap]:
    """Two tasks of 30 pages; the first's are all stored before the second's."""
    trace = make_trace([[(page, 1) for page in range(PAGES)]] * 2)
    settings = {"era": "6.12", "memory__cgroups": "task", "zswap__second_chance": False, "memory__size": "1M"} | values
    machine = Machine(trace, config_of(**settings), SizesByPage())
    store = machine.store
    assert isinstance(store, Zswap)
    for page in range(2 * PAGES):
        machine.memory.slot[page] = machine.slots.alloc(page)
        store.store(machine.memory.slot[page], page, page)
    store.validate()
    return machine, store


def stored_of(store: Zswap) -> list[int]:
    """Entries of each cgroup."""
    return [memcg.stored for memcg in store.memcgs]


def test_the_worker_takes_one_of_each() -> None:
    """Ten evictions: five of each task, though the first's entries are all older."""
    _, store = two_tasks()
    assert all(store.evict() for _ in range(10))
    assert stored_of(store) == [PAGES - 5, PAGES - 5]
    _, store = two_tasks(memory__cgroups="one")
    assert all(store.evict() for _ in range(10))
    assert {entry[3] for entry in store.entries.values()} == set(range(10, 2 * PAGES))


def test_reclaim_takes_the_oldest_of_all() -> None:
    """Decided by age, cgroup or not."""
    _, store = two_tasks()
    assert all(store.evict_oldest() for _ in range(10))
    assert stored_of(store) == [PAGES - 10, PAGES]


def test_protection_is_the_cgroups_own() -> None:
    """Pages that one task read from the device protect its entries, not the other's; once."""
    machine, store = two_tasks()
    for slot in [machine.memory.slot[page] for page in range(20)]:
        store.invalidate(slot)
        assert not store.load(slot)
    mine, other = store.memcgs
    assert (mine.disk_swapins, other.disk_swapins) == (20, 0)
    assert (mine.freeable(), other.freeable()) == (0, PAGES * (PAGES * 1000 // 4096) // PAGES)
    assert mine.disk_swapins == 10 and mine.freeable() == 0 and mine.freeable() > 0


def replay_of(cgroups: str) -> tuple[int, int]:
    """A task that went idle beside one that is busy: pages written back of each, at least once."""
    trace = make_trace([[(page, 1) for page in range(60)], [(page, 1) for page in range(60)] * 6])
    values = {
        "memory__cgroups": cgroups,
        "memory__task_exit": False,
        "zswap__max_pool_percent": 40,
        "zswap__second_chance": False,
    }
    config = config_of(era="6.12", pages=60, check__every=20, swap__device="optane", **values)
    machine = replayed(trace, config, check=True).machine
    owners = [machine.owner[page] for page in machine.written_back]
    return owners.count(0), owners.count(1)


def test_a_replay_of_two_cgroups() -> None:
    """Without cgroups the idle task's entries are the oldest; with them both lose by turns."""
    common, own = replay_of("one"), replay_of("task")
    assert own[0] < common[0] and own[1] > 0
