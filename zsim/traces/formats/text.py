"""Traces as lines of text that one regular expression tells apart."""

import re
from collections.abc import Callable, Iterator

from zsim.errors import TraceError
from zsim.traces.streams import blocks

Matches = list[tuple[str, ...]]


def matches(path: str, row: str, other: str, expected: str) -> Iterator[tuple[Matches, Callable[[int], str]]]:
    """For each block of lines, the groups of those that match `row`, and a function from such a row to its place.

    row, other  patterns of whole lines; those like `other` and empty ones say nothing of accesses. Any other line is a
                `TraceError` that names it and what was `expected`. The first group of `row` is never empty.
    """
    pattern = re.compile(rf"^(?:{row}|(?:{other})|(.*?))\r?$", re.MULTILINE)
    place = "stdin" if path == "-" else path
    for line, block in blocks(path):
        found = pattern.findall(block.decode("utf-8", "replace").removesuffix("\n"))
        for number, groups in enumerate(found, line):
            if groups[-1]:
                raise TraceError(f"{place}:{number}: {groups[-1][:90]!r}; expected {expected}")
        yield [groups for groups in found if groups[0]], _placer(place, line, found)


def _placer(place: str, line: int, found: Matches) -> Callable[[int], str]:
    def where(row: int) -> str:
        filled = (number for number, groups in enumerate(found, line) if groups[0])
        return f"{place}:{next(number for i, number in enumerate(filled) if i == row)}"

    return where
