"""The multi-generational LRU: where pages start, aging, who is spared, what a refault is worth, anon against file."""

import numpy as np
import pytest

from tests.machines import make_trace
from tests.reclaim.pages import Pages
from zsim.memory import ACCESSED, FRAME, RECLAIM, SEEN, UNFLUSHED, WRITEBACK, Memory
from zsim.reclaim import ACTIVATED, FREED, KEPT, Pressure
from zsim.reclaim.balance import ANON, FILE
from zsim.reclaim.generations import MAX_NR_GENS
from zsim.reclaim.mglru import Mglru
from zsim.reclaim.pagewalk import PageWalk
from zsim.reclaim.refaults import RefaultRates


def mglru(count: int, **values: object) -> Pages:
    """6.12's generations over `count` pages, in batches of four."""
    return Pages("mglru", count, **{"era": "6.12", "reclaim__batch": 2, **values})


def policy_of(pages: Pages) -> Mglru:
    """The policy, its books in order."""
    assert isinstance(pages.policy, Mglru)
    pages.policy.validate()
    return pages.policy


def seq_of(pages: Pages, page: int) -> int:
    """The generation of a page, counted from the youngest: 0, -1, ..."""
    generations = policy_of(pages).generations
    return -((generations.max_seq - generations.gen[page]) % MAX_NR_GENS)


def lists(pages: Pages, kind: int = ANON) -> list[list[int]]:
    """The lists of a kind from the oldest generation to the youngest, each from its tail."""
    generations = policy_of(pages).generations
    return [
        list(generations.lists[kind][seq % MAX_NR_GENS])
        for seq in range(generations.min_seq[kind], generations.max_seq + 1)
    ]


def age(pages: Pages) -> None:
    """One more generation."""
    policy_of(pages)._age()


def aged(count: int, **values: object) -> Pages:
    """All pages in the oldest of three generations, none accessed since."""
    pages = mglru(count, **values)
    pages.bring_in(*range(count))
    age(pages)
    age(pages)
    policy_of(pages).generations.try_to_inc_min_seq(True)
    assert policy_of(pages).generations.count(ANON) == 3
    return pages


# Where pages start.


def test_a_faulted_page_is_the_youngest() -> None:
    """So are file pages, and pages of readahead."""
    pages = mglru(4, files=[1])
    pages.bring_in(0, 1)
    pages.bring_in(2, refault=True, accessed=False)
    assert [seq_of(pages, page) for page in (0, 1, 2)] == [0, 0, 0]
    assert lists(pages)[-1] == [0, 2]
    assert lists(pages, FILE)[-1] == [1]


def test_a_page_read_to_be_written_is_not() -> None:
    """It comes to the second youngest generation, and to the oldest when its write has ended."""
    pages = aged(3)
    pages.drop(2)
    pages.memory.flags[2] = FRAME | RECLAIM
    pages.memory.frames += 1
    pages.policy.insert(2, True)
    assert seq_of(pages, 2) == -1
    pages.end_write(2)
    assert lists(pages)[0] == [2, 0, 1]


def test_a_page_that_has_been_written_by_then_is_cold() -> None:
    """Its write was over before it came on a list: among the oldest, behind those that were there."""
    pages = aged(3)
    pages.drop(2)
    pages.memory.flags[2] = FRAME
    pages.memory.frames += 1
    pages.policy.insert(2, True)
    assert lists(pages)[seq_of(pages, 2) - 1][-1] == 2
    assert seq_of(pages, 2) <= -2


# Aging.


def test_aging_takes_the_accessed_along() -> None:
    """Pages accessed since the last walk join what is the youngest generation until then; their bits are cleared."""
    pages = mglru(3)
    pages.bring_in(0, 1, 2)
    age(pages)
    assert [seq_of(pages, page) for page in range(3)] == [-1, -1, -1]
    pages.access(1)
    age(pages)
    assert [seq_of(pages, page) for page in range(3)] == [-2, -1, -2]
    assert not any(bits & ACCESSED for bits in pages.memory.pte)


def test_aging_without_walks_takes_nobody_along() -> None:
    """Accessed bits stay for eviction to find, and generations begin all the same."""
    pages = mglru(4, reclaim__mm_walk=False)
    pages.bring_in(0, 1)
    before = policy_of(pages).generations.max_seq
    pages.access(0)
    age(pages)
    assert [seq_of(pages, page) for page in (0, 1)] == [-1, -1]
    assert pages.memory.pte[0] & ACCESSED
    assert not policy_of(pages).eviction.walking
    assert policy_of(pages).generations.max_seq == before + 1


