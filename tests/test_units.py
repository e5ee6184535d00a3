"""Sizes and times as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsim.errors import UsageError
from zsim.units import format_bytes, format_ns, pages_for, parse_bytes, parse_ns


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("4096", 4096), ("64M", 64 << 20), ("512KiB", 512 << 10), ("512 kib", 512 << 10), ("1.5G", 3 << 29),
     ("2MB", 2 << 20), ("7b", 7), (4096, 4096), ("1T", 1 << 40)],
)  # fmt: skip
def test_bytes(text: str | int, size_bytes: int) -> None:
    """Plain numbers, binary units with or without B and iB, upper or lower case."""
    assert parse_bytes(text) == size_bytes


def test_shares() -> None:
    """Per cent or a factor, where there is something to be a share of."""
    assert parse_bytes("50%", 1000) == 500 and parse_bytes("0.5x", 1000) == 500 and parse_bytes("200%", 10) == 20
    with pytest.raises(UsageError, match="a share needs something to be a share of"):
        parse_bytes("50%")


@pytest.mark.parametrize("text", ["", "M", "-5M", "12Q", "5 apples", "1e3", "0x10", "5ii", "1.2.3"])
def test_no_size(text: str) -> None:
    """What is no size is refused with an example of one."""
    with pytest.raises(UsageError, match='write "64M"'):
        parse_bytes(text, 1000)


@pytest.mark.parametrize(
    ("text", "time_ns"), [("80us", 80_000), ("1.5ms", 1_500_000), ("2s", 2 * 10**9), ("7", 7), (9, 9)]
)
def test_times(text: str | int, time_ns: int) -> None:
    """ns, us, ms, s."""
    assert parse_ns(text) == time_ns


def test_no_time() -> None:
    """A unit that is none of time's."""
    for text in ("5M", "soon", "-1us"):
        with pytest.raises(UsageError, match="is not a time"):
            parse_ns(text)


def test_for_people() -> None:
    """Three digits and a unit."""
    assert [format_bytes(n) for n in (0, 1023, 1024, 43_000_000, 5 << 40)] == [
        "0 B",
        "1023 B",
        "1 KiB",
        "41 MiB",
        "5 TiB",
    ]
    assert [format_ns(n) for n in (0, 999, 80_200, 1_500_000, 2.5e9)] == [
        "0 ns",
        "999 ns",
        "80.2 us",
        "1.5 ms",
        "2.5 s",
    ]


@given(st.integers(0, 1 << 50))
def test_pages_hold_the_bytes(size_bytes: int) -> None:
    """Whole pages, as few as hold them."""
    assert (pages_for(size_bytes) - 1) * 4096 < size_bytes <= pages_for(size_bytes) * 4096


@given(st.integers(1, 1 << 49))
def test_formatted_sizes_are_near(size_bytes: int) -> None:
    """What is printed, read again, is within the three digits it has."""
    printed = format_bytes(size_bytes)
    if "e+" not in printed:
        assert parse_bytes(printed) == pytest.approx(size_bytes, rel=0.006, abs=0.5)


def test_no_exponents() -> None:
    """Four digits before the point stay four digits."""
    assert format_bytes(1000 * 1024) == "1000 KiB" and format_ns(999_900) == "1 ms"
