"""The result of one replay: what was measured, of what, and its directory of files."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zsim.errors import ResultError
from zsim.metrics import METRICS
from zsim.resultfiles import RESULT, SCHEMA, find_results, read_failure, read_object, save_directory

if TYPE_CHECKING:
    import pandas as pd

MODEL_VERSION = 4
"""Raised whenever a change gives the same configuration and trace other results."""

Number = int | float | None
Bucket = tuple[int, int, int]
"""(low_ns, high_ns, count) of a latency histogram."""

PARTS = ("config", "trace", "outcome", "metrics", "latency_ns", "provenance")
HISTOGRAM_COLUMNS = ("latency", "low_ns", "high_ns", "count")


class Series(NamedTuple):
    """A table of integers over time: one row a sample, counters as totals since the start."""

    columns: tuple[str, ...]
    rows: list[tuple[int, ...]]

    def column(self, name: str) -> list[int]:
        """One column from the first sample to the last."""
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


@dataclass(repr=False)
class Result:
    """One run, complete.

    config      nested, every key resolved, the device's settings too
    trace       name, digest, accesses, pages, footprint_pages, file_pages, tasks, k, min_memory_pages
    outcome     "done" or "oom"
    metrics     every name of METRICS; None where it does not apply
    latency_ns  kind -> count, mean, p50, p90, p99, p999, max
    provenance  versions, digests and seed: same provenance, same result
    series      COLUMNS of the sampler; histograms: latency -> buckets
    run         what may differ between equal results: origins of the values, host, date, wall time
    """

    config: dict[str, Any]
    trace: dict[str, Any]
    outcome: str
    metrics: dict[str, Number]
    latency_ns: dict[str, dict[str, Number]]
    provenance: dict[str, Any]
    series: Series
    histograms: dict[str, list[Bucket]]
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Names configuration, trace and model together: equal digests, equal results."""
        return str(self.provenance["digest"])

    @property
    def origins(self) -> dict[str, str]:
        """Dotted key -> where its value came from, as far as that is known."""
        return dict(self.run.get("origins", {}))

    def to_json(self) -> dict[str, Any]:
        """The object of result.json and of --json; equal, byte for byte once written, for equal input."""
        return {"schema": SCHEMA} | {name: getattr(self, name) for name in PARTS}

    def __repr__(self) -> str:
        """One line: the series and histograms of a run would fill pages."""
        return f"<Result of {self.trace['name']}: {self.outcome}, slowdown {self.metrics['slowdown']}>"

    def save(self, directory: str | Path) -> None:
        """Write result.json, series.csv, histograms.csv and run.json, all or nothing; a `ResultError` if that fails.

        A result of the same digest is replaced, one of another configuration or trace never.
        """
        buckets = [(name, *bucket) for name, rows in self.histograms.items() for bucket in rows]
        files = {
            "series.csv": _csv(self.series.columns, self.series.rows),
            "histograms.csv": _csv(HISTOGRAM_COLUMNS, buckets),
            "run.json": as_text(self.run),
            RESULT: as_text(self.to_json()),
        }
        save_directory(Path(directory), files, self.digest)

    @classmethod
    def load(cls, path: str | Path) -> "Result":
        """Read a result's directory (or its result.json); a `ResultError` where it is missing or damaged."""
        folder = Path(path).parent if Path(path).is_file() else Path(path)
        stored = read_object(Path(path))
        try:
            parts = {name: stored[name] for name in PARTS}
            columns, *rows = _read_csv(folder / "series.csv")
            series = Series(tuple(columns), [tuple(map(int, row)) for row in rows])
            histograms: dict[str, list[Bucket]] = {name: [] for name in stored["latency_ns"]}
            for name, low_ns, high_ns, count in _read_csv(folder / "histograms.csv")[1:]:
                histograms[name].append((int(low_ns), int(high_ns), int(count)))
            run = json.loads((folder / "run.json").read_bytes())
        except (OSError, ValueError, KeyError) as error:
            raise ResultError(f"{folder}: the result is not complete: {error}") from None
        return cls(**parts, series=series, histograms=histograms, run=run)


def run_digest(trace_digest: str, config_digest: str) -> str:
    """What a run is known by: SHA-256 over its configuration, its trace and the version of the model."""
    return hashlib.sha256(f"{MODEL_VERSION} {trace_digest} {config_digest}".encode()).hexdigest()


def as_text(value: object) -> str:
    """JSON as it is written everywhere: one value a line."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested dict by dotted keys."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def load_results(path: str | Path) -> "pd.DataFrame":
    """One row per run at or below `path`: path, trace, outcome, metrics, latency_ns.*, and the configuration's keys.

    Runs of a study that failed have the outcome "failed" and their `error`; the study's axes and the runs that are
    missing are in `load_studies(path)[0].frame()`.
    """
    import pandas as pd

    return pd.DataFrame([_row(folder) for folder in find_results(Path(path), failed=True)])


def _row(folder: Path) -> dict[str, Any]:
    failure = read_failure(folder)
    try:
        if failure is not None:
            row = {"path": str(folder), "trace": failure["trace"], "outcome": "failed", "error": failure["error"]}
            return row | dict.fromkeys(METRICS) | flat(failure["config"]) | {"digest": failure["digest"]}
        stored = read_object(folder)
        row = {"path": str(folder), "trace": stored["trace"]["name"], "outcome": stored["outcome"], "error": None}
        row |= stored["metrics"] | flat({"latency_ns": stored["latency_ns"]})
        return row | flat(stored["config"]) | {"digest": stored["provenance"]["digest"]}
    except (KeyError, TypeError) as error:
        raise ResultError(f"{folder}: the result is not complete: {error}") from None


def _csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows:
        raise ResultError(f"{path}: empty")
    return rows
