"""Linux's two lists: where pages start, who gets a second look, what a refault is worth."""

import pytest

from tests.reclaim.pages import Pages
from zsim.memory import ACCESSED
from zsim.reclaim import ACTIVATED, KEPT
from zsim.reclaim.balance import ACTIVE_ANON, ACTIVE_FILE, ANON, INACTIVE_ANON, INACTIVE_FILE
from zsim.reclaim.two_list import WORKINGSET, TwoList


def lists(pages: Pages) -> list[list[int]]:
    """Each list from its tail, where reclaim looks, to its head."""
    assert isinstance(pages.policy, TwoList)
    pages.policy.validate()
    return [list(members) for members in pages.policy.lists]


def two_list(count: int, **values: object) -> Pages:
    """6.1's two lists over `count` pages, in batches of two."""
    return Pages("two-list", count, **{"reclaim__batch": 2, **values})


def test_new_pages_start_inactive() -> None:
    """Since 5.9 anonymous pages do as file pages always did."""
    pages = two_list(4, files=[1, 3])
    pages.bring_in(0, 1, 2, 3)
    assert lists(pages) == [[0, 2], [], [1, 3], []]


def test_anonymous_pages_started_active() -> None:
    """In 3.11."""
    pages = two_list(4, files=[1], era="3.11")
    pages.bring_in(0, 1, 2)
    assert lists(pages) == [[], [0, 2], [1], []]


def test_the_tail_of_the_inactive_list_leaves_first() -> None:
    """Pages nobody looked at leave in the order they came; priority 1 scans half of the list."""
    pages = two_list(4)
    pages.bring_in(3, 1, 0, 2)
    pages.forget_accesses()
    assert pages.shrink(4, priority=1) == [3, 1]
    assert lists(pages)[INACTIVE_ANON] == [0, 2]
    assert pages.counters.pgscan == 2


def test_two_looks_make_a_page_active() -> None:
    """Accessed at the first look: back to the head of the inactive list; at the second: to the active list."""
    pages = two_list(4)
    pages.bring_in(0, 1, 2, 3)
    assert pages.shrink(2, priority=1) == []
    assert lists(pages)[INACTIVE_ANON] == [2, 3, 0, 1]
    assert not pages.memory.pte[0] & ACCESSED
    pages.access(0)
    assert pages.shrink(2) == [1]
    assert lists(pages)[:2] == [[2, 3], [0]]
    assert pages.counters.pgactivate == 1


def test_a_look_in_vain_takes_the_first_back() -> None:
    """A page seen accessed, then not, is tried; where it cannot be freed its next access counts as the first."""
    pages = two_list(1)
    pages.bring_in(0)
    pages.shrink(1)
    pages.outcomes = {0: KEPT}
    pages.shrink(1)
    assert pages.tried == [0]
    pages.access(0)
    pages.shrink(1)
    assert lists(pages)[:2] == [[0], []]
    assert pages.counters.pgactivate == 0


def test_one_look_made_a_page_active() -> None:
    """In 3.11 an accessed inactive anonymous page is activated at once."""
    pages = two_list(4, era="3.11", reclaim__new_anon="inactive", reclaim__batch=2)
    pages.bring_in(0, 1, 2, 3)
    pages.memory.pte[1] &= ~ACCESSED
    assert pages.shrink(2, priority=1) == [1]
    assert lists(pages)[:2] == [[2, 3], [0]]


def test_page_cache_always_had_a_second_look() -> None:
    """In 3.11, too: an accessed inactive page of a file stays inactive the first time."""
    pages = two_list(4, files=[0, 1, 2, 3], era="3.11", reclaim__batch=2)
    pages.bring_in(0, 1, 2, 3)
    pages.memory.pte[1] &= ~ACCESSED
    assert pages.shrink(2, priority=1) == [1]
    assert lists(pages)[2:] == [[2, 3, 0], []]


