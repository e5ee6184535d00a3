"""What userspace has zram do: writeback, recompression, compaction, with times worked out by hand."""

from typing import Any

import pytest

from tests.stores.zram_device import Sizes, device, run_userspace, store_at
from zsim.devices import make_device
from zsim.errors import UsageError
from zsim.stores import LOADED, READ
from zsim.stores.zram import Zram
from zsim.units import NS_PER_MS, PAGE_SIZE

WRITE_NS = make_device("nvme", 1, 1).submit(0, True, 0, 1)
READ_NS = make_device("nvme", 1, 1).submit(0, False, 0, 1)
SECOND = {"zram__recomp_algorithm": "zstd"}
BACKED = {"zram__backing_device": "nvme"}


def kept_by(zram: Zram, until_ns: int = 1_500_000, *actions: Any) -> list[int]:
    """The sectors whose page is on the backing device after userspace has run."""
    run_userspace(zram, until_ns, *actions)
    return [slot for slot, sector in enumerate(zram.table) if sector and sector.block >= 0]


def every_ms(contents: Sizes, pages: int = 100, **values: Any) -> Zram:
    """A device that userspace comes to every millisecond."""
    return device(contents, pages, **{"zram__interval": "1ms", **values})


def test_idle_sectors_are_written_back() -> None:
    """Idle for more than 500 us at 1 ms: what was stored at 499,999 ns, not what was stored 1 ns later."""
    zram = every_ms(Sizes([1500]), zram__writeback="idle", zram__idle_age="500us", **BACKED)
    store_at(zram, 499_999, 0)
    store_at(zram, 500_000, 0, first=1)
    assert kept_by(zram) == [0]
    assert zram.mm_stat[:3] == (2 * PAGE_SIZE, 1500, zram.pages * PAGE_SIZE)
    assert (zram.count.bd_count, zram.count.bd_writes, zram.mm.counters.written_back_pages) == (1, 1, 1)


def test_one_page_after_the_other() -> None:
    """Each is decompressed, written by itself and waited for; the object goes when the write has ended."""
    zram = every_ms(Sizes([1500]), zram__writeback="idle", zram__idle_age="0", **BACKED)
    store_at(zram, 0, 0, 0)
    each_ns = zram.codec.decompress_ns + WRITE_NS
    seen = []
    for at_ns in (NS_PER_MS + each_ns - 1, NS_PER_MS + each_ns + 1, NS_PER_MS + 2 * each_ns + 1):
        seen.append((at_ns, lambda: stored.append(zram.stored)))
    stored: list[int] = []
    assert kept_by(zram, 1_500_000, *seen) == [0, 1]
    assert stored == [2, 1, 0]
    assert zram.mm.latency["writeback"].to_json()["mean"] == pytest.approx(each_ns, rel=0.05)
    assert zram.pages == 0


@pytest.mark.parametrize(("mode", "expected"), [("idle", [0, 1]), ("huge", [1, 3]), ("huge_idle", [1])])
def test_what_is_selected(mode: str, expected: list[int]) -> None:
    """Small and huge, both old and new; same-filled pages never."""
    zram = every_ms(Sizes([1500, 4000, 0]), zram__writeback=mode, zram__idle_age="500us", **BACKED)
    store_at(zram, 0, 0, 1)
    store_at(zram, 900_000, 0, 1, first=2)
    store_at(zram, 0, 2, first=4)
    assert kept_by(zram) == expected


def test_reading_what_was_written_back() -> None:
    """The fault waits for the device; nothing is decompressed; giving up the slot frees the block."""
    zram = every_ms(Sizes([1500]), zram__writeback="idle", zram__idle_age="0", **BACKED)
    store_at(zram, 0, 0)
    assert kept_by(zram) == [0]
    zram.mm.now_ns, zram.mm.spent_ns = 5 * NS_PER_MS, 0
    assert zram.load(0) == READ
    assert zram.mm.spent_ns == zram.mm.counters.device_read_ns == READ_NS
    assert zram.mm.counters.zswpin == 0
    zram.invalidate(0)
    assert (zram.count.bd_reads, zram.count.bd_count) == (1, 0)
    zram.validate()


def test_a_sector_used_meanwhile_stays() -> None:
    """It is read while its write is under way: the write was for nothing, and does not count against the limit."""
    zram = every_ms(Sizes([1500]), zram__writeback="idle", zram__idle_age="100us", zram__writeback_limit=1, **BACKED)
    store_at(zram, 0, 0)
    loaded: list[int] = []
    during = (NS_PER_MS + zram.codec.decompress_ns + 1000, lambda: loaded.append(zram.load(0)))
    assert kept_by(zram, 1_500_000, during) == []
    assert loaded == [LOADED]
    assert (zram.count.bd_writes, zram.count.bd_count) == (1, 0)
    assert zram.backing is not None and not zram.backing.exhausted


