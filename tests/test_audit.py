"""The audit: every way of losing or confusing a page that could be thought of is noticed."""

from collections.abc import Callable, Iterator
from itertools import cycle, product

import pytest

from tests.machines import SizesByHash, SizesByPage, config_of, make_trace, replayed
from zsim.allocators import ALLOCATORS
from zsim.audit import CheckedCleancache
from zsim.config import Config
from zsim.devices import DEVICES
from zsim.engine import Engine
from zsim.eras import ERAS
from zsim.faults import Faults
from zsim.machine import Machine
from zsim.memory import FRAME, PG_DIRTY, SEEN, SWAPCACHE
from zsim.stores import ACCEPTED, STORES
from zsim.stores.tmem import TmemPool
from zsim.stores.zram import Zram
from zsim.stores.zswap import Zswap
from zsim.traces.trace import Trace
from zsim.vmscan import Vmscan
from zsim.writeback import WRITEBACK
from zsim.writes import Write, Writes

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


def forget_an_entry(engine: Engine) -> None:
    """The store drops what it has of a page, and nobody wrote it anywhere."""
    engine.machine.store.invalidate(engine.machine.memory.slot[evicted(engine)])


def call_it_zeros(engine: Engine) -> None:
    """The zero map has a page that the store has, too."""
    engine.machine.zero_pages.add(evicted(engine))


@pytest.mark.parametrize(
    "damage",
    [
        drop_a_dirty_page, drop_a_page_written_since, lose_a_slot, map_without_a_frame, leave_it_dirty, forget_an_entry,
        call_it_zeros,
    ],
)  # fmt: skip
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


def on_the_device() -> tuple[Engine, int]:
    """A replay without a store, and a page that the device has alone."""
    config = config_of(pages=20, memory__mode="memcg", reclaim__policy="fifo", reclaim__batch=4, store="none")
    engine = Engine(TRACE, config, SizesByPage(), check=True)
    engine.run()
    assert engine.audit is not None
    engine.audit.validate()
    return engine, evicted(engine)


def test_what_never_was_submitted_is_not_on_the_device() -> None:
    """Memory is given up for a page that the device knows nothing of."""
    engine, page = on_the_device()
    assert engine.audit is not None
    del engine.audit._on_device[engine.machine.memory.slot[page]]
    with pytest.raises(AssertionError, match=f"page {page}: not in the store, nor on the device"):
        engine.audit.validate()


def test_another_page_of_the_device_is_noticed() -> None:
    """The block was written since, with another page."""
    engine, page = on_the_device()
    assert engine.audit is not None
    engine.audit._on_device[engine.machine.memory.slot[page]] = page + 1, 1
    with pytest.raises(AssertionError, match=f"page {page}:"):
        engine.audit.read(page)


def test_what_a_device_failed_is_in_memory_alone() -> None:
    """A page whose write failed is dirty again; dropped as if it were clean, it is lost."""
    engine = audited()
    assert engine.audit is not None
    page = evicted(engine)
    engine.audit._submitted(Write(0, [page], True))
    with pytest.raises(AssertionError, match=f"page {page}: version"):
        engine.audit.read(page)


def cached() -> tuple[Engine, CheckedCleancache, int]:
    """A replay of clean pages of files in a zcache, and a page that is there."""
    trace = make_trace([[(page, 0) for page in range(60)]], files=frozenset((0, page) for page in range(60)))
    config = config_of(pages=30, store="zcache2", reclaim__batch=4, memory__min_free_kbytes=16)
    engine = Engine(trace, config, SizesByPage(), check=True)
    engine.run()
    assert engine.audit is not None and engine.audit.cleancache is not None
    engine.audit.validate()
    found = engine.audit.cleancache
    return engine, found, next(page for page in range(60) if found.content_of_file(page) is not None)


def test_a_stale_page_of_a_file_is_noticed() -> None:
    """Written since it was put, or never put, or void."""
    _, cleancache, page = cached()
    cleancache._puts[page] = 1, page
    with pytest.raises(AssertionError, match=f"page {page}: a stale page"):
        cleancache.get_page(page)
    del cleancache._puts[page]
    with pytest.raises(AssertionError, match=f"page {page}: a stale page"):
        cleancache.get_page(page)


def test_a_page_of_a_file_in_two_places_is_noticed() -> None:
    """A get takes the page out."""
    engine, cleancache, page = cached()
    engine.machine.memory.flags[page] |= FRAME
    assert engine.audit is not None
    with pytest.raises(AssertionError, match=f"page {page}: in two places"):
        engine.audit._validate_file_page(page)
    cleancache.invalidate_page(page)
    engine.audit._validate_file_page(page)


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


