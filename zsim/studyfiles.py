"""A study's folder: study.json, which says what was to be run, and runs/, where each result has a directory."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zsim.errors import ResultError
from zsim.measures import DERIVED
from zsim.metrics import METRICS
from zsim.resultfiles import FAILED, discard, is_whole, put, read_failure, read_object, write_text
from zsim.results import PARTS, Result, Series, as_text, flat

if TYPE_CHECKING:
    import pandas as pd

STUDY = "study.json"
RUNS = "runs"
SCHEMA = 1

DONE = "done"
NEW = "new"
FAILED_BEFORE = "failed before"
DAMAGED = "damaged"


@dataclass(frozen=True)
class Point:
    """One run of a study: its digest, its trace, and its value on each axis (in the order of the axes)."""

    digest: str
    trace: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Study:
    """One study with the folder of its results.

    axes      axis -> its values in order; "trace" and "series" are axes too where they vary
    baseline  axis -> value, of some axes: the run that others are compared with
    metrics   columns of its table, maybe none; figures, tables: as the study's file has them
    text      what is asked and how, finding: what came out; Markdown
    """

    name: str
    title: str
    text: str
    metrics: list[str]
    baseline: dict[str, Any]
    axes: dict[str, list[Any]]
    figures: list[dict[str, Any]]
    points: list[Point]
    folder: Path
    tables: list[dict[str, Any]] = field(default_factory=list)
    finding: str = ""

    def directory(self, point: Point) -> Path:
        """Where the result of a point is, or will be."""
        return run_directory(self.folder, point.digest)

    def result(self, point: Point) -> Result | None:
        """The complete result of a point; None where it is missing, damaged, or the run failed."""
        try:
            return Result.load(self.directory(point))
        except ResultError:
            return None

    def error(self, point: Point) -> str | None:
        """Why the run of a point failed; None where it did not."""
        failure = read_failure(self.directory(point))
        return None if failure is None else str(failure["error"])

    def measured(self, point: Point) -> dict[str, Any]:
        """Outcome, error, every metric, those worked out from them, and latency_ns.<kind>.<figure> of a point."""
        try:
            result = numbers_of(self.directory(point))
        except ResultError:
            error = self.error(point)
            names = (*METRICS, *DERIVED)
            return {"outcome": "missing" if error is None else "failed", "error": error} | dict.fromkeys(names)
        worked_out = {name: derived.of(result) for name, derived in DERIVED.items()}
        latencies = flat({"latency_ns": result.latency_ns})
        return {"outcome": result.outcome, "error": None} | result.metrics | worked_out | latencies

    def row(self, point: Point) -> dict[str, Any]:
        """A row of `frame`: where the point is on the axes, and what was measured."""
        return point.values | self.measured(point)

    def frame(self) -> "pd.DataFrame":
        """One row a point, in order: the axes, outcome, error, every metric, latency_ns.<kind>.<figure>."""
        import pandas as pd

        return pd.DataFrame([self.row(point) for point in self.points])

    def to_json(self) -> dict[str, Any]:
        """What study.json holds of it."""
        points = [vars(point) for point in self.points]
        names = ("name", "title", "text", "metrics", "baseline", "axes", "figures", "tables", "finding")
        return {name: getattr(self, name) for name in names} | {"points": points}


def numbers_of(directory: Path) -> Result:
    """A result without series and histograms, which would fill the memory; a `ResultError` where there is none."""
    stored = read_object(directory)
    try:
        return Result(**{name: stored[name] for name in PARTS}, series=Series((), []), histograms={})
    except KeyError as error:
        raise ResultError(f"{directory}: damaged, no {error}") from None


def run_directory(folder: Path, digest: str) -> Path:
    """The directory of the run with this digest."""
    return folder / RUNS / digest[:16]


def standing(directory: Path, digest: str) -> str:
    """How a run stands: DONE, NEW, FAILED_BEFORE, or DAMAGED, where files of its result are missing or cut off."""
    if not directory.exists():
        return NEW
    if read_failure(directory) is not None:
        return FAILED_BEFORE
    try:
        held = read_object(directory)["provenance"]["digest"]
    except (ResultError, KeyError, TypeError):
        return DAMAGED
    return DONE if held == digest and is_whole(directory) else DAMAGED


def save_result(folder: Path, result: Result) -> None:
    """Put a result where the study expects it, in place of a failure or a damaged one."""
    directory = run_directory(folder, result.digest)
    if standing(directory, result.digest) in (FAILED_BEFORE, DAMAGED):
        discard(directory)
    result.save(directory)


def save_failure(folder: Path, failure: dict[str, Any]) -> None:
    """Put what is known of a run that failed where its result would be; a result that is there stays."""
    directory = run_directory(folder, failure["digest"])
    how = standing(directory, failure["digest"])
    if how == DAMAGED:
        discard(directory)
    if how != DONE:
        put(directory, {FAILED: as_text({"schema": SCHEMA} | failure)})


def is_study(path: str | Path) -> bool:
    """Whether a folder (or its study.json) is that of a study's results."""
    return (Path(path) / STUDY).is_file() or (Path(path).name == STUDY and Path(path).is_file())


def write_studies(folder: Path, studies: Iterable[Study]) -> None:
    """Write study.json, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / STUDY, as_text({"schema": SCHEMA, "studies": [study.to_json() for study in studies]}))


def load_studies(path: str | Path) -> list[Study]:
    """The studies of a folder (or its study.json); a `ResultError` where there are none or the file is damaged."""
    file = Path(path) if Path(path).name == STUDY else Path(path) / STUDY
    try:
        stored = json.loads(file.read_bytes())
        if stored["schema"] != SCHEMA:
            raise ValueError(f"schema {stored['schema']!r}")
        return [_study(entry, file.parent) for entry in stored["studies"]]
    except OSError as error:
        raise ResultError(f"{path}: no study here ({STUDY}: {error.strerror}); run `zsim sweep` first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{file}: not a study of schema {SCHEMA}, or damaged ({error})") from None


def _study(entry: dict[str, Any], folder: Path) -> Study:
    return Study(**entry | {"points": [Point(**point) for point in entry["points"]], "folder": folder})
