"""How much memory is left: a machine's frames, a cgroup's charge."""

from dataclasses import dataclass

import pytest

from tests.machines import config_of
from zsim.errors import UsageError
from zsim.memory import Memory
from zsim.room import Cgroup, Ram, Room, make_room
from zsim.units import PAGE_SIZE

FOOTPRINT = 10_000


@dataclass
class PoolOf:
    """A store's share of the memory."""

    pages: int = 0
    compressed_bytes: int = 0
    metadata_bytes: int = 0


@dataclass
class PartlyNobodys(PoolOf):
    """A pool with 1,000 bytes that are charged to nobody."""

    uncharged_bytes: int = 1000


def room_of(pool: PoolOf, frames: int = 0, batch: int = 32, **values: object) -> Room:
    """Memory of the given configuration in which `frames` frames hold pages."""
    memory = Memory(FOOTPRINT)
    memory.frames = frames
    config = config_of(reclaim__batch=batch, **values)
    return make_room(config.memory, config.reclaim, FOOTPRINT * PAGE_SIZE, memory, pool)


def test_a_machine_shares_its_frames() -> None:
    """Pages, pool pages, and metadata and page tables rounded up to whole frames."""
    assert room_of(PoolOf(), pages=5000).frames_left() == 5000
    pool = PoolOf(pages=700, compressed_bytes=999_999, metadata_bytes=95)
    room = room_of(pool, frames=1000, pages=5000, memory__page_table_bytes=98_304)
    assert room.frames_left() == 5000 - 1000 - 700 - 25
    pool.metadata_bytes = 96
    assert room.frames_left() == 3275
    pool.metadata_bytes = 4097
    assert room.frames_left() == 3274


def test_a_pool_may_take_the_last_frame() -> None:
    """Reclaim's own allocations use the reserves."""
    room = room_of(PoolOf(pages=90), frames=900, pages=1000)
    assert room.may_grow(10)
    assert not room.may_grow(11)


def test_a_machine_has_the_kernels_marks() -> None:
    """50 % of the footprint is 5000 pages: isqrt(16 * 20000) = 565 kB."""
    assert room_of(PoolOf()).marks == (141, 176, 211)


def test_recorded_guest() -> None:
    """Two zones as one: the marks at which the recorded 6.1 guest reclaimed.

    Each is one zone at its mark, the other at its lower one, and the DMA zone's protection, which is derivable: the
    DMA32 zone's 20,167 pages / 256.
    """
    protection = 20_167 // 256
    marks = (240 + 52 + protection, 300 + 65 + protection, 360 + 65 + protection)
    names = ("memory__watermark_min_pages", "memory__watermark_low_pages", "memory__watermark_high_pages")
    room = room_of(PoolOf(), pages=9216, **dict(zip(names, marks, strict=True)))
    assert room.marks == (370, 443, 503)


def test_one_page_at_a_time_keeps_nothing_in_reserve() -> None:
    """With a batch of 1 the last frame may be taken, and kswapd is not woken for it."""
    room = room_of(PoolOf(), frames=99, pages=100, batch=1)
    assert room.frames_left() == 1 > room.marks.min
    assert room.marks.low < 0


@pytest.mark.parametrize(("zones", "above"), [("400/10/20/30 100/5/10/15", 84), ("400/10/20/30 20/5/10/15", 4)])
def test_every_zone_is_to_be_above_its_high_mark(zones: str, above: int) -> None:
    """Not the frames of all zones above the marks of all."""
    size = sum(int(zone.split("/")[0]) for zone in zones.split())
    room = room_of(PoolOf(), memory__size=str(size * PAGE_SIZE), memory__zones=zones)
    assert (room.above_high(above), room.above_high(above + 1)) == (True, False)


def test_a_machine_above_its_high_mark() -> None:
    """Without zones of its own it is one."""
    room = room_of(PoolOf(), memory__size="4M")
    above = room.frames_left() - room.marks.high
    assert (room.above_high(above - 1), room.above_high(above)) == (True, False)


def test_a_cgroup_is_charged_bytes() -> None:
    """Pages, compressed bytes and page tables; pool pages and metadata are the machine's."""
    pool = PoolOf(pages=500, compressed_bytes=10_000, metadata_bytes=77_777)
    room = room_of(pool, frames=600, pages=1000, memory__mode="memcg", memory__page_table_bytes=98_304)
    assert isinstance(room, Cgroup)
    assert room.charged_bytes() == 600 * 4096 + 10_000 + 98_304
    assert room.frames_left() == 400 - 24 - 3
    pool.compressed_bytes = 376 * 4096 + 1
    assert room.frames_left() == -1
    assert room.may_grow(10**6)


def test_what_is_spared_leaves_the_reserve() -> None:
    """Frames beyond the minimum of 10 only; a cgroup's machine has plenty."""
    room = room_of(PoolOf(pages=90), frames=880, pages=1000, memory__watermark_min_pages=10)
    assert room.may_spare(20) and not room.may_spare(21) and room.may_grow(30)
    assert room_of(PoolOf(), frames=999, pages=1000, memory__mode="memcg").may_spare(10**6)


def test_a_cgroup_is_not_charged_what_is_nobodys() -> None:
    """A pool that says so is charged the rest."""
    pool = PartlyNobodys(compressed_bytes=10_000)
    room = room_of(pool, frames=600, pages=1000, memory__mode="memcg")
    assert isinstance(room, Cgroup)
    assert room.charged_bytes() == 600 * 4096 + 9000


def test_kswapd_does_not_look_after_a_cgroup() -> None:
    """However far over its limit it is."""
    room = room_of(PoolOf(compressed_bytes=10**9), frames=1000, pages=1000, memory__mode="memcg")
    assert room.frames_left() > room.marks.low
    assert room.marks.min == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"memory__size": "28K"}, "memory.size: '28K' is 28672 bytes; at least 8 pages"),
        ({"pages": 20}, "memory.size: the high watermark .48 pages. leaves nothing of 20 pages"),
        ({"memory__watermark_low_pages": 9, "memory__watermark_min_pages": 10}, "watermarks must rise: min 10, low 9"),
    ],
)
def test_impossible_sizes(values: dict[str, object], message: str) -> None:
    """One line that names the key, the value and what is needed."""
    with pytest.raises(UsageError, match=message):
        room_of(PoolOf(), **values)


def test_a_small_machine_may_be_all_reserve_one_page_at_a_time() -> None:
    """The marks do not matter there."""
    assert isinstance(room_of(PoolOf(), pages=20, batch=1), Ram)
