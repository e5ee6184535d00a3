"""Results side by side: every metric's ratio to the first result, and which way is better."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zsim.errors import UsageError
from zsim.measures import Measure, measure
from zsim.metrics import METRICS
from zsim.report.labels import labels
from zsim.results import Number, Result, as_text
from zsim.units import PAGE_SIZE, format_bytes, format_ns

TELLING = [
    "slowdown", "runtime_ns", "pgmajfault", "major_store", "major_device", "latency_ns.major_device.p99",
    "pswpin", "pswpout", "filein", "written_back_pages", "writeback_refaults", "lru_inversions", "lru_inversion_share",
    "rejected_stores", "latency_ns.store.p99", "latency_ns.direct_reclaim.p99", "evictions_per_freed_page",
    "latency_ns.free_page.p99", "pool_pages_peak", "pool_pages_over_limit_peak", "stored_pages_peak",
    "compression_ratio", "effective_ratio", "density", "pool_limit_hit", "reject_pool_limit", "compress_ns",
    "decompress_ns", "allocstall", "direct_reclaim_ns", "stall_ns", "resident_pages",
]  # fmt: skip

NA = "n/a"
MARKS = {"better": "+", "worse": "-", "": " "}
SAME_WITHIN = 0.0005
"""A ratio this near to 1 prints as 1.000: neither better nor worse."""


@dataclass(frozen=True)
class Row:
    """One metric: a value per result, its ratio to the first, and "better", "worse" or "" for each."""

    metric: str
    unit: str
    better: str
    values: list[Number]
    ratios: list[float | None]
    verdicts: list[str]


@dataclass(frozen=True)
class Comparison:
    """A table of results; the first is the baseline."""

    labels: list[str]
    outcomes: list[str]
    rows: list[Row]

    def to_text(self) -> str:
        """Aligned columns for a terminal: value, ratio, + better or - worse."""
        lines = [["", *(_with_outcome(*pair) for pair in zip(self.labels, self.outcomes, strict=True))]]
        lines += [[row.metric, *(_cell(row, i) for i in range(len(self.labels)))] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [
            "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
            for line in lines
        ]
        text.append("first column: baseline; others: value, ratio to it, + better or - worse by the metric's direction")
        return "\n".join(text) + "\n"

    def to_markdown(self) -> str:
        """A table of Markdown."""
        lines = [["metric", *(_with_outcome(*pair) for pair in zip(self.labels, self.outcomes, strict=True))]]
        lines.append(["---", *["---:"] * len(self.labels)])
        lines += [[f"`{row.metric}`", *(_cell(row, i).strip() for i in range(len(self.labels)))] for row in self.rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def to_csv(self) -> str:
        """Plain numbers, one row a metric; empty where it does not apply."""
        head = ["metric", "unit", "better", *self.labels, *(f"ratio: {label}" for label in self.labels[1:])]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(head)
        for row in self.rows:
            writer.writerow([row.metric, row.unit, row.better, *row.values, *row.ratios[1:]])
        return text.getvalue()

    def to_json(self) -> dict[str, Any]:
        """`results` in order, `metrics` with values, ratios and verdicts in the same order."""
        results = [
            {"label": label, "outcome": outcome} for label, outcome in zip(self.labels, self.outcomes, strict=True)
        ]
        return {
            "schema": 1,
            "baseline": self.labels[0],
            "results": results,
            "metrics": [vars(row) for row in self.rows],
        }

    def render(self, form: str) -> str:
        """The table as "text", "csv", "json" or "markdown"."""
        if form == "json":
            return as_text(self.to_json())
        text: str = {"text": self.to_text, "csv": self.to_csv, "markdown": self.to_markdown}[form]()
        return text


def compare(results: Sequence[Result], everything: bool = False, names: Sequence[str] | None = None) -> Comparison:
    """Compare results with the first of them: the telling metrics, `everything`, or the `names` given.

    A name is one of METRICS, or latency_ns.<kind>.<figure>. A `UsageError` for fewer than two results.
    """
    if len(results) < 2:
        raise UsageError("a comparison needs two results or more; the first is the baseline")
    chosen = list(names) if names else list(METRICS) if everything else _that_apply(results)
    rows = [_row(measure(name), results) for name in chosen]
    return Comparison(labels(results), [result.outcome for result in results], rows)


def _that_apply(results: Sequence[Result]) -> list[str]:
    """The telling metrics of which at least one result has something to tell."""
    return [name for name in TELLING if any(measure(name).of(result) for result in results)]


def _row(what: Measure, results: Sequence[Result]) -> Row:
    values = [what.of(result) for result in results]
    ratios = [ratio(value, values[0]) for value in values]
    verdicts = [verdict(value, values[0], what.better) for value in values]
    return Row(what.name, what.unit, what.better, values, ratios, verdicts)


def ratio(value: Number, base: Number) -> float | None:
    """How many times the baseline; None where one does not apply, or where something is compared with nothing."""
    if value is None or base is None:
        return None
    if not base:
        return None if value else 1.0
    return round(value / base, 6)


def verdict(value: Number, base: Number, better: str) -> str:
    """Whether a value is "better" or "worse" than the baseline; "" for neither, or where that cannot be said."""
    if value is None or base is None or not better or abs(value - base) <= SAME_WITHIN * abs(base):
        return ""
    return "better" if (value < base) == (better == "lower") else "worse"


def _with_outcome(label: str, outcome: str) -> str:
    return label if outcome == "done" else f"{label} ({outcome.upper()})"


def _cell(row: Row, i: int) -> str:
    value = format_value(row.values[i], row.unit)
    if not i:
        return value
    times = row.ratios[i]
    return f"{value} {NA if times is None else f'{times:.3f}x':>8} {MARKS[row.verdicts[i]]}"


def format_value(value: Number, unit: str) -> str:
    """A metric's value for people, by its unit."""
    if value is None:
        return NA
    if unit == "ns":
        return format_ns(value)
    if unit == "B":
        return format_bytes(value)
    if unit == "pages" and value >= 1:
        return f"{value:,} ({format_bytes(value * PAGE_SIZE)})"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
