"""A study expanded: which trace to replay on which configuration, for every point of its axes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from zsim.config import Config, Layer, Resolved, full_key, resolve
from zsim.errors import ConfigError, UsageError
from zsim.registry import suggestion
from zsim.results import run_digest
from zsim.run import check_config
from zsim.studyaxes import POINTS_MAX, SERIES, TRACE, Axis, is_key, place
from zsim.studyfiles import Point, Study
from zsim.studytoml import BASE, StudyFile, read_study, study_files
from zsim.traces import open_trace


class Recorded(NamedTuple):
    """A trace that a study names, as far as its runs must know it."""

    path: str
    digest: str
    accesses: int


@dataclass(frozen=True)
class Run:
    """One replay: the point of a study that it is, and what it takes."""

    point: Point
    trace: Recorded
    resolved: Resolved


@dataclass
class Plan:
    """A study, its runs in order, and what its author should be told."""

    study: Study
    runs: list[Run]
    warnings: list[str] = field(default_factory=list)


def load_plans(path: str | Path, folder: str | Path, layers: Sequence[Layer] = ()) -> list[Plan]:
    """The study of a TOML file, or all those of a folder; their results are in `folder`, or will be.

    layers  configuration above a study's [base] and below its axes, such as the command line's options
    A `UsageError` for anything that cannot be run names the file, the key and the value.
    """
    known: dict[str, Recorded] = {}
    return [Expansion(read_study(file), layers, known).plan(Path(folder)) for file in study_files(Path(path))]


class Expansion:
    """A study's file on its way to runs; `known` keeps what traces are across studies."""

    def __init__(self, file: StudyFile, layers: Sequence[Layer], known: dict[str, Recorded]) -> None:
        self.file = file
        self.axes = file.axes
        self.layers = layers
        self.traces = {label: _recorded(path, known) for label, path in file.traces.items()}
        self.warnings: list[str] = []

    def plan(self, folder: Path) -> Plan:
        """All runs, and the study that they make up."""
        file = self.file
        with place(str(file.path)):
            runs = self._runs()
            points = [run.point for run in runs]
            axes = {axis.name: _used(axis, points) for axis in self.axes}
            _check_baseline(file.baseline, axes)
        study = Study(
            file.name, file.title, file.text, file.metrics, file.baseline, axes, file.figures, points, folder,
            file.tables, file.finding,
        )  # fmt: skip
        return Plan(study, runs, [f"{file.path}: {warning}" for warning in self.warnings])

    def _runs(self) -> list[Run]:
        """The product less what is excluded, then what is included; what is the same twice, once."""
        size = prod(len(axis.steps) for axis in self.axes)
        if size > POINTS_MAX:
            raise ConfigError(f"the axes make {size:,} runs; more than {POINTS_MAX:,} are not what you want")
        runs = [*self._without_excluded(list(self._product())), *self._included()]
        if not runs:
            raise ConfigError("no run is left: [[exclude]] drops every combination")
        runs = list({(run.point.digest, repr(run.point.values)): run for run in runs}.values())
        self._warn_of_twins(runs)
        self._warn_of_shadowed_options()
        return runs

    def _product(self) -> Iterator[Run]:
        for steps in product(*(axis.steps for axis in self.axes)):
            values = {axis.name: step.value for axis, step in zip(self.axes, steps, strict=True)}
            settings = {key: value for step in steps for key, value in step.settings.items()}
            yield self._run(values, settings, settings.pop(TRACE, next(iter(self.traces))))

    def _run(self, values: dict[str, Any], settings: Mapping[str, Any], label: str) -> Run:
        resolved = self._resolved(settings)
        try:
            check_config(resolved.config)
        except UsageError as error:
            at = ", ".join(f"{name} = {value!r}" for name, value in values.items())
            raise type(error)(f"{at}: {error}" if at else str(error)) from None
        trace = self.traces[label]
        return Run(Point(run_digest(trace.digest, resolved.config.digest()), label, values), trace, resolved)

    def _resolved(self, settings: Mapping[str, Any]) -> Resolved:
        name = self.file.path.name
        return resolve((f"{name} [base]", self.file.base), *self.layers, (name, settings))

    def _without_excluded(self, runs: list[Run]) -> list[Run]:
        for number, condition in enumerate(self.file.excludes, 1):
            kept = [run for run in runs if not all(_at(run, name) in any_ for name, any_ in condition.items())]
            if len(kept) == len(runs):
                self.warnings.append(f"[[exclude]] {number} matches no run")
            runs = kept
        return runs

    def _included(self) -> Iterator[Run]:
        """Each [[include]] for the trace it names, else for every trace."""
        for number, (trace, series, own) in enumerate(self.file.includes, 1):
            with place(f"[[include]] {number}"):
                settings = self._of_series(series) | own
                config = self._resolved(settings).config
                for label in self.traces if trace is None else [trace]:
                    fixed = {TRACE: label, SERIES: BASE if series is None else series}
                    values = {
                        axis.name: _place_on(axis, config) if axis.keys else fixed[axis.name] for axis in self.axes
                    }
                    yield self._run(values, settings, label)

    def _of_series(self, name: str | None) -> dict[str, Any]:
        """The settings of a [[series]]; none where the name is new."""
        steps = [step for axis in self.axes if axis.name == SERIES for step in axis.steps]
        return next((dict(step.settings) for step in steps if step.value == name), {})

    def _warn_of_twins(self, runs: list[Run]) -> None:
        seen: set[tuple[str, str]] = set()
        for run in runs:
            at = (run.point.trace, ", ".join(f"{name} = {value!r}" for name, value in run.point.values.items()))
            if at in seen:
                self.warnings.append(f"two different runs are both at {at[1] or at[0]}; give the [[include]] a series")
            seen.add(at)

    def _warn_of_shadowed_options(self) -> None:
        varied = {key for axis in self.axes for key in axis.keys}
        for origin, values in self.layers:
            for key in sorted({full_key(name) for name in values} & varied):
                self.warnings.append(f"{origin} has no effect: {key} is an axis")


def _recorded(path: str, known: dict[str, Recorded]) -> Recorded:
    if path not in known:
        trace = open_trace(path)
        known[path] = Recorded(path, trace.digest, trace.accesses)
    return known[path]


def _setting(config: Config, key: str) -> Any:
    """The value of a full key; None for a setting of a device that takes its own."""
    section, _, name = key.rpartition(".")
    owner = getattr(config, section) if section else config
    return owner.get(name) if isinstance(owner, Mapping) else getattr(owner, name)


def _at(run: Run, name: str) -> Any:
    """The value of a key in a run's configuration, or where it is on an axis that is no key."""
    return _setting(run.resolved.config, name) if is_key(name) else run.point.values[name]


def _place_on(axis: Axis, config: Config) -> Any:
    return axis.value_of({key: _setting(config, key) for key in axis.keys})


def _used(axis: Axis, points: list[Point]) -> list[Any]:
    """The values that runs have, in the order of the axis; those that an [[include]] brought last."""
    used = list(dict.fromkeys(point.values[axis.name] for point in points))
    return [value for value in axis.values if value in used] + [value for value in used if value not in axis.values]


def _check_baseline(baseline: Mapping[str, Any], axes: Mapping[str, list[Any]]) -> None:
    for name, value in baseline.items():
        if value not in axes[name]:
            known = suggestion(str(value), [str(known) for known in axes[name]])
            raise ConfigError(f"baseline: {name} = {value!r} is at no run{known}")
