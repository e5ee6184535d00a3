"""Numbers of a result as text, and texts in columns."""

from collections.abc import Iterable, Sequence

from zsim.results import Result
from zsim.units import PAGE_SIZE, format_bytes, format_ns

NONE = "-"


def number(result: Result, name: str) -> float:
    """A metric; 0 where it does not apply."""
    return result.metrics.get(name) or 0


def count(result: Result, name: str) -> str:
    """A metric that is a count."""
    return f"{number(result, name):,.0f}"


def ns(result: Result, name: str) -> str:
    """A metric that is a time."""
    return format_ns(number(result, name))


def pages(result: Result, name: str) -> str:
    """A metric that is a number of pages, and their size."""
    amount = int(number(result, name))
    return f"{amount:,} ({format_bytes(amount * PAGE_SIZE)})" if amount else "0"


def figure(result: Result, name: str) -> str:
    """A metric that is a ratio."""
    value = result.metrics[name]
    return NONE if value is None else f"{value:.3g}"


def aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Label and text, the texts under one another."""
    rows = list(rows)
    width = max(len(label) for label, _ in rows) + 2
    return [f"{label:<{width}}{text}" for label, text in rows]


def columns(rows: Sequence[tuple[str, ...]], headings: set[str]) -> list[str]:
    """First column to the left, figures to the right; what is no heading is set in."""
    first = [row[0] if row[0] in headings else "  " + row[0] for row in rows]
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    label_width = max(map(len, first))
    lines = []
    for label, row in zip(first, rows, strict=True):
        figures = "".join(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append((label.ljust(label_width) + figures).rstrip())
    return lines