def test_was_active() -> None:
    """A page on an active list, or deactivated from there, was active; a new one never was."""
    pages = two_list(3)
    pages.bring_in(0, 1, 2)
    pages.forget_accesses()
    assert isinstance(pages.policy, TwoList)
    pages.policy.activate(0)
    pages.policy.activate(1)
    assert pages.policy.lru_pages() == (1, 2, 0, 0)
    assert [pages.policy.was_active(page) for page in range(3)] == [True, True, False]
    pages.shrink(0)
    assert 0 in lists(pages)[INACTIVE_ANON] and pages.policy.was_active(0)


def test_what_pageout_says_decides_the_list() -> None:
    """ACTIVATED goes to the active list, KEPT to the inactive head, and neither is tried twice in a pass."""
    pages = two_list(8)
    pages.bring_in(*range(8))
    pages.forget_accesses()
    pages.outcomes = {0: ACTIVATED, 1: KEPT}
    assert pages.shrink(3) == [2, 3]
    assert pages.tried == [0, 1, 2, 3]
    assert lists(pages)[:2] == [[4, 5, 6, 7, 1], [0]]


def test_a_written_page_is_next() -> None:
    """rotate: to the tail of the inactive list, also from the active one."""
    pages = two_list(4)
    pages.bring_in(0, 1, 2, 3)
    pages.policy.activate(2)
    assert lists(pages)[:2] == [[0, 1, 3], [2]]
    pages.end_write(2)
    assert lists(pages)[:2] == [[2, 0, 1, 3], []]
    assert (pages.counters.pgactivate, pages.counters.pgrotated) == (1, 1)


def test_the_active_list_feeds_an_inactive_one_that_is_low() -> None:
    """From its tail, wanted or not: bits are cleared, the pages marked as of the working set."""
    pages = two_list(8)
    pages.bring_in(*range(8))
    for page in (5, 6, 7, 1, 0):
        pages.policy.activate(page)
    assert lists(pages)[:2] == [[2, 3, 4], [5, 6, 7, 1, 0]]
    pages.policy.flush_statistics()
    assert pages.policy.balance.inactive_is_low(ANON)
    pages.shrink(99, priority=12)
    assert lists(pages)[:2] == [[2, 3, 4, 5, 6], [7, 1, 0]]
    assert not pages.memory.pte[5] & ACCESSED
    assert pages.policy.marks[5] & WORKINGSET
    assert pages.counters.pgdeactivate == 2


def test_an_active_list_that_is_short_is_left_alone_unless_forced() -> None:
    """What a pass spared for want of need, try_harder lets the next round take, once."""
    pages = two_list(8)
    pages.bring_in(*range(8))
    pages.policy.activate(0)
    pages.policy.activate(1)
    pages.outcomes = dict.fromkeys(range(8), KEPT)
    pages.shrink(99)
    assert lists(pages)[ACTIVE_ANON] == [0, 1]
    assert pages.policy.try_harder()
    pages.shrink(99)
    assert lists(pages)[ACTIVE_ANON] == []
    assert not pages.policy.try_harder()
    pages.policy.snapshot_refaults()
    assert not pages.policy.balance.force_deactivate


def evicted_among(active: int, era: str = "6.1") -> Pages:
    """Page 0 has been evicted; `active` others are active, one is inactive."""
    pages = Pages("two-list", 12, era=era, reclaim__new_anon="inactive", reclaim__batch=1)
    pages.bring_in(0, 1)
    pages.forget_accesses()
    assert pages.shrink(1) == [0]
    pages.bring_in(*range(2, 2 + active))
    for page in range(2, 2 + active):
        pages.policy.activate(page)
    return pages


@pytest.mark.parametrize(
    ("evicted_since", "active", "wanted"), [(0, 2, True), (1, 0, False), (2, 4, True), (5, 4, False)]
)
def test_a_refault_within_the_working_set_starts_active(evicted_since: int, active: int, wanted: bool) -> None:
    """Its distance, evictions and activations since and itself, against the pages it would have competed with."""
    pages = evicted_among(active)
    pages.policy.nonresident_age += evicted_since
    pages.policy.flush_statistics()
    pages.bring_in(0, refault=True)
    assert (0 in lists(pages)[ACTIVE_ANON]) == wanted
    assert pages.counters.workingset_refault_anon == 1
    assert pages.counters.workingset_activate_anon == wanted