def choices() -> Iterator[dict[str, object]]:
    """Every store on every allocator, every era with every placement, all of them on every device now and then."""
    devices, eras = cycle(DEVICES.builtin), cycle(ERAS)
    for store, allocator in product(STORES.builtin, ALLOCATORS.builtin):
        yield {"store": store, "allocator": allocator, "era": next(eras), "swap__device": next(devices)}
    for era, writeback in product(ERAS, WRITEBACK.builtin):
        yield {"era": era, "writeback": writeback, "swap__device": next(devices)}


def busy(accesses: int = 600) -> Trace:
    """A task that goes round 60 pages, writes to a third, and unmaps on its way the twelve that are of files."""
    rows = [(row * 7 % 60, row % 3 == 0) for row in range(accesses)]
    files = range(0, 60, 5)
    return make_trace(
        [rows], files=frozenset((0, page) for page in files), remaps=[[(accesses * 2 // 3, page) for page in files]]
    )


def small(**values: object) -> Config:
    """A machine that is too small for that, audited every ten faults."""
    settings = {"pages": 40, "reclaim__batch": 4, "memory__min_free_kbytes": 16, "check__every": 10}
    return config_of(**settings | values)


def test_nothing_is_lost_whatever_is_chosen() -> None:
    """Device failures and out-of-memory among them."""
    few = {"check__every": 50, "zswap__nr_zpools": 2}
    outcomes = {replayed(busy(200), small(**chosen, **few), check=True, quiet=True).outcome for chosen in choices()}
    assert outcomes == {"done", "oom"}


# The model broken on purpose.


def nothing_written_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writeback drops an entry and forgets to write its page."""
    monkeypatch.setattr(Machine, "write_back", lambda self, page, since_ns: None)


def failed_writes_are_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a write does not look at whether it failed."""
    end = Writes._end
    monkeypatch.setattr(Writes, "_end", lambda self, write: end(self, write._replace(failed=False)))


def accepted_and_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """zswap says that it has a page, and has not."""
    store = Zswap.store
    monkeypatch.setattr(Zswap, "store", lambda self, slot, *rest: store(self, slot, *rest) if slot % 7 else ACCEPTED)


def loaded_and_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """A load takes the entry out, and the page is not the only copy for that."""
    monkeypatch.setattr(Faults, "_after_load", lambda self, page: None)


def entries_outlive_their_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot is given up, its entry stays."""
    monkeypatch.setattr(Zswap, "invalidate", lambda self, slot: None)


def zram_swallows_failed_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that failed counts as done."""
    store = Zram.store
    monkeypatch.setattr(Zram, "store", lambda self, *page: store(self, *page) and ACCEPTED)


def gets_leave_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of a file is in the page cache and in the zcache."""
    monkeypatch.setattr(TmemPool, "get", lambda self, key: self.peek(key))


def unmapped_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of a file is given up, what the zcache has of it is not."""
    monkeypatch.setattr(CheckedCleancache, "invalidate_page", lambda self, page: self._puts.pop(page, None))


def taken_for_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    """The zero map has pages that hold something else."""
    monkeypatch.setattr(Vmscan, "_is_zero", lambda self, page: self.machine.zero_pages.add(page) or True)


BREAKS: list[tuple[Callable[[pytest.MonkeyPatch], None], dict[str, object]]] = [
    (nothing_written_back, {"era": "3.11"}),
    (nothing_written_back, {"era": "2013"}),
    (nothing_written_back, {"era": "6.12"}),
    (failed_writes_are_clean, {"era": "3.11", "pages": 50, "swap__device": "failing"}),
    (accepted_and_lost, {}),
    (loaded_and_clean, {"era": "6.12", "zswap__max_pool_percent": 50}),
    (loaded_and_clean, {"era": "3.11", "store": "zcache2"}),
    (entries_outlive_their_slots, {}),
    (zram_swallows_failed_writes, {"store": "zram", "zram__mem_limit": "20K"}),
    (gets_leave_the_page, {"store": "zcache2"}),
    (unmapped_and_kept, {"store": "zcache2"}),
    (taken_for_zeros, {"era": "6.12"}),
]


@pytest.mark.parametrize(("break_it", "values"), BREAKS)
def test_a_broken_model_is_noticed(
    monkeypatch: pytest.MonkeyPatch, break_it: Callable[[pytest.MonkeyPatch], None], values: dict[str, object]
) -> None:
    """Sound as it is; with one line of the model wrong, the audit stops the replay."""
    replayed(busy(), small(**values), check=True, quiet=True)
    break_it(monkeypatch)
    with pytest.raises(AssertionError):
        replayed(busy(), small(**values), check=True, quiet=True)
