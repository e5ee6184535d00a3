"""The axes of a study: lists, ranges, keys that change together, and named settings."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from zsim.config import config_keys, flatten, full_key, typed
from zsim.errors import ConfigError, UsageError
from zsim.registry import suggestion

RANGE = ("from", "to", "step", "count", "scale", "suffix")
SCALES = ("linear", "log")
SERIES = "series"
TRACE = "trace"
POINTS_MAX = 100_000
"""More points than this on an axis, or runs in a study, are a slip of the hand."""


@contextmanager
def place(where: str) -> Iterator[None]:
    """Put the place before the message of any `UsageError`."""
    try:
        yield
    except UsageError as error:
        raise type(error)(f"{where}: {error}") from None


class Step(NamedTuple):
    """One value of an axis, and the configuration keys it sets."""

    value: Any
    settings: dict[str, Any]


@dataclass(frozen=True)
class Axis:
    """What a study varies: a name, the configuration keys it sets, and its values in order."""

    name: str
    keys: tuple[str, ...]
    steps: list[Step]

    @property
    def values(self) -> list[Any]:
        """The values alone."""
        return [step.value for step in self.steps]

    def value_of(self, settings: Mapping[str, Any]) -> Any:
        """What this axis is at for a run with these values of its keys."""
        held = {key: settings[key] for key in self.keys}
        return next((step.value for step in self.steps if step.settings == held), _joined(list(held.values())))


def settings_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a table, nested or dotted, by full key and as each key's type."""
    found: dict[str, Any] = {}
    for name, value in flatten(table):
        key = full_key(name)
        found[key] = typed(key, value)
    return found


def known_name(name: str, axes: Sequence[Axis]) -> str:
    """The axis, or the full configuration key, that `name` means; a `ConfigError` with a suggestion."""
    names = [axis.name for axis in axes]
    if name in names:
        return name
    try:
        return full_key(name)
    except ConfigError:
        known = list(dict.fromkeys([*names, *config_keys()]))
        raise ConfigError(f"unknown axis or configuration key {name!r}{suggestion(name, known)}") from None


def known_values(table: Mapping[str, Any], axes: Sequence[Axis]) -> dict[str, list[Any]]:
    """Axis or full key -> the values a table names for it, one or any of a list, each as the key's type."""
    labels = {axis.name: axis.values for axis in axes}
    found: dict[str, list[Any]] = {}
    for name, given in flatten(table):
        known = known_name(name, axes)
        values = given if isinstance(given, list) else [given]
        found[known] = [_as_known(known, value, labels.get(known, [])) for value in values]
    return found


def _as_known(name: str, value: Any, labels: list[Any]) -> Any:
    """A value as an axis has it, else as the key's type."""
    return value if value in labels or not is_key(name) else typed(name, value)


def is_key(name: str) -> bool:
    """Whether `name` is a full key of the configuration."""
    return name in config_keys() or name.startswith("device.")


def key_axes(table: Mapping[str, Any]) -> list[Axis]:
    """The axes of [axes]: each any key of the configuration, with a list of values or a range."""
    return [_key_axis(name, given) for name, given in _leaves(table)]


def zip_axis(table: Mapping[str, Any]) -> Axis:
    """One [[zip]]: keys whose values change together; called by its `name`, else by its first key."""
    name = table.get("name")
    columns = [_key_axis(key, given, merge=False) for key, given in _leaves(table) if key != "name"]
    if not columns:
        raise ConfigError("no keys; expected lists of equal length")
    if len({len(column.steps) for column in columns}) > 1:
        lengths = ", ".join(f"{column.name} has {len(column.steps)}" for column in columns)
        raise ConfigError(f"lists of unequal length: {lengths}")
    if name is not None and not isinstance(name, str):
        raise ConfigError(f"name: {name!r} is not text")
    rows = [list(row) for row in zip(*(column.values for column in columns), strict=True)]
    keys = tuple(column.name for column in columns)
    distinct = len(dict.fromkeys(row[0] for row in rows)) == len(rows)
    steps = [Step(row[0] if distinct else _joined(row), dict(zip(keys, row, strict=True))) for row in rows]
    return Axis(name or keys[0], keys, _merged(steps))