def test_a_sector_given_up_meanwhile_is_gone() -> None:
    """Its block serves the next one."""
    zram = every_ms(Sizes([1500]), zram__writeback="idle", zram__idle_age="100us", **BACKED)
    store_at(zram, 0, 0, 0)
    assert kept_by(zram, 1_500_000, (NS_PER_MS + zram.codec.decompress_ns + 1000, lambda: zram.invalidate(0))) == [1]
    sector = zram.table[1]
    assert sector is not None and sector.block == 1


def test_writeback_limit() -> None:
    """Two pages and no more, at any later time either."""
    zram = every_ms(Sizes([1500]), zram__writeback="idle", zram__idle_age="0", zram__writeback_limit=2, **BACKED)
    store_at(zram, 0, *[0] * 5)
    assert kept_by(zram, 5 * NS_PER_MS) == [0, 1]


def test_a_full_backing_device() -> None:
    """Three blocks, of which the first is never used: two pages."""
    zram = every_ms(Sizes([1500]), zram__writeback="idle", zram__idle_age="0", zram__backing_size="12K", **BACKED)
    store_at(zram, 0, *[0] * 5)
    assert kept_by(zram, 5 * NS_PER_MS) == [0, 1]


def test_a_failing_backing_device() -> None:
    """Nothing is lost, nothing is gained: each sweep tries in vain."""
    zram = every_ms(Sizes([1500]), zram__writeback="idle", zram__idle_age="0", zram__backing_device="failing")
    store_at(zram, 0, 0, 0)
    assert kept_by(zram, 2_500_000) == []
    assert (zram.mm.counters.write_errors, zram.stored) == (4, 2)


# Recompression. On zsmalloc@6.1: 1500 + 8 is class 96 of 1568 B (merged), 1460 + 8 the same, 1400 + 8 a lower one.


def test_recompression_wants_a_lower_size_class() -> None:
    """A smaller object of the same class gains nothing: it is incompressible, and not tried again."""
    zram = every_ms(Sizes([1500, 1500], [1400, 1490]), zram__recompress="idle", zram__idle_age="0", **SECOND)
    index = zram.allocator.class_index  # type: ignore[attr-defined]
    assert index(1400) < index(1490) == index(1500)
    store_at(zram, 0, 0, 1)
    run_userspace(zram, 5_500_000)
    assert zram.mm_stat.compr_data_size == 1400 + 1500
    assert zram.count.recompressed_pages == 1
    assert [sector.incompressible for sector in zram.table[:2] if sector] == [False, True]
    assert zram.second is not None
    assert zram.mm.counters.compress_ns == 2 * (zram.codec.compress_ns + zram.second.compress_ns)


def test_a_recompressed_page_is_read_by_its_own_algorithm() -> None:
    """zstd's decompression, not lz4's."""
    zram = every_ms(Sizes([4000], [1400]), zram__recompress="huge", **SECOND)
    store_at(zram, 0, 0)
    run_userspace(zram, 1_500_000)
    assert (zram.mm_stat.huge_pages, zram.mm_stat.huge_pages_since) == (0, 1)
    zram.mm.spent_ns = 0
    zram.load(0)
    assert zram.second is not None
    assert zram.mm.spent_ns == zram.second.decompress_ns != zram.codec.decompress_ns


def test_recompress_threshold() -> None:
    """Objects below it are left alone, results not below it are not kept; neither is incompressible."""
    contents = Sizes([1500, 3000], [1000, 2500])
    zram = every_ms(contents, zram__recompress="idle", zram__idle_age="0", zram__recompress_threshold=2000, **SECOND)
    store_at(zram, 0, 0, 1)
    run_userspace(zram, 1_500_000)
    assert zram.mm_stat.compr_data_size == 4500
    assert not any(sector.incompressible for sector in zram.table[:2] if sector)


def test_what_does_not_recompress_is_written_back() -> None:
    """The two in one sweep: recompress huge sectors, write out those that stay huge."""
    contents = Sizes([4000, 4000], [2000, 4000])
    modes = {"zram__recompress": "huge", "zram__writeback": "incompressible"}
    zram = every_ms(contents, **modes, **SECOND, **BACKED)
    store_at(zram, 0, 0, 1)
    assert kept_by(zram) == [1]


def test_compaction_on_request() -> None:
    """Every interval, what fragmentation has left."""
    zram = every_ms(Sizes([2000]), zram__compact=True)
    store_at(zram, 0, *[0] * 80)
    for slot in range(0, 80, 2):
        zram.invalidate(slot)
    run_userspace(zram, 1_500_000)
    assert zram.mm_stat.pages_compacted == 20


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"zram__writeback": "idle"}, "zram.writeback: idle needs a zram.backing_device"),
        ({"zram__recompress": "huge"}, "zram.recompress: huge needs a zram.recomp_algorithm"),
        ({"zram__interval": "0"}, "zram.interval: '0' is no time at all"),
    ],
)
def test_what_makes_no_sense(values: dict[str, str], message: str) -> None:
    """Modes without what they need."""
    with pytest.raises(UsageError, match=message):
        device(Sizes([]), **values)