def test_a_promoted_page_stays_on_its_list_until_it_is_met() -> None:
    """Eviction sorts it into its generation, at the head, and does not try it."""
    pages = aged(6)
    pages.access(0)
    policy = policy_of(pages)
    policy.generations.update_gen(policy.walks.walk((ANON, FILE)))
    assert lists(pages) == [[0, 1, 2, 3, 4, 5], [], []]
    assert pages.shrink(1, priority=1, is_memcg=True) == [1, 2, 3, 4]
    assert lists(pages) == [[5], [], [0]]


def test_a_first_pass_only_makes_generations() -> None:
    """All pages are young at first: priorities are gone through until two generations have been added."""
    pages = mglru(8)
    pages.bring_in(*range(8))
    passes = [pages.shrink(4, priority, is_memcg=True) for priority in (3, 2, 1, 0)]
    assert passes[:3] == [[], [], []]
    assert passes[3] == [0, 1, 2, 3, 4, 5, 6, 7]


def test_aging_can_wait_at_priority_12() -> None:
    """It is not done there, though the youngest generation has more than half of the pages."""
    pages = mglru(3)
    pages.bring_in(0, 1, 2)
    for priority in (12, 12, 12):
        assert pages.shrink(1, priority, is_memcg=True) == []
    assert policy_of(pages).generations.max_seq == 3


def test_passes_of_61_age_and_evict() -> None:
    """6.12 ends the pass that had to age, here because most pages are young."""
    for era, freed in (("6.1", [6, 7]), ("6.12", [])):
        pages = aged(8, era=era)
        for page in range(6):
            pages.policy.activate(page)
        assert pages.shrink(2, priority=3, is_memcg=True) == freed
        assert policy_of(pages).generations.max_seq == 6


def test_four_generations_at_most() -> None:
    """What is in the oldest joins the next."""
    pages = mglru(3)
    pages.bring_in(0)
    for page in (1, 2):
        age(pages)
        pages.bring_in(page)
    pages.forget_accesses()
    generations = policy_of(pages).generations
    generations.try_to_inc_min_seq(True)
    age(pages)
    assert lists(pages) == [[0], [1], [2], []]
    age(pages)
    assert lists(pages) == [[0, 1], [2], [], []]


# Page tables.


def memory_of(numbers: list[int], owner: list[int] | None = None) -> Memory:
    """Page tables with a page at each of the virtual page numbers."""
    owners = np.array(owner or [0] * len(numbers), dtype=np.uint16)
    return Memory(len(numbers), owners, np.array(numbers, dtype=np.uint64))


def test_looking_around_takes_64_entries() -> None:
    """32 to each side of the page, shifted where its table begins or ends."""
    memory = memory_of(list(range(512, 1536)))
    walks = PageWalk(memory, bytes(1024))
    for page, first in ((0, 0), (20, 0), (100, 68), (511, 448), (512, 512), (1023, 960)):
        memory.pte[:] = bytes([ACCESSED]) * 1024
        assert walks.look_around(page) == [near for near in range(first, first + 64) if near != page]
        assert memory.pte.count(0) == 64


def test_looking_around_stays_with_task_kind_and_table() -> None:
    """Pages that lie beside one another by their numbers only are none of its business."""
    memory = memory_of([511, 512, 513, 514, 513], owner=[0, 0, 0, 0, 1])
    memory.pte[:] = bytes([ACCESSED]) * 5
    assert PageWalk(memory, bytes([0, 0, 0, 1, 0])).look_around(1) == [2]


def test_tables_with_few_accessed_pages_are_skipped_next_time() -> None:
    """Fewer than one in eight entries; the first walk looks everywhere, and looking around brings a table back."""
    memory = memory_of(list(range(1024)))
    walks = PageWalk(memory, bytes(1024))

    def accessed(*pages: int) -> list[int]:
        for page in pages:
            memory.pte[page] = ACCESSED
        return [int(page) for page in walks.walk((ANON, FILE))]

    assert accessed(0, *range(512, 576)) == [0, *range(512, 576)]
    assert accessed(1, 600) == [600]
    memory.pte[1] = 0
    memory.pte[2] = ACCESSED
    for near in range(20, 27):
        memory.pte[near] = ACCESSED
    walks.look_around(2)
    assert accessed(3, 601) == [3]


def test_a_walk_of_nothing_keeps_the_filter_before_last() -> None:
    """A task that has not run since the last walk is passed over, and the next walk looks everywhere still."""
    memory = memory_of(list(range(1024)))
    walks = PageWalk(memory, bytes(1024))
    memory.pte[0] = ACCESSED
    walks.walk((ANON, FILE))
    assert len(walks.walk((ANON, FILE))) == 0
    memory.pte[700] = ACCESSED
    assert walks.walk((ANON, FILE)).tolist() == [700]


