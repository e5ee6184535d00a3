"""Every registered policy keeps the promises of the protocol, and any two engines agree on what it does."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.machines import configs, left_behind, replayed, traces
from tests.reclaim.pages import Pages
from zsim.config import Config
from zsim.memory import FRAME, PRESENT
from zsim.reclaim import ACTIVATED, FREED, KEPT, RECLAIM
from zsim.traces.trace import Trace

LOOSE = settings(deadline=None, max_examples=35, suppress_health_check=[HealthCheck.too_slow])
policies = pytest.mark.parametrize("policy", RECLAIM.names())

PAGES = 24
ACTS = st.tuples(
    st.sampled_from(["insert", "insert", "insert", "readahead", "access", "access", "remove", "activate", "rotate"]),
    st.integers(0, PAGES - 1),
)
PASSES = st.tuples(st.just("shrink"), st.integers(1, 12))


def act(pages: Pages, what: str, page: int) -> None:
    """One thing that may happen to a page as it is."""
    has_frame = pages.memory.flags[page] & FRAME
    if what in ("insert", "readahead"):
        if not has_frame:
            pages.bring_in(page, refault=bool(pages.memory.flags[page]), accessed=what == "insert")
    elif has_frame:
        if what == "access":
            pages.access(page)
        elif what == "remove":
            pages.drop(page)
        elif what == "activate":
            pages.policy.activate(page)
        else:
            pages.end_write(page)


def resident(pages: Pages) -> set[int]:
    """Pages with a frame."""
    return {page for page in range(PAGES) if pages.memory.flags[page] & FRAME}


def full(policy: str, files: frozenset[int] = frozenset()) -> Pages:
    """Every page has a frame, none of them accessed of late."""
    pages = Pages(policy, PAGES, files, reclaim__batch=4)
    pages.bring_in(*range(PAGES))
    pages.forget_accesses()
    return pages


def first_pass(pages: Pages, wanted: int) -> None:
    """The first pass that tries a page: a policy may have to sort its pages by age before."""
    for _ in range(4):
        pages.forget_accesses()
        pages.shrink(wanted)
        if pages.tried:
            return


@policies
@LOOSE
@given(
    acts=st.lists(st.one_of(ACTS, ACTS, PASSES), max_size=80),
    files=st.frozensets(st.integers(0, PAGES - 1)),
    outcomes=st.lists(st.sampled_from([FREED, FREED, KEPT, ACTIVATED]), min_size=PAGES, max_size=PAGES),
    batch=st.sampled_from([1, 4, 32]),
)
def test_any_order(
    policy: str, acts: list[tuple[str, int]], files: frozenset[int], outcomes: list[int], batch: int
) -> None:
    """No page is lost or freed twice, none is tried twice in a pass."""
    pages = Pages(policy, PAGES, files, reclaim__batch=batch)
    pages.outcomes = dict(enumerate(outcomes))
    for what, number in acts:
        before = resident(pages)
        if what == "shrink":
            pages.shrink(number, priority=number - 1)
            assert max(Counter(pages.tried).values(), default=0) <= 1
            assert resident(pages) == before - set(pages.evicted)
        else:
            act(pages, what, number)
        pages.policy.validate()


@policies
@pytest.mark.parametrize("outcome", [KEPT, ACTIVATED])
def test_a_pass_ends_where_nothing_can_be_freed(policy: str, outcome: int) -> None:
    """Each page is tried at most once and stays; so it is at every priority."""
    pages = full(policy)
    pages.outcomes = dict.fromkeys(range(PAGES), outcome)
    for priority in range(12, -1, -1):
        pages.forget_accesses()
        pages.shrink(10**6, priority)
        assert max(Counter(pages.tried).values(), default=0) <= 1
        pages.policy.validate()
    pages.policy.snapshot_refaults()
    assert resident(pages) == set(range(PAGES))


@policies
def test_everything_can_be_freed(policy: str) -> None:
    """Pass after pass at the last priority, wherever pages are."""
    pages = full(policy, files=frozenset(range(0, PAGES, 3)))
    for page in range(0, PAGES, 2):
        pages.policy.activate(page)
    freed: list[int] = []
    for _ in range(6):
        pages.forget_accesses()
        freed += pages.shrink(10**6)
    assert sorted(freed) == list(range(PAGES))
    pages.policy.validate()


@policies
def test_a_pass_stops_when_it_has_enough(policy: str) -> None:
    """At most a batch more than was asked."""
    pages = full(policy)
    first_pass(pages, 4)
    assert 4 <= len(pages.evicted) <= 8


@policies
def test_a_page_whose_write_has_ended_is_next(policy: str) -> None:
    """Before every other, where nobody has used it since."""
    pages = full(policy)
    pages.outcomes = dict.fromkeys(range(PAGES), KEPT)
    first_pass(pages, 1)
    written = pages.tried[0]
    pages.outcomes = {}
    pages.end_write(written)
    first_pass(pages, 1)
    assert pages.evicted[0] == written
    assert not pages.memory.pte[written] & PRESENT


@policies
def test_pages_may_come_in_during_a_pass(policy: str) -> None:
    """Writeback gives pages a frame while one is being freed; none is lost for it."""
    pages = full(policy)
    pages.shrink(8)
    coming = list(pages.evicted)
    pages.during = lambda _: pages.bring_in(coming.pop(), refault=True, accessed=False) if coming else None
    before = resident(pages) | set(coming)
    for _ in range(4):
        pages.forget_accesses()
        pages.shrink(6)
        before -= set(pages.evicted)
        assert resident(pages) == before - set(coming)
        before |= set(coming)
        pages.policy.validate()


@policies
@LOOSE
@given(trace=traces(), data=st.data())
def test_fast_equals_reference(policy: str, trace: Trace, data: st.DataObject) -> None:
    """On any machine, with the audit after every fault."""
    chosen = {"reclaim.policy": st.just(policy), "check.every": st.just(1)}
    config: Config = data.draw(configs(**chosen))
    fast = left_behind(replayed(trace, config, check=True))
    assert fast == left_behind(replayed(trace, config, reference=True))