def series_axis(tables: list[dict[str, Any]]) -> Axis:
    """The axis "series": each [[series]] a name and the settings that go with it."""
    steps: list[Step] = []
    for number, table in enumerate(tables, 1):
        name = table.get("name")
        if not isinstance(name, str) or not name:
            raise ConfigError(f"[[series]] {number}: needs a name (text)")
        if name in [step.value for step in steps]:
            raise ConfigError(f"[[series]] {number}: the name {name!r} is taken")
        with place(f"[[series]] {name!r}"):
            steps.append(Step(name, settings_of({key: value for key, value in table.items() if key != "name"})))
    return Axis(SERIES, (), steps)


def _key_axis(name: str, given: Any, merge: bool = True) -> Axis:
    if name in (TRACE, "traces", SERIES):
        where = "at the top of the file: traces = [...]" if name != SERIES else "as [[series]] with a name each"
        raise ConfigError(f"{name}: is given {where}")
    key = full_key(name)
    values = [typed(key, value) for value in _values(key, given)]
    steps = [Step(value, {key: value}) for value in values]
    return Axis(key, (key,), _merged(steps) if merge else steps)


def _merged(steps: list[Step]) -> list[Step]:
    """Each value once."""
    return [step for i, step in enumerate(steps) if step not in steps[:i]]


def _joined(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else " / ".join(map(str, values))


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, list or range) of nested tables."""
    for name, value in table.items():
        if isinstance(value, dict) and not set(value) & set(RANGE):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _values(key: str, given: Any) -> list[Any]:
    if isinstance(given, dict):
        with place(key):
            return expand_range(given, whole=_is_whole(key))
    if not isinstance(given, list):
        raise ConfigError(f"{key}: {given!r} is neither a list nor a range {{ from, to, step }}")
    if not given:
        raise ConfigError(f"{key}: the list is empty; expected values")
    return given


def _is_whole(key: str) -> bool:
    keys = config_keys()
    return key in keys and type(keys[key].default) is int


def expand_range(table: Mapping[str, Any], whole: bool = False) -> list[Any]:
    """The values of { from, to, step } or { from, to, count, scale }, both ends included; text where there is a suffix.

    On scale "log" values have three significant digits, or are whole numbers where `whole` says so.
    """
    for name in table:
        if name not in RANGE:
            raise ConfigError(f"a range has no {name!r}{suggestion(name, list(RANGE))}")
    first, last = (_number(table, name) for name in ("from", "to"))
    if ("step" in table) == ("count" in table):
        raise ConfigError("a range needs either a step or a count")
    scale, suffix = table.get("scale", "linear"), table.get("suffix")
    if scale not in SCALES:
        raise ConfigError(f"scale: {scale!r} is unknown{suggestion(str(scale), list(SCALES))}")
    if suffix is not None and not isinstance(suffix, str):
        raise ConfigError(f"suffix: {suffix!r} is not text")
    if "step" in table:
        values = _stepped(first, last, _number(table, "step"), scale)
    else:
        values = _counted(first, last, _number(table, "count"), scale, whole)
    plain = [int(value) if value == int(value) else value for value in values]
    return plain if suffix is None else [f"{value}{suffix}" for value in plain]


def _number(table: Mapping[str, Any], name: str) -> float:
    value = table.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name}: {'missing' if value is None else repr(value)}; expected a number")
    return value


def _stepped(first: float, last: float, step: float, scale: str) -> list[float]:
    if scale == "log":
        raise ConfigError("scale log goes with a count, not with a step")
    if step == 0 or (last - first) * step < 0:
        raise ConfigError(f"from {first} to {last} in steps of {step} leads nowhere")
    steps = (last - first) / step
    if steps >= POINTS_MAX:
        raise ConfigError(f"from {first} to {last} in steps of {step} are more than {POINTS_MAX:,} values")
    return [round(first + i * step, 9) for i in range(int(steps + 1e-9) + 1)]


def _counted(first: float, last: float, count: float, scale: str, whole: bool) -> list[float]:
    if count != int(count) or not 2 <= count <= POINTS_MAX:
        raise ConfigError(f"count: {count}; expected a whole number from 2 to {POINTS_MAX:,}")
    shares = [i / (int(count) - 1) for i in range(int(count))]
    if scale == "linear":
        return [round(first + (last - first) * share, 9) for share in shares]
    if first <= 0 or last <= 0:
        raise ConfigError(f"from {first} to {last}: scale log needs numbers above 0")
    values = [first * (last / first) ** share for share in shares]
    return [float(round(value)) if whole else float(f"{value:.3g}") for value in values]
