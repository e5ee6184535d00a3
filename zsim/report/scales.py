"""Axis values as places on a scale: numbers with their unit, or names side by side; and measures in a unit to read."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from zsim.config import config_keys
from zsim.errors import UsageError
from zsim.report.labels import text_of
from zsim.style import time_scale
from zsim.units import PAGE_SIZE, parse_bytes

MIB, KIB = 1 << 20, 1 << 10

FAR = 30.0
"""Values that are this many times apart are shown in log."""


class Scale(NamedTuple):
    """An axis: its label, where each value stands on it, whether these are numbers, and to which base they are log."""

    label: str
    places: dict[Any, float]
    is_number: bool
    is_log: bool

    @property
    def texts(self) -> list[str]:
        """The values as they are written beside the axis."""
        return [f"{place:.6g}" for place in self.places.values()] if self.is_number else list(map(text_of, self.places))


def scale(axis: str, values: Sequence[Any]) -> Scale:
    """Where the values of an axis stand: "40%", "64M" and numbers as such, anything else side by side."""
    for unit, read in ((_unit(axis), _plain), (_share(axis), _percent), ("MiB", _mib)):
        numbers = [read(value) for value in values]
        known = [number for number in numbers if number is not None]
        if len(known) == len(numbers):
            label = f"{axis} [{unit}]" if unit else axis
            return Scale(label, dict(zip(values, known, strict=True)), True, _is_geometric(known))
    return Scale(axis, {value: float(place) for place, value in enumerate(values)}, False, False)


def _plain(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _percent(value: Any) -> float | None:
    if not isinstance(value, str) or not value.strip().endswith("%"):
        return None
    try:
        return float(value.strip().removesuffix("%"))
    except ValueError:
        return None


def _mib(value: Any) -> float | None:
    if not isinstance(value, str) or not value[:1].isdigit() or not value[-1:].isalpha():
        return None
    try:
        return parse_bytes(value) / MIB
    except UsageError:
        return None


def _unit(axis: str) -> str:
    return str(config_keys()[axis].metadata["unit"]) if axis in config_keys() else ""


def _share(axis: str) -> str:
    return "% of footprint" if axis in ("memory.size", "swap.size", "zram.disksize") else "%"


def _is_geometric(numbers: Sequence[float]) -> bool:
    """Values that grow by half or more each time want a log scale, if their steps are evener there."""
    ordered = sorted(set(numbers))
    if len(ordered) < 3 or ordered[0] <= 0 or ordered[-1] < 8 * ordered[0]:
        return False
    steps = [b / a for a, b in zip(ordered, ordered[1:], strict=False)]
    gaps = [b - a for a, b in zip(ordered, ordered[1:], strict=False)]
    return min(steps) >= 1.5 and max(steps) / min(steps) < max(gaps) / min(gaps)


class Unit(NamedTuple):
    """How a measure's numbers are shown: divided by `by`, with this name."""

    by: float
    name: str

    def label(self, measure: str) -> str:
        """The measure with its unit."""
        return f"{measure} [{self.name}]" if self.name else measure


def unit_for(unit: str, values: Iterable[float | None]) -> Unit:
    """A unit that suits the largest of the values: ms for ns, MiB for pages and bytes."""
    most = max((abs(value) for value in values if value is not None), default=0.0)
    if unit == "ns":
        return Unit(*time_scale(most))
    if unit in ("pages", "B"):
        size_bytes = PAGE_SIZE if unit == "pages" else 1
        by, name = (MIB, "MiB") if most * size_bytes >= MIB else (KIB, "KiB")
        return Unit(by / size_bytes, name)
    return Unit(1e6, "millions") if most >= 2e6 else Unit(1, unit)


def short(value: float) -> str:
    """Three digits that count, or a whole number."""
    if value == int(value) and abs(value) < 1e6 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def is_wide(values: Iterable[float | None]) -> bool:
    """Whether values lie so far apart that only a log scale shows them all."""
    known = [value for value in values if value is not None]
    return bool(known) and min(known) > 0 and max(known) > FAR * min(known)
