"""Traces as lines of fields without a header: parsed by pyarrow a block at a time, wrong ones looked for by hand."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from zsim.errors import TraceError
from zsim.traces import arrow
from zsim.traces.columns import Labels
from zsim.traces.streams import line_placer

Fields = dict[str, Any]
"""Per column an array of uint64, or `Labels` for a text."""
WHOLE, TEXT, UNUSED = "a whole number", "text", ""
MAX_DIGITS = 20


def fields(
    place: str, blocks: Iterable[tuple[int, bytes]], columns: dict[str, str], delimiter: str
) -> Iterator[tuple[Fields, Callable[[int], str]]]:
    """For each block its columns by name, and a function from a row to its place.

    columns  every column's name -> WHOLE, TEXT or UNUSED
    A line with more or fewer fields, or no number where one belongs, is a `TraceError`.
    """
    for line, block in blocks:
        if not block.strip():
            continue
        table = _parsed(place, line, block, columns, delimiter)
        found = {name: _column(table[name]) for name in table.column_names}
        yield found, line_placer(place, line, block)


def _parsed(place: str, line: int, block: bytes, columns: dict[str, str], delimiter: str) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    types = {WHOLE: pa.uint64(), TEXT: pa.dictionary(pa.int32(), pa.string())}
    used = [name for name, meaning in columns.items() if meaning]
    try:
        return csv.read_csv(
            pa.BufferReader(block),
            read_options=csv.ReadOptions(column_names=list(columns), block_size=max(len(block), 1)),
            parse_options=csv.ParseOptions(delimiter=delimiter, quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types={name: types[columns[name]] for name in used}, include_columns=used, null_values=[]
            ),
        ).combine_chunks()
    except (pa.ArrowException, ValueError) as error:
        raise _wrong(place, line, block, columns, delimiter, str(error).splitlines()[0]) from None


def _column(column: Any) -> Any:
    if str(column.type).startswith("dictionary"):
        column = column.combine_chunks()
        return Labels(arrow.numbers(column.indices).astype(np.int32, copy=False), column.dictionary.to_pylist())
    return arrow.numbers(column)


def _wrong(place: str, line: int, block: bytes, columns: dict[str, str], delimiter: str, why: str) -> TraceError:  # noqa: PLR0913
    """What is wrong with the first line that is."""
    for number, text in enumerate(block.decode(errors="replace").split("\n"), line):
        found = text.rstrip("\r").split(delimiter)
        if not text.strip("\r"):
            continue
        if len(found) != len(columns):
            return TraceError(f"{place}:{number}: {len(found)} fields in {text[:60]!r}; expected {','.join(columns)}")
        for (name, meaning), value in zip(columns.items(), found, strict=True):
            if meaning == WHOLE and (not re.fullmatch(r"[0-9]{1,20}", value) or int(value) >= 2**64):
                return TraceError(f"{place}:{number}: column {name!r}: {value[:40]!r}; expected {WHOLE} below 2^64")
    return TraceError(f"{place}:{line}: {why[:120]}")


def combined(first: Labels, second: Labels, between: str) -> Labels:
    """Two columns of text as one: FIRST.SECOND."""
    codes, inverse = np.unique(first.codes.astype(np.int64) * len(second.names) + second.codes, return_inverse=True)
    pairs = (divmod(code, len(second.names)) for code in codes.tolist())
    names = [f"{first.names[one]}{between}{second.names[other]}" for one, other in pairs]
    return Labels(inverse.astype(np.int32), names)


def coded(text: Labels, meaning: dict[str, int], name: str, place: Callable[[int], str]) -> Any:
    """What each value of a column of text means, as uint8; a `TraceError` for one that means nothing."""
    codes = np.array([meaning.get(value.strip().lower(), 255) for value in text.names], np.uint8)[text.codes]
    if (codes == 255).any():
        row = int(np.flatnonzero(codes == 255)[0])
        expected = " or ".join(meaning)
        raise TraceError(f"{place(row)}: column {name!r}: {text.names[text.codes[row]][:40]!r}; expected {expected}")
    return codes
