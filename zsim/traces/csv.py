"""Traces as CSV: a header row naming the columns, `page` and `op` required; `#key=value` lines before it.

    #k=192 min_memory_pages=384
    time_ns,task,page,op,kind,content
    8658000,1,34359705409,R,file,
    8659000,1,0x555555594,W,anon,17

`t_us` or `time_us` may stand for `time_ns`. Rows are parsed by pyarrow, some MB of text at a time; only a block it
refuses is read again line by line, to say what is wrong with which line, or to accept what is merely unusual.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from zsim.errors import TraceError
from zsim.traces import arrow, lines
from zsim.traces.columns import COLUMNS, KINDS, OPS, SCALES_NS, Columns, Labels, Table
from zsim.traces.streams import blocks as line_blocks
from zsim.traces.streams import line_placer

PARSE_BYTES = 2 << 20


class UnusualError(Exception):
    """A block that the fast parser does not take."""


def read(path: str, limit: int | None = None) -> Table:
    """zsim's own: a header row, `page` and `op` required; plain, gzip or zstd."""
    place = "stdin" if path == "-" else path
    blocks = line_blocks(path)
    header, names, line, rest = _header(place, blocks)
    time = next((name for name in names if name in SCALES_NS), "time_ns")
    return Table(_chunks(place, names, line, rest, blocks), header, time).limited(limit)


def _header(place: str, blocks: Iterator[tuple[int, bytes]]) -> tuple[dict[str, Any], list[str], int, bytes]:
    """(what the comment lines say, the column names, number of the first row's line, the rest of the block)."""
    said: dict[str, Any] = {}
    for line, block in blocks:
        rest = block.removeprefix(b"\xef\xbb\xbf")
        while rest:
            text, _, rest = rest.partition(b"\n")
            words = _text(place, line, text)
            line += 1
            if words.startswith("#"):
                said |= {key: int(value) if value.isdigit() else value for key, value in _SAID.findall(words)}
            elif words:
                names = [name.strip().strip('"') for name in words.split(",")]
                _check_names(place, line - 1, names)
                return said, names, line, rest
    raise TraceError(f"{place}: empty; expected a header row with at least the columns page and op")


_SAID = re.compile(r"(\w+)\s*=\s*([^,\s]+)")


def _text(place: str, line: int, data: bytes) -> str:
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise TraceError(f"{place}:{line}: not text; expected a CSV trace (plain, .gz or .zst) or a columnar one")
    return text


def _check_names(place: str, line: int, names: list[str]) -> None:
    for wanted in ("page", "op"):
        if wanted not in names:
            raise TraceError(
                f"{place}:{line}: no column {wanted!r} in the header row {','.join(names)[:80]!r}; "
                f"expected at least page and op"
            )
    known = [name for name in names if name in COLUMNS]
    if len(set(known)) < len(known):
        raise TraceError(f"{place}:{line}: a column is named twice in the header row {','.join(names)!r}")
    if len(times := [name for name in known if name in SCALES_NS]) > 1:
        raise TraceError(f"{place}:{line}: two columns of time, {' and '.join(times)}; expected one")


def _chunks(
    place: str, names: list[str], line: int, rest: bytes, blocks: Iterator[tuple[int, bytes]]
) -> Iterator[Columns]:
    if rest:
        yield _parse(place, names, line, rest)
    for first_line, block in blocks:
        yield _parse(place, names, first_line, block)


def _parse(place: str, names: list[str], line: int, block: bytes) -> Columns:
    where = line_placer(place, line, block)
    try:
        return _fast(names, block, where)
    except UnusualError:
        return lines.parse(place, names, line, block, where)


def _fast(names: list[str], block: bytes, where: Callable[[int], str]) -> Columns:
    """The block's columns by pyarrow; `UnusualError` where it or a check refuses something."""
    import pyarrow as pa
    from pyarrow import csv

    text = pa.dictionary(pa.int32(), pa.string())
    types = {"page": pa.uint64(), "op": text, "task": text, "kind": text, "file": text, "content": pa.int64()}
    types |= dict.fromkeys(SCALES_NS, pa.int64())
    used = [name for name in names if name in types]
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            read_options=csv.ReadOptions(column_names=names, block_size=PARSE_BYTES),
            convert_options=csv.ConvertOptions(column_types=types, include_columns=used, null_values=[""]),
        )
    except pa.ArrowInvalid as error:
        raise UnusualError from error
    return _columns(table.combine_chunks(), where)


def _columns(table: Any, where: Callable[[int], str]) -> Columns:
    names = table.column_names
    times = [_time_ns(_whole(table[name]), scale) for name, scale in SCALES_NS.items() if name in names]
    return Columns(
        page=_whole(table["page"]),
        write=_coded(table["op"], OPS),
        time_ns=times[0] if times else None,
        task=_labels(table["task"]) if "task" in names else None,
        kind=_coded(table["kind"], KINDS) if "kind" in names else None,
        content=_content(table["content"]) if "content" in names else None,
        file=_labels(table["file"]) if "file" in names else None,
        place=where,
    )


def _whole(column: Any) -> npt.NDArray[Any]:
    if column.null_count:
        raise UnusualError
    return arrow.numbers(column)


def _time_ns(times: npt.NDArray[np.int64], scale: int) -> npt.NDArray[np.int64]:
    if len(times) and not 0 <= times.min() <= times.max() <= (2**63 - 1) // scale:
        raise UnusualError
    return times * scale if scale != 1 else times


def _content(column: Any) -> npt.NDArray[np.int32]:
    values = arrow.numbers(column)
    if column.null_count:
        values = np.where(arrow.missing(column), -1, values)
    if len(values) and not -1 <= values.min() <= values.max() < 2**31:
        raise UnusualError
    return values.astype(np.int32)


def _labels(column: Any) -> Labels:
    column = column.unify_dictionaries().combine_chunks()
    if column.null_count:
        raise UnusualError
    return Labels(arrow.numbers(column.indices), [name.strip() for name in column.dictionary.to_pylist()])


def _coded(column: Any, meaning: dict[str, int]) -> npt.NDArray[np.uint8]:
    labels = _labels(column)
    if not labels.names or not set(labels.names) <= set(meaning):
        raise UnusualError
    return np.array([meaning[name] for name in labels.names], np.uint8)[labels.codes]
