"""Watermarks and page tables."""

from math import isqrt

import pytest

from zsim.memory import ACCESSED, DIRTY, FRAME, PG_DIRTY, PRESENT, SWAPCACHE, WRITABLE, Memory, Watermarks, watermarks


@pytest.mark.parametrize(
    ("megabytes", "marks"),
    [
        (1, (32, 40, 48)),  # isqrt(16 * 1024) = 128, the least there is
        (64, (256, 320, 384)),  # isqrt(16 * 65536) = 1024 kB
        (1024, (1024, 1286, 1548)),  # 4096 kB; 262144 pages * 10 / 10000 = 262 is more than a quarter
        (8192, (2896, 4993, 7090)),  # isqrt(16 * 8388608) = 11585 kB
    ],
)
def test_the_kernels_own_marks(megabytes: int, marks: tuple[int, int, int]) -> None:
    """min = isqrt(16 kB) in pages; the marks are a quarter of it apart, or 1/1000 of the zone."""
    assert watermarks(megabytes * 256) == Watermarks(*marks)


def test_there_is_a_most() -> None:
    """256 MiB, for machines of 4 TiB and more."""
    assert watermarks(2**31, scale_factor=0).min == 65_536


def test_given_values() -> None:
    """vm.min_free_kbytes and vm.watermark_scale_factor."""
    assert watermarks(262_144, min_free_kbytes=4000) == (1000, 1262, 1524)
    assert watermarks(262_144, min_free_kbytes=4000, scale_factor=100) == (1000, 3621, 6242)
    assert watermarks(262_144, min_free_kbytes=0) == (0, 262, 524)


def test_in_311_the_gap_was_a_quarter() -> None:
    """low = min + min/4, high = min + min/2: scale factor 0."""
    assert watermarks(262_144, scale_factor=0) == (1024, 1280, 1536)


@pytest.mark.parametrize(
    ("zone", "managed_pages", "min_pages", "low", "high"),
    [
        ("6.1 DMA", 3840, 52, 65, 78),
        ("6.1 DMA32", 20_167, 240, 300, 360),
        ("6.12 DMA", 3840, 54, 67, 80),
        ("6.12 DMA32", 18_391, 228, 285, 342),
        ("6.1 both", 24_007, 292, 365, 438),
        ("6.12 both", 22_231, 282, 352, 422),
    ],
)
def test_recorded_zones(zone: str, managed_pages: int, min_pages: int, low: int, high: int) -> None:
    """The guests of the recorded kernel runs, given their `min`.

    `min` itself does not follow from the managed pages: the kernel worked it out while it booted, of the pages it had
    then (its 292 pages are isqrt(16 kB) of 85,264 kB, while 96,028 kB are managed in the end), and split it between the
    zones by what they had then.
    """
    assert watermarks(managed_pages, min_free_kbytes=min_pages * 4) == (min_pages, low, high)


def test_recorded_min_is_not_derivable() -> None:
    """What the rule gives for the managed pages is 5 % more than the 6.1 guest kept, 6 % more than the 6.12 guest."""
    assert watermarks(24_007).min == isqrt(16 * 4 * 24_007) // 4 == 309 != 292
    assert watermarks(22_231).min == isqrt(16 * 4 * 22_231) // 4 == 298 != 282


def test_mapped_counts_pages_with_an_entry() -> None:
    """Whatever their other bits."""
    memory = Memory(6)
    memory.pte[1] = PRESENT
    memory.pte[4] = PRESENT | WRITABLE | ACCESSED | DIRTY
    assert memory.mapped() == 2


@pytest.mark.parametrize(
    ("bits", "flags", "slot", "frames"),
    [
        (PRESENT, 0, -1, 0),
        (WRITABLE, FRAME, -1, 1),
        (0, PG_DIRTY, -1, 0),
        (PRESENT, FRAME | SWAPCACHE, -1, 1),
        (PRESENT, FRAME, -1, 2),
    ],
)
def test_validate_finds(bits: int, flags: int, slot: int, frames: int) -> None:
    """A mapped page without a frame, a writable one that is not mapped, a dirty one that is nowhere, a cached one
    without a slot, a frame too many."""
    memory = Memory(2)
    memory.validate()
    memory.pte[0], memory.flags[0], memory.slot[0], memory.frames = bits, flags, slot, frames
    with pytest.raises(AssertionError):
        memory.validate()
