"""Axis values as numbers with units, or as names; measures in units to read."""

import pytest

from zsim.report.scales import Unit, is_wide, scale, unit_for


@pytest.mark.parametrize(
    ("axis", "values", "places", "label"),
    [
        ("memory.size", ["40%", "60.5%"], [40, 60.5], "memory.size [% of footprint]"),
        ("memory.size", ["512K", "64M", "1GiB"], [0.5, 64, 1024], "memory.size [MiB]"),
        ("zswap.max_pool_percent", [10, 20], [10, 20], "zswap.max_pool_percent [% of RAM]"),
        ("seed", [1, 2], [1, 2], "seed"),
        ("share", ["10%", "20%"], [10, 20], "share [%]"),
    ],
)
def test_numbers(axis: str, values: list[object], places: list[float], label: str) -> None:
    """By what they are, with the unit of their key."""
    found = scale(axis, values)
    assert found.is_number and list(found.places.values()) == places and found.label == label


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ("allocator", ["zbud", "zsmalloc"]), ("era", ["3.11", "6.1", "6.12"]), ("second_look", [True, False]),
        ("memory.size", ["40%", "64M"]),
    ],
)  # fmt: skip
def test_names(axis: str, values: list[object]) -> None:
    """Versions, words, truths and what has no common unit stand side by side."""
    found = scale(axis, values)
    assert not found.is_number and list(found.places.values()) == list(range(len(values)))
    assert scale("x", [True, False]).texts == ["true", "false"]


def test_values_that_double_stand_in_log() -> None:
    """2, 4, ... 64 do; even steps and few values do not."""
    assert scale("n", [2, 4, 8, 16, 64]).is_log
    assert not scale("n", [10, 20, 40, 60, 80, 100]).is_log
    assert not scale("n", [1, 100]).is_log


@pytest.mark.parametrize(
    ("unit", "values", "shown"),
    [
        ("ns", [5e9, None], Unit(1e9, "s")), ("ns", [9e3], Unit(1e3, "us")), ("pages", [300], Unit(256, "MiB")),
        ("pages", [3], Unit(0.25, "KiB")), ("B", [1 << 21], Unit(1 << 20, "MiB")), ("", [3e6], Unit(1e6, "millions")),
        ("x", [1.5], Unit(1, "x")), ("", [None], Unit(1, "")),
    ],
)  # fmt: skip
def test_units(unit: str, values: list[float | None], shown: Unit) -> None:
    """Of the largest value."""
    assert unit_for(unit, values) == shown


def test_wide() -> None:
    """More than 30 times apart, nothing at 0 or below."""
    assert is_wide([1, None, 31]) and not is_wide([0, 100]) and not is_wide([1, 29]) and not is_wide([])