def test_a_trace_says_where_pages_are() -> None:
    """Numbers and tasks of the trace are the page tables' addresses."""
    trace = make_trace([[(7, 0), (8, 0)], [(8, 0)]])
    memory = Memory(trace.pages, trace.owner, trace.numbers)
    memory.pte[:] = bytes([ACCESSED]) * 3
    assert PageWalk(memory, bytes(3)).look_around(0) == [1]


# Eviction.


def test_an_accessed_page_has_a_second_chance() -> None:
    """It and its accessed neighbours are the youngest; of the batch, too."""
    pages = aged(12)
    for page in (1, 2, 9):
        pages.access(page)
    assert pages.shrink(1, priority=2, is_memcg=True) == [0, 3]
    assert pages.tried == [0, 3]
    assert lists(pages) == [[4, 5, 6, 7, 8, 10, 11], [], [9, 1, 2]]
    assert not pages.memory.pte[9] & ACCESSED
    assert pages.counters.pgscan == 4
    assert pages.counters.pgactivate == 1


def test_kswapd_moves_neighbours_in_generation_only() -> None:
    """It has a walk at hand, which keeps the account of generations."""
    pages = aged(12)
    pages.access(0)
    pages.access(9)
    pages.shrink(1, priority=2, is_kswapd=True)
    assert lists(pages) == [[4, 5, 6, 7, 8, 9, 10, 11], [], [0]]
    assert seq_of(pages, 9) == 0


@pytest.mark.parametrize(("outcome", "seq"), [(KEPT, -1), (ACTIVATED, 0)])
def test_a_page_that_cannot_be_freed(outcome: int, seq: int) -> None:
    """Being written it is the second youngest, otherwise the youngest."""
    pages = aged(8)
    pages.outcomes = {0: outcome}
    pages.shrink(1, priority=2, is_memcg=True)
    assert seq_of(pages, 0) == seq


@pytest.mark.parametrize("state", [WRITEBACK, UNFLUSHED])
def test_a_page_to_be_written_waits_in_the_next_generation(state: int) -> None:
    """Met in the oldest generation it is not tried, but will be when its write has ended."""
    pages = aged(8)
    pages.memory.flags[0] |= state
    assert pages.shrink(1, priority=2, is_memcg=True) == [1, 2, 3, 4]
    assert seq_of(pages, 0) == -1
    assert pages.memory.flags[0] & RECLAIM


def test_a_memcg_pass_is_not_cut_short() -> None:
    """Half of the pages are asked for by the priority; a direct reclaimer of the whole machine stops at its target."""
    assert len(aged(16).shrink(1, priority=1, is_memcg=True)) == 8
    assert len(aged(16).shrink(1, priority=1)) == 4


@pytest.mark.parametrize(
    ("era", "wanted", "above", "freed"),
    [("6.12", 1000, 65, 4), ("6.12", 1000, 64, 8), ("6.1", 4, 1, 4), ("6.1", 4, 0, 8), ("6.1", 1000, 65, 8)],
)
def test_kswapd_stops_early_where_every_zone_has_enough(era: str, wanted: int, above: int, freed: int) -> None:
    """After one of two batches: 6.12 with 64 pages above the high marks, 6.1 above them and with what it wanted."""
    pages = aged(16, era=era)
    pages.pressure = Pressure(wanted, is_kswapd=True)
    pages.pressure.above_high = lambda margin: above > margin
    pages.pressure.priority = 1
    assert sum(policy_of(pages).shrink(pages.pressure, pages.pageout)) == freed


def test_kswapd_begins_where_one_pass_should_do() -> None:
    """set_initial_priority: log2 of the old pages less that of the target, between 6 and 12."""
    pages = aged(2000)
    policy = policy_of(pages)
    for wanted, is_memcg, priority in ((63, False, 12), (64, False, 6), (1000, False, 6), (1000, True, 12)):
        pressure = Pressure(wanted, is_kswapd=not is_memcg, is_memcg=is_memcg)
        policy._set_initial_priority(pressure)
        assert pressure.priority == priority


# Refaults.


def evict_all(pages: Pages) -> list[int]:
    """Pass after pass at the last priority."""
    freed: list[int] = []
    for _ in range(8):
        freed += pages.shrink(10**6, is_memcg=True)
    return freed


def test_a_refault_from_the_oldest_generation_is_spared_once() -> None:
    """Unused after its return it goes to the next generation instead of leaving, and leaves with that."""
    pages = aged(8)
    assert pages.shrink(1, priority=2, is_memcg=True) == [0, 1, 2, 3]
    pages.bring_in(0, refault=True)
    counters, generations = pages.counters, policy_of(pages).generations
    assert (counters.workingset_refault_anon, counters.workingset_activate_anon) == (1, 1)
    assert (generations.rates.evicted[ANON], generations.rates.refaulted[ANON]) == (4, 1)
    pages.forget_accesses()
    assert pages.shrink(1, priority=1, is_memcg=True) == [4, 5, 6, 7]
    for spared, left in (([], [[0], []]), ([0], [[], []])):
        while generations.count(ANON) < 3 or not lists(pages)[0]:
            age(pages)
            generations.try_to_inc_min_seq(True)
        assert pages.shrink(1, is_memcg=True) == spared
        assert lists(pages) == left


