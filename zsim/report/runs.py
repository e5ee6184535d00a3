"""What tables, figures and reports are made of: runs, each with its place on the axes they are laid out by."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from zsim.errors import ResultError, UsageError
from zsim.measures import Measure
from zsim.registry import suggestion
from zsim.report.labels import applies, labels, telling_differences, text_of, value_text
from zsim.resultfiles import find_results
from zsim.results import Number, Result
from zsim.studyfiles import Point, Study, is_study, load_studies, numbers_of

if TYPE_CHECKING:
    Subject: TypeAlias = "Result | Sequence[Result] | Study | Runs | str | Path"


@dataclass(frozen=True, eq=False)
class Run:
    """One run: its value on each axis, how it ended ("done", "oom", "failed", "missing"), and its result if it has one.

    The result of a study's run has neither series nor histograms, which would fill the memory: `load` reads them.
    """

    label: str
    values: dict[str, Any]
    outcome: str
    error: str = ""
    result: Result | None = None
    directory: Path | None = None

    def load(self) -> Result:
        """The whole result, series and histograms included; a `ResultError` where there is none."""
        if self.directory is not None:
            return Result.load(self.directory)
        assert self.result is not None, self.label
        return self.result

    def value(self, measure: Measure) -> Number:
        """A measure's value; None where it does not apply or the run has no result."""
        return None if self.result is None else measure.of(self.result)


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs side by side: a study, or results that somebody gave.

    axes      axis -> its values, in the order they are to be shown
    baseline  axis values of the runs that others are compared with
    metrics   the measures that its tables show
    figures   its figures, and tables: its small tables, as the study file has them; text, finding: Markdown
    """

    name: str
    title: str
    axes: dict[str, list[Any]]
    runs: list[Run]
    text: str = ""
    baseline: dict[str, Any] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    is_study: bool = False
    tables: list[dict[str, Any]] = field(default_factory=list)
    finding: str = ""

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    @property
    def results(self) -> list[Result]:
        """What was measured, run by run; nothing of runs that failed or are missing."""
        return [run.result for run in self.runs if run.result is not None]

    @property
    def varying(self) -> dict[str, list[Any]]:
        """The axes along which these runs differ."""
        return {axis: values for axis, values in self.axes.items() if len(values) > 1}

    def where(self, wanted: Mapping[str, Any]) -> "Runs":
        """The runs with these axis values (one, or a list of which any); a `UsageError` where there are none."""
        keep = {self.axis(axis): _texts(value) for axis, value in wanted.items()}
        for axis, texts in keep.items():
            known = [text_of(value) for value in self.axes[axis]]
            for text in texts:
                if text not in known:
                    raise UsageError(f"{self.name}: {axis} has no value {text!r}{suggestion(text, known)}")
        runs = [run for run in self.runs if all(text_of(run.values.get(a)) in texts for a, texts in keep.items())]
        if not runs:
            raise UsageError(f"{self.name}: no run with {_said(wanted)}")
        return replace(self, runs=runs, axes=_axes([run.values for run in runs], self.axes))

    def led_by(self, first: Mapping[str, Any]) -> "Runs":
        """The same runs, those with these axis values first."""
        ahead = self.where(first).runs if first else []
        return replace(self, runs=[*ahead, *(run for run in self.runs if run not in ahead)])

    def axis(self, name: str) -> str:
        """The axis called so, by its whole name or a last part that is unique; a `UsageError` for another."""
        alike = [axis for axis in self.axes if name in axis.split(".")]
        if name in self.axes or len(alike) == 1:
            return name if name in self.axes else alike[0]
        raise UsageError(f"{self.name}: no axis {name!r}{suggestion(name, list(self.axes))}")


def _texts(value: Any) -> list[str]:
    return [text_of(each) for each in (value if isinstance(value, list | tuple) else [value])]


def _said(wanted: Mapping[str, Any]) -> str:
    return ", ".join(f"{axis} {' or '.join(_texts(value))}" for axis, value in wanted.items())


def _axes(rows: Sequence[Mapping[str, Any]], order: Mapping[str, Sequence[Any]] | None = None) -> dict[str, list[Any]]:
    """Axis -> values that occur in `rows`, in the order of `order` or of the rows."""
    found: dict[str, list[Any]] = {axis: [] for axis in order or {}}
    for row in rows:
        for axis, value in row.items():
            if value is not None and value not in found.setdefault(axis, []):
                found[axis].append(value)
    if order:
        found = {axis: [v for v in order.get(axis, values) if v in values] for axis, values in found.items()}
    return found


def gather(subject: "Subject") -> list[Runs]:
    """The runs of a result, results, a study, or a folder of either; a folder may hold several studies."""
    if isinstance(subject, Runs):
        return [subject]
    if isinstance(subject, Result):
        return [of_results([subject])]
    if isinstance(subject, str | Path):
        return gather_paths([Path(subject)])
    return [of_study(subject)] if isinstance(subject, Study) else [of_results(list(subject))]


def gather_paths(paths: Sequence[Path]) -> list[Runs]:
    """The studies of one or several folders, or the results at and below them, side by side."""
    studies = [path for path in paths if is_study(path)]
    if studies and len(studies) < len(paths):
        other = next(path for path in paths if path not in studies)
        raise UsageError(f"{other} is no study and {studies[0]} is one; give studies or results, not both")
    if studies:
        return [of_study(study) for path in studies for study in load_studies(path)]
    return [of_results([Result.load(found) for path in paths for found in find_results(path)], paths[0].name)]


def of_results(results: Sequence[Result], name: str = "results") -> Runs:
    """Results as they are given; the first is the baseline of the others."""
    differ = telling_differences(results)
    rows = [
        {axis: values[i] if applies(axis, values[i], result) else None for axis, values in differ.items()}
        for i, result in enumerate(results)
    ]
    runs = [
        Run(label, row, result.outcome, result=result)
        for label, row, result in zip(labels(results), rows, results, strict=True)
    ]
    return Runs(name, name, _axes(rows), runs, baseline=dict(rows[0]) if rows else {})


def of_study(study: Study) -> Runs:
    """The points of a study, done or not."""
    varying = [axis for axis, values in study.axes.items() if len(values) > 1]
    runs = [_of_point(study, point, varying) for point in study.points]
    return Runs(
        study.name, study.title or study.name, study.axes, runs, study.text, study.baseline, study.metrics,
        study.figures, is_study=True, tables=study.tables, finding=study.finding,
    )  # fmt: skip


def _of_point(study: Study, point: Point, varying: Sequence[str]) -> Run:
    directory = study.directory(point)
    values = [value_text(axis, point.values[axis]) for axis in varying if point.values.get(axis) is not None]
    result, error = _without_files(directory), study.error(point) or ""
    outcome = result.outcome if result else "failed" if error else "missing"
    return Run(", ".join(values) or study.name, point.values, outcome, error, result, directory)


def _without_files(directory: Path) -> Result | None:
    """What result.json alone tells; None where it is missing or damaged."""
    try:
        return numbers_of(directory)
    except ResultError:
        return None
