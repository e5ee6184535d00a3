"""CSV rows line by line: slower than the block parser by far, and able to say what is wrong where."""

import csv
import re
from collections.abc import Callable

import numpy as np

from zsim.errors import TraceError
from zsim.traces.columns import KINDS, OPS, SCALES_NS, Columns, Labels
from zsim.traces.trace import NO_CONTENT

_PAGE = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]+")
_NUMBER = re.compile(r"[0-9]+")


class WrongError(Exception):
    """What was expected instead of a value."""


def page(text: str) -> int:
    """A page number, decimal or 0x hexadecimal."""
    if _PAGE.fullmatch(text) is None:
        raise WrongError("a page number, decimal or 0x hexadecimal, not negative")
    number = int(text, 16 if text[:2].lower() == "0x" else 10)
    if number >= 2**64:
        raise WrongError("a page number below 2^64")
    return number


def write(text: str) -> int:
    """1 for a write."""
    if text not in OPS:
        raise WrongError("R or W")
    return OPS[text]


def kind(text: str) -> int:
    """1 for page cache."""
    if text not in KINDS:
        raise WrongError("anon or file")
    return KINDS[text]


def content(text: str) -> int:
    """An image id, -1 where there is none."""
    if text in ("", "-1"):
        return NO_CONTENT
    if _NUMBER.fullmatch(text) is None or int(text) >= 2**31:
        raise WrongError("an image id, or nothing")
    return int(text)


def time_ns(scale: int) -> Callable[[str], int]:
    """A function from a time in units of `scale` ns to ns."""

    def parse_time(text: str) -> int:
        if _NUMBER.fullmatch(text) is None:
            raise WrongError("a whole number, not negative")
        if int(text) * scale >= 2**63:
            raise WrongError("a time below 2^63 ns")
        return int(text) * scale

    return parse_time


PARSERS: dict[str, Callable[[str], int | str]] = {
    "page": page,
    "op": write,
    "kind": kind,
    "content": content,
    "task": str,
    "file": str,
    **{name: time_ns(scale) for name, scale in SCALES_NS.items()},
}


def parse(place: str, names: list[str], line: int, block: bytes, where: Callable[[int], str]) -> Columns:
    """The block's columns, or a `TraceError` naming line, column, value and what was expected."""
    used = [(i, name, PARSERS[name]) for i, name in enumerate(names) if name in PARSERS]
    values: dict[str, list[int | str]] = {name: [] for _, name, _ in used}
    for number, text in enumerate(block.decode(errors="replace").split("\n"), line):
        if not text.strip("\r"):
            continue
        fields = next(csv.reader([text.rstrip("\r")]))
        if len(fields) != len(names):
            raise TraceError(f"{place}:{number}: {len(fields)} fields in {text[:60]!r}; expected {len(names)}")
        for i, name, parser in used:
            try:
                values[name].append(parser(fields[i].strip()))
            except WrongError as error:
                raise TraceError(f"{place}:{number}: column {name!r}: {fields[i][:40]!r}; expected {error}") from None
    return _columns(values, where)


def _columns(values: dict[str, list[int | str]], where: Callable[[int], str]) -> Columns:
    times = [values[name] for name in SCALES_NS if name in values]
    return Columns(
        page=np.array(values["page"], np.uint64),
        write=np.array(values["op"], np.uint8),
        time_ns=np.array(times[0], np.int64) if times else None,
        task=_labels(values["task"]) if "task" in values else None,
        kind=np.array(values["kind"], np.uint8) if "kind" in values else None,
        content=np.array(values["content"], np.int32) if "content" in values else None,
        file=_labels(values["file"]) if "file" in values else None,
        place=where,
    )


def _labels(values: list[int | str]) -> Labels:
    names = list(dict.fromkeys(map(str, values)))
    code = {name: i for i, name in enumerate(names)}
    return Labels(np.array([code[str(value)] for value in values], np.int32), names)
