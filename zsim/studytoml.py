"""A study as its author writes it: a TOML file, read into axes, conditions and settings that are known to be valid."""

import tomllib
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from zsim.errors import ConfigError, TraceError, UsageError
from zsim.measures import measure
from zsim.metrics import METRICS
from zsim.registry import suggestion
from zsim.studyaxes import (
    SERIES,
    TRACE,
    Axis,
    Step,
    key_axes,
    known_name,
    known_values,
    place,
    series_axis,
    settings_of,
    zip_axis,
)
from zsim.traces.recording import find

SHAPES: dict[str, tuple[type, str]] = {
    "title": (str, "text"),
    "text": (str, "text"),
    "finding": (str, "text"),
    "trace": (str, "the name of a trace"),
    "traces": (list, "a list of traces"),
    "baseline": (dict, "a table of axes and values"),
    "metrics": (list, "a list of metrics"),
    "base": (dict, "a table [base]"),
    "axes": (dict, "a table [axes]"),
    "zip": (list, "tables [[zip]]"),
    "series": (list, "tables [[series]]"),
    "exclude": (list, "tables [[exclude]]"),
    "include": (list, "tables [[include]]"),
    "figure": (list, "tables [[figure]]"),
    "table": (list, "tables [[table]]"),
}
"""What a study's file may hold."""

BASE = "base"
"""What the runs of the product are called on the axis "series" where only [[include]] names any."""

Table = dict[str, Any]


@dataclass(frozen=True)
class StudyFile:
    """What a study's file says.

    traces    label -> path of the recording; the label is the trace's name, where no two have the same
    base      full key -> value, for all runs; axes in their order, "trace" and "series" among them where they vary
    excludes  each: axis or full key -> any of which values
    includes  each: (trace or None, series or None, settings)
    """

    path: Path
    name: str
    title: str
    text: str
    traces: dict[str, str]
    base: dict[str, Any]
    axes: list[Axis]
    excludes: list[dict[str, list[Any]]]
    includes: list[tuple[str | None, str | None, dict[str, Any]]]
    baseline: dict[str, Any]
    metrics: list[str]
    figures: list[Table]
    tables: list[Table]
    finding: str


def study_files(path: Path) -> list[Path]:
    """The study's file, or all *.toml of a folder, sorted; a `ConfigError` where there are none."""
    if path.is_dir():
        files = sorted(path.glob("*.toml"))
        if not files:
            raise ConfigError(f"{path}: no study here (*.toml)")
        return files
    if not path.exists():
        raise ConfigError(f"{path}: no such study, and no folder of studies")
    return [path]


def study_name(path: Path) -> str:
    """What the results of a study, or of a folder of studies, are called."""
    return path.resolve().name if path.is_dir() else path.stem


def read_study(path: Path) -> StudyFile:
    """Read and check a study's file; a `UsageError` names the file, the key and the value."""
    with place(str(path)):
        return _study(path, _table(path))


def _table(path: Path) -> Table:
    """The tables of the file, each of the right shape."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the study: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}") from None
    for name, value in table.items():
        if name not in SHAPES:
            raise ConfigError(f"a study has no {name!r}{suggestion(name, list(SHAPES))}")
        kind, words = SHAPES[name]
        rows = value if words.startswith("tables") and isinstance(value, list) else []
        if not isinstance(value, kind) or not all(isinstance(row, dict) for row in rows):
            raise ConfigError(f"{name}: {value!r}; expected {words}")
    return table


def _study(path: Path, table: Table) -> StudyFile:
    traces = _traces(path.parent, table)
    with place("[base]"):
        base = settings_of(_above(table, "base"))
    axes = _axes(table, traces)
    return StudyFile(
        path=path,
        name=study_name(path),
        title=table.get("title", path.stem),
        text=table.get("text", ""),
        traces=traces,
        base=base,
        axes=axes,
        excludes=[_exclude(number, entry, axes) for number, entry in enumerate(table.get("exclude", []), 1)],
        includes=[_include(number, entry, traces) for number, entry in enumerate(table.get("include", []), 1)],
        baseline=_baseline(table.get("baseline", {}), axes),
        metrics=_metrics(table.get("metrics", [])),
        figures=[_shown("figure", number, entry, axes) for number, entry in enumerate(table.get("figure", []), 1)],
        tables=[_shown("table", number, entry, axes) for number, entry in enumerate(table.get("table", []), 1)],
        finding=table.get("finding", ""),
    )


def _above(table: Table, name: str) -> Table:
    """The table `name`, without what belongs to the top: TOML reads what stands below a [table] as part of it."""
    held: Table = table.get(name, {})
    for key in held:
        if key in SHAPES and key not in (TRACE, "traces", SERIES, "zip"):
            raise ConfigError(f"{key!r} belongs to the top of the file, above the first [table]")
    return held


def _traces(folder: Path, table: Table) -> dict[str, str]:
    if TRACE in table and "traces" in table:
        raise ConfigError("trace and traces are both given; one of them is enough")
    given = table.get("traces", [table[TRACE]] if TRACE in table else [])
    if not given:
        raise ConfigError('no trace; expected trace = "FILE", or traces = ["FILE", "FILE"] at the top')
    if wrong := [name for name in given if not isinstance(name, str)]:
        raise ConfigError(f"traces: {wrong[0]!r}; expected the name of a trace")
    paths = {name: _recording(folder, name) for name in given}
    labels = [find(path).name for path in paths.values()]
    distinct = len(set(labels)) == len(labels)
    return dict(zip(labels if distinct else paths, paths.values(), strict=True))


def _recording(folder: Path, name: str) -> str:
    """The recording `name` from the study's folder; else what any command finds by that name."""
    near = str(folder / name)
    try:
        find(near)
    except TraceError as error:
        try:
            find(name)
        except TraceError:
            raise TraceError(f"traces: {error}") from None
        return name
    return near