def test_a_refault_from_an_older_generation_is_just_a_fault() -> None:
    """6.12 counts it as a refault; 6.1 does not."""
    for era, refaults in (("6.1", 0), ("6.12", 1)):
        pages = aged(4, era=era)
        assert evict_all(pages) == [0, 1, 2, 3]
        age(pages)
        policy_of(pages).generations.try_to_inc_min_seq(True)
        pages.bring_in(0, refault=True)
        assert pages.counters.workingset_refault_anon == refaults
        assert pages.counters.workingset_activate_anon == 0
        assert not policy_of(pages).generations.protected[0]


# Anonymous and file pages.


def test_file_pages_go_first_while_few_come_back() -> None:
    """Fewer than 64 refaults are no reason to swap."""
    pages = aged(16, files=range(8, 16))
    assert pages.shrink(1, priority=4, is_memcg=True) == [8, 9, 10, 11]


def test_refault_rates_are_weighed_by_swappiness() -> None:
    """At 100 by rate alone; below, anonymous pages must come back less often to be chosen."""
    rates = RefaultRates()
    rates.evicted = [10_000, 10_000]
    rates.refaulted = [500, 1000]
    assert rates.kind_to_scan(100) == ANON
    assert rates.kind_to_scan(60) == FILE
    rates.refaulted = [500, 63]
    assert rates.kind_to_scan(199) == FILE


def test_a_used_up_generation_counts_half() -> None:
    """Few refaults of late are few, many as they once were."""
    rates = RefaultRates()
    rates.evicted, rates.refaulted = [10_000, 1000], [0, 100]
    assert rates.kind_to_scan(100) == ANON
    rates.carry_over(FILE)
    assert (rates.evicted[FILE], rates.refaulted[FILE]) == (0, 0)
    assert rates.kind_to_scan(100) == FILE


@pytest.mark.parametrize(("swappiness", "first"), [(1, 8), (200, 0), (0, 8)])
def test_the_ends_of_swappiness(swappiness: int, first: int) -> None:
    """1: file first; 200: anonymous first; 0: file only."""
    pages = aged(16, files=range(8, 16), reclaim__swappiness=swappiness)
    freed = pages.shrink(1, priority=3, is_memcg=True)
    assert freed[0] == first
    freed += evict_all(pages)
    assert sorted(freed) == list(range(0 if swappiness else 8, 16))


def test_without_swap_only_files_are_walked() -> None:
    """Anonymous pages keep their accessed bits and are never evicted, however many generations pass."""
    pages = mglru(8, files=range(4, 8), reclaim__swappiness=0)
    pages.bring_in(*range(8))
    for _ in range(6):
        pages.shrink(10**6, is_memcg=True)
        policy_of(pages)
    assert pages.memory.pte[0] & ACCESSED
    assert all(pages.memory.flags[page] & FRAME for page in range(4))
    assert all(pages.memory.flags[page] == SEEN for page in range(4, 8))


def test_accesses_that_leave_no_trace() -> None:
    """A file mapped MADV_RANDOM: its pages start among the oldest, nobody looks at their bits, and they go first."""
    pages = mglru(8, files=range(4, 8), reclaim__file_recency=False)
    pages.bring_in(*range(8))
    assert lists(pages, FILE) == [[], [4, 5, 6, 7], [], []]
    assert pages.shrink(1, priority=2, is_memcg=True) == [4, 5, 6, 7]
    pages.bring_in(4, refault=True)
    assert seq_of(pages, 4) < seq_of(pages, 0)
    assert pages.counters.workingset_activate_file == 1
    assert not policy_of(pages).generations.protected[4]
    age(pages)
    assert pages.memory.pte[4] & ACCESSED
    assert not pages.memory.pte[0] & ACCESSED


def test_a_page_written_while_off_the_lists_is_tried_again() -> None:
    """Its write ended before the batch was put back, so that nothing could make it the next: it goes at once."""
    pages = mglru(8)
    pages.bring_in(*range(8))
    age(pages)
    pages.forget_accesses()
    pages.outcomes = {0: KEPT, 1: KEPT}

    def ended(page: int) -> None:
        if page == 2:
            assert not pages.end_write(0)
            pages.outcomes[0] = FREED

    pages.during = ended
    freed: list[int] = []
    while 2 not in freed:
        freed += pages.shrink(10**6, is_memcg=True)
    assert 0 in freed and 1 not in freed
