"""Which figure is wanted: a kind, and what of the runs it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from zsim.errors import UsageError
from zsim.registry import suggestion


def check_keys(place: str, table: Mapping[str, Any], kind: type) -> None:
    """A `UsageError` for a key of `table` that the dataclass `kind` does not have."""
    known = [each.name for each in fields(kind)]
    for name in table:
        if name not in known:
            raise UsageError(f"{place}: unknown key {name!r}{suggestion(name, known)}")


@dataclass(frozen=True)
class Wanted:
    """One figure; what is left out follows from the runs.

    x, series  an axis (pareto: x is a measure); y: a measure or several; where: only the runs with these axis values
    """

    kind: str = ""
    x: str = ""
    y: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    caption: str = ""

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> "Wanted":
        """A [[figure]] of a study; a `UsageError` for a key that no figure has."""
        check_keys("[[figure]]", table, cls)
        several = {name: _several(table[name]) for name in ("y", "series") if name in table}
        return cls(**{**table, **several})

    @property
    def untitled(self) -> "Wanted":
        """This, without its title: where a caption says it."""
        return replace(self, title="")

    def with_kind(self, kind: str) -> "Wanted":
        """This, of the kind given where it has none."""
        return self if self.kind else replace(self, kind=kind)


def _several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