@pytest.mark.parametrize(("anonymous", "wanted"), [(0, False), (6, True)])
def test_file_refaults_compete_with_all_anonymous_pages(anonymous: int, wanted: bool) -> None:
    """And with the active file pages, but not with the inactive ones they were evicted from."""
    pages = Pages("two-list", 16, files=range(8), reclaim__batch=1)
    pages.bring_in(*range(8))
    pages.forget_accesses()
    pages.shrink(3)
    assert pages.evicted == [0, 1, 2]
    pages.bring_in(*range(8, 8 + anonymous))
    pages.policy.flush_statistics()
    pages.bring_in(0, refault=True)
    assert (0 in lists(pages)[ACTIVE_FILE]) == wanted
    assert (0 in lists(pages)[INACTIVE_FILE]) != wanted
    assert (pages.counters.workingset_refault_file, pages.counters.workingset_activate_file) == (1, wanted)


def test_a_refault_of_the_working_set_keeps_its_mark_and_costs() -> None:
    """A page that had been active once and comes back soon makes its kind dearer to reclaim."""
    pages = two_list(8)
    pages.bring_in(*range(8))
    for page in (0, 1, 2, 3, 4):
        pages.policy.activate(page)
    pages.shrink(99, priority=12)
    pages.forget_accesses()
    pages.outcomes = dict.fromkeys((5, 6, 7), KEPT)
    while 0 not in pages.shrink(2):
        pass
    cost = pages.policy.balance._cost[ANON]
    pages.bring_in(0, refault=True)
    assert pages.policy.marks[0] & WORKINGSET
    assert lists(pages)[ACTIVE_ANON][-1] == 0
    assert pages.policy.balance._cost[ANON] == cost + 1


def test_anonymous_refaults_meant_nothing() -> None:
    """In 3.11 they are counted and no more."""
    pages = evicted_among(3, era="3.11")
    pages.bring_in(0, refault=True)
    assert 0 in lists(pages)[INACTIVE_ANON]
    assert (pages.counters.workingset_refault_anon, pages.counters.workingset_activate_anon) == (1, 0)


def test_a_page_given_up_leaves_no_shadow() -> None:
    """Only reclaim remembers what it evicted."""
    pages = two_list(4)
    pages.bring_in(0, 1)
    pages.drop(0)
    pages.bring_in(0, refault=True)
    assert pages.counters.workingset_refault_anon == 0


def test_a_pass_goes_by_what_it_freed_itself() -> None:
    """shrink_lruvec's count begins anew with each pass; enough of earlier passes does not end this one."""
    pages = two_list(8)
    pages.bring_in(*range(8))
    pages.forget_accesses()
    assert pages.shrink(4, priority=1, progress=4) == [0, 1, 2, 3]


def test_reclaim_goes_by_statistics_of_the_last_flush() -> None:
    """Between flushes the lists may grow or shrink unnoticed: here inactive pages are few, and then known."""
    pages = two_list(8, reclaim__stats_interval_ns=10**18)
    pages.bring_in(*range(8))
    assert pages.policy.balance.known == [0, 0, 0, 0]
    pages.shrink(1, priority=12)
    assert pages.policy.balance.known == [0, 0, 0, 0]  # not even for the first pass
    pages.policy.flush_statistics()
    assert pages.policy.balance.known == [8, 0, 0, 0]
    for page in (5, 6, 7, 1, 0):
        pages.policy.activate(page)
    pages.shrink(1, priority=12)
    assert len(lists(pages)[ACTIVE_ANON]) == 5
    pages.policy.flush_statistics()
    pages.shrink(1, priority=12)
    assert len(lists(pages)[ACTIVE_ANON]) == 3


def test_kswapd_ages_anonymous_pages_before_and_after_it_scans() -> None:
    """kswapd_age_node: the inactive list gets pages at the start of a pass of kswapd's, too."""
    pages = two_list(12)
    pages.bring_in(*range(12))
    for page in range(10):
        pages.policy.activate(page)
    pages.policy.flush_statistics()
    pages.shrink(1, priority=12, is_kswapd=True)
    assert pages.counters.pgdeactivate == 4
