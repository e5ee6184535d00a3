"""The audit: every way of losing or confusing a page that could be thought of is noticed."""

from collections.abc import Callable

import pytest

from tests.machines import SizesByHash, SizesByPage, config_of, make_trace
from zsim.engine import Engine
from zsim.memory import FRAME, PG_DIRTY, SEEN, SWAPCACHE

TRACE = make_trace([[(page, 1) for page in range(30)] + [(page, 0) for page in range(6)]], files=frozenset({(0, 29)}))


def audited() -> Engine:
    """30 pages written, most of them stored, the first six read again; page 29 is a file's and dirty."""
    config = config_of(pages=20, memory__mode="memcg", reclaim__policy="fifo", reclaim__batch=4, memory__entry_bytes=0)
    engine = Engine(TRACE, config, SizesByPage(), check=True)
    engine.run()
    return engine


def evicted(engine: Engine) -> int:
    """A page that is in the store alone."""
    flags = engine.machine.memory.flags
    return next(page for page in range(30) if not flags[page] & FRAME and engine.machine.memory.slot[page] >= 0)


def dirty(engine: Engine) -> int:
    """A page whose only copy is in memory."""
    return next(page for page in range(29) if engine.machine.memory.flags[page] & PG_DIRTY)


def take_frame_away(engine: Engine, page: int, flags: int) -> None:
    """Reclaim that frees a frame and asks no questions."""
    machine = engine.machine
    machine.policy.remove(page)
    machine.memory.frames -= 1
    machine.memory.pte[page] = 0
    machine.memory.flags[page] = flags


def drop_a_dirty_page(engine: Engine) -> None:
    """The frame of a page without a copy goes."""
    take_frame_away(engine, dirty(engine), SEEN)


def drop_a_page_written_since(engine: Engine) -> None:
    """A page that kept its copy is written, and dropped as if it were clean."""
    page = 0
    assert engine.machine.memory.flags[page] & SWAPCACHE
    engine.audit._writes[0][page] = engine.audit._writes[0][page].tolist() + [33]
    take_frame_away(engine, page, SEEN)


def lose_a_slot(engine: Engine) -> None:
    """A stored page no longer knows where it is."""
    page = evicted(engine)
    engine.machine.slots.free(engine.machine.memory.slot[page])
    engine.machine.memory.slot[page] = -1


def map_without_a_frame(engine: Engine) -> None:
    """A page is mapped that has no frame."""
    engine.machine.memory.pte[evicted(engine)] = 1


def leave_it_dirty(engine: Engine) -> None:
    """A page without a frame that claims to be newer than its copy."""
    engine.machine.memory.flags[evicted(engine)] |= PG_DIRTY


@pytest.mark.parametrize(
    "damage",
    [drop_a_dirty_page, drop_a_page_written_since, lose_a_slot, map_without_a_frame, leave_it_dirty],
)
def test_validate_notices(damage: Callable[[Engine], None]) -> None:
    """Sound before, not after."""
    engine = audited()
    assert engine.audit is not None
    engine.audit.validate()
    damage(engine)
    with pytest.raises(AssertionError):
        engine.audit.validate()


def hand_back_a_stale_copy(engine: Engine, page: int) -> None:
    """What is stored is of a version before the last write."""
    engine.audit._copies[page] = 0


def hand_back_other_contents(engine: Engine, page: int) -> None:
    """The entry of the slot holds another page's contents."""
    store, slot = engine.machine.store, engine.machine.memory.slot[page]
    handle, size, content, owner = store.entries[slot]
    store.entries[slot] = (handle, size, content + 1, owner)


def hand_back_what_was_never_stored(engine: Engine, page: int) -> None:
    """Nobody ever wrote this copy."""
    del engine.audit._copies[page]


@pytest.mark.parametrize("damage", [hand_back_a_stale_copy, hand_back_other_contents, hand_back_what_was_never_stored])
def test_read_notices(damage: Callable[[Engine, int], None]) -> None:
    """A fault is stopped by what it would bring back."""
    engine = audited()
    page = evicted(engine)
    damage(engine, page)
    engine.machine.begin(10**9)
    with pytest.raises(AssertionError, match=rf"page {page}"):
        engine.faults.fault(page, 0, 10**9)


def test_a_dirty_file_page_dropped_is_noticed() -> None:
    """Page 29 was written and its file was not."""
    engine = audited()
    assert engine.machine.memory.flags[29] & FRAME
    take_frame_away(engine, 29, SEEN)
    with pytest.raises(AssertionError):
        engine.audit.validate()


def test_an_entry_without_a_slot_is_noticed() -> None:
    """A slot was freed and its copy forgotten in the pool."""
    engine = audited()
    engine.machine.store.store(engine.machine.slots.slots - 1, 0, 0)
    with pytest.raises(AssertionError):
        engine.audit.validate()


def test_a_slot_outside_the_swap_cache_is_noticed() -> None:
    """A page with a frame and a slot is in the swap cache."""
    engine = audited()
    assert engine.machine.memory.flags[0] & SWAPCACHE
    engine.machine.memory.flags[0] &= ~SWAPCACHE
    with pytest.raises(AssertionError):
        engine.audit.validate()


def test_versions_are_the_writes_so_far() -> None:
    """A page's version counts its writes that have been replayed."""
    trace = make_trace([[(0, 1), (1, 0), (0, 1), (0, 0), (0, 1)]])
    engine = Engine(trace, config_of(pages=200), SizesByHash(), check=True)
    assert engine.audit is not None
    seen = []
    for row in range(6):
        engine.machine.cursors[0] = row
        seen.append((engine.audit.version(0), engine.audit.version(1)))
    assert seen == [(0, 0), (1, 0), (1, 0), (2, 0), (2, 0), (3, 0)]


def test_audits_happen_as_often_as_told() -> None:
    """Every check.every faults, and at the end."""
    config = config_of(pages=200, check__every=7)
    engine = Engine(make_trace([[(page, 0) for page in range(30)]]), config, SizesByHash(), check=True)
    assert engine.audit is not None
    at: list[int] = []
    engine.audit.validate = lambda: at.append(engine.machine.counters.pgfault)
    engine.run()
    assert at == [7, 14, 21, 28, 30]