def _axes(table: Table, traces: dict[str, str]) -> list[Axis]:
    """The trace, where there are several; [axes] and [[zip]] as they come; the series."""
    axes = [Axis(TRACE, (), [Step(label, {TRACE: label}) for label in traces])] if len(traces) > 1 else []
    with place("[axes]"):
        axes += key_axes(_above(table, "axes"))
    for number, entry in enumerate(table.get("zip", []), 1):
        with place(f"[[zip]] {number}"):
            axes.append(zip_axis(entry))
    if "series" in table:
        axes.append(series_axis(table["series"]))
    elif any(SERIES in entry for entry in table.get("include", [])):
        axes.append(Axis(SERIES, (), [Step(BASE, {})]))
    for one, other in combinations(axes, 2):
        _refuse_overlap(one, other)
    return axes


def _refuse_overlap(one: Axis, other: Axis) -> None:
    if one.name == other.name:
        raise ConfigError(f"two axes are called {one.name!r}; give a [[zip]] another name")
    both = {key for step in one.steps for key in step.settings} & {key for step in other.steps for key in step.settings}
    if both:
        hint = "; a single run beside the others is an [[include]]" if SERIES in (one.name, other.name) else ""
        raise ConfigError(f"the axes {one.name!r} and {other.name!r} both set {min(both)}{hint}")


def _exclude(number: int, entry: Table, axes: list[Axis]) -> dict[str, list[Any]]:
    with place(f"[[exclude]] {number}"):
        if not entry:
            raise ConfigError("is empty; expected axes or configuration keys with the values to drop")
        return known_values(entry, axes)


def _include(number: int, entry: Table, traces: dict[str, str]) -> tuple[str | None, str | None, dict[str, Any]]:
    with place(f"[[include]] {number}"):
        trace, series = entry.get(TRACE), entry.get(SERIES)
        if trace is not None and trace not in traces:
            raise ConfigError(f"trace: {trace!r} is unknown{suggestion(str(trace), list(traces))}")
        if series is not None and not isinstance(series, str):
            raise ConfigError(f"series: {series!r}; expected text")
        return trace, series, settings_of({key: value for key, value in entry.items() if key not in (TRACE, SERIES)})


def _baseline(table: Table, axes: list[Axis]) -> dict[str, Any]:
    """Axis -> value; whether a run has that value is seen when the runs are known."""
    with place("baseline"):
        found = known_values(table, axes)
        for name, values in found.items():
            if name not in [axis.name for axis in axes]:
                raise ConfigError(f"{name!r} is no axis{suggestion(name, [axis.name for axis in axes])}")
            if len(values) != 1:
                raise ConfigError(f"{name}: {values!r}; expected one value")
        return {name: value for name, (value,) in found.items()}


def _metrics(names: list[Any]) -> list[str]:
    for name in names:
        try:
            measure(str(name))
        except UsageError as error:
            raise ConfigError(f"metrics: {error}") from None
    return names


def _shown(what: str, number: int, entry: Table, axes: list[Axis]) -> Table:
    """A figure or table as it stands, with its axes by their full names and its values as they are on the axes."""
    names = [axis.name for axis in axes]
    with place(f"[[{what}]] {number}"):
        figure = {
            key: _axis_or_text(value, axes) if key in ("x", "y", SERIES, "rows", "columns") else value
            for key, value in entry.items()
        }
        if "where" in entry:
            if not isinstance(entry["where"], dict):
                raise ConfigError(f"where: {entry['where']!r}; expected a table of axes and values")
            where = known_values(entry["where"], axes)
            if unknown := [name for name in where if name not in names]:
                raise ConfigError(f"where: {unknown[0]!r} is no axis{suggestion(unknown[0], names)}")
            figure["where"] = {name: values[0] if len(values) == 1 else values for name, values in where.items()}
        return figure


def _axis_or_text(value: Any, axes: list[Axis]) -> Any:
    """An axis by its full name; anything else (a metric, a list) as it is."""
    if not isinstance(value, str) or value in METRICS:
        return value
    try:
        return known_name(value, axes)
    except ConfigError:
        return value
