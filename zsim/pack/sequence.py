"""Alloc/free sequences: read from a file row by row, written, and generated (zsim/pack/patterns.py)."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TextIO

from zsim.errors import TraceError

USUAL = re.compile(rb"([af]),([0-9]{1,18}),([0-9]{1,18})").fullmatch
OPS = {b"a": "a", b"f": "f", b"c": "c", b"r": "r"}
COLUMNS = (b"op", b"id", b"size")
LONGEST_LINE_BYTES = 1 << 12
LARGEST = 1 << 63


class Row(NamedTuple):
    """One operation: `a` alloc, `f` free, `c` compact, `r` reclaim a page; only an alloc has a size that counts."""

    op: str
    id: int
    size_bytes: int
    line: int


def place_of(path: str) -> str:
    """What messages call a sequence."""
    return "<stdin>" if path == "-" else path


def read_sequence(path: str) -> Iterator[Row]:
    """The rows of a CSV file with the columns op, id, size, in one pass; plain, gzip or zstd, "-" for stdin.

    The header may be left out; blank lines are skipped. What cannot be read is a `TraceError` with line and column.
    """
    from zsim.traces.streams import open_bytes, pieces  # with numpy, which nothing else here needs

    stream, place = open_bytes(path), place_of(path)
    try:
        yield from _rows(_lines(pieces(stream, place), place), place)
    finally:
        if path != "-":
            stream.close()


def write_sequence(rows: Iterable[Row], out: TextIO) -> None:
    """The rows as `read_sequence` takes them."""
    out.write("op,id,size\n")
    out.writelines(f"{row.op},{row.id},{row.size_bytes}\n" for row in rows)


def _lines(blocks: Iterable[bytes], place: str) -> Iterator[tuple[int, bytes]]:
    rest, number = b"", 0
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for number, line in enumerate(lines, number + 1):  # noqa: B020 - counts on from the block before
            yield number, line.strip()
        if len(rest) > LONGEST_LINE_BYTES:
            raise TraceError(f"{place}:{number + 1}: no end of line in {LONGEST_LINE_BYTES} bytes; expected op,id,size")
    yield number + 1, rest.strip()


def _rows(lines: Iterator[tuple[int, bytes]], place: str) -> Iterator[Row]:
    number, first = next(((number, line) for number, line in lines if line), (0, b""))
    first = first.removeprefix(b"\xef\xbb\xbf")
    if not first:
        raise TraceError(f"{place}: empty; expected rows of op,id,size")
    headless = first.split(b",")[0] in OPS
    order = (0, 1, 2) if headless else _order(first, f"{place}:{number}")
    if headless:
        yield _row(first.split(b","), order, place, number)
    yield from _usual(lines, place) if order == (0, 1, 2) else _any(lines, order, place)


def _any(lines: Iterator[tuple[int, bytes]], order: tuple[int, int, int], place: str) -> Iterator[Row]:
    return (_row(line.split(b","), order, place, number) for number, line in lines if line)


def _usual(lines: Iterator[tuple[int, bytes]], place: str) -> Iterator[Row]:
    """As `_any`, with the rows that need no second look read three times as fast."""
    for number, line in lines:
        match = USUAL(line)
        if match is not None:
            op, of, size = match.groups()
            yield Row(OPS[op], int(of), int(size), number)
        elif line:
            yield _row(line.split(b","), (0, 1, 2), place, number)


def _order(header: bytes, place: str) -> tuple[int, int, int]:
    names = [name.strip(b' "').lower() for name in header.split(b",")]
    missing = [name.decode() for name in COLUMNS if name not in names]
    if missing:
        raise TraceError(f"{place}: no column {missing[0]!r} in {_show(header)}; expected op,id,size")
    return names.index(b"op"), names.index(b"id"), names.index(b"size")


def _row(cells: list[bytes], order: tuple[int, int, int], place: str, line: int) -> Row:
    op = OPS.get(cells[order[0]]) if order[0] < len(cells) else None
    if op is None:
        raise TraceError(f"{place}:{line}: column 'op': {_show(_cell(cells, order[0]))}; expected a, f, c or r")
    if op in "cr":
        return Row(op, 0, 0, line)
    number = _number(cells, order[1], "id", place, line)
    return Row(op, number, _number(cells, order[2], "size", place, line) if op == "a" else 0, line)


def _number(cells: list[bytes], index: int, name: str, place: str, line: int) -> int:
    cell = _cell(cells, index)
    if cell.isdigit() and len(cell) < 20 and (value := int(cell)) < LARGEST:
        return value
    what = "a whole number below 2^63, not negative" if cell else "a number"
    raise TraceError(f"{place}:{line}: column {name!r}: {_show(cell)}; expected {what}")


def _cell(cells: list[bytes], index: int) -> bytes:
    return cells[index].strip() if index < len(cells) else b""


def _show(cell: bytes) -> str:
    return repr(cell[:40].decode(errors="replace")) if cell else "nothing"
