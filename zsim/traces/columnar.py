"""Traces as columns of a Parquet file (NAME.trace.parquet): the same names, meanings and units as the CSV.

`op` may be 0/1 or R/W, `kind` 0/1 or anon/file, `task` and `file` numbers or text; `content` -1 or null is none.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from zsim.errors import TraceError
from zsim.traces import arrow
from zsim.traces.columns import COLUMNS, KINDS, OPS, ROWS, SCALES_NS, Columns, Labels, Table

HEADER_KEY = b"zsim"


def read(path: str, limit: int | None = None, place: str = "") -> Table:
    """zsim's own as Parquet columns, of the same names and meanings."""
    place = place or path
    file = open_parquet(path, place)
    names = [name for name in file.schema_arrow.names if name in COLUMNS]
    for wanted in ("page", "op"):
        if wanted not in names:
            raise TraceError(f"{place}: no column {wanted!r} (found: {', '.join(file.schema_arrow.names)[:80]})")
    for name in names:
        _check_type(place, name, file.schema_arrow.field(name).type)
    said = (file.schema_arrow.metadata or {}).get(HEADER_KEY, b"{}")
    time = next((name for name in names if name in SCALES_NS), "time_ns")
    return Table(_chunks(file, names, place), json.loads(said), time).limited(limit)


def open_parquet(path: str, place: str = "") -> Any:
    """A Parquet file, opened; a `TraceError` where it is missing or not one."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise TraceError(f"{place or path}: not a readable Parquet file ({_brief(error)})") from None


def _brief(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")[:120]


def _check_type(place: str, name: str, found: Any) -> None:
    import pyarrow as pa

    text_too = name in ("op", "kind", "task", "file")
    value = found.value_type if pa.types.is_dictionary(found) else found
    text = pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value)
    whole = pa.types.is_integer(value) or (pa.types.is_boolean(value) and text_too)
    if not (whole or (text_too and text)):
        expected = "whole numbers or text" if text_too else "whole numbers"
        raise TraceError(f"{place}: column {name!r} has the type {found}; expected {expected}")


def _chunks(file: Any, names: list[str], place: str) -> Iterator[Columns]:
    import pyarrow as pa

    first = 1
    try:
        for batch in file.iter_batches(ROWS, columns=names):
            yield _columns(batch, first, place)
            first += batch.num_rows
    except (OSError, pa.ArrowException) as error:
        raise TraceError(f"{place}: damaged Parquet file ({_brief(error)})") from None


def _columns(batch: Any, first: int, place: str) -> Columns:
    def where(row: int) -> str:
        return f"{place}: row {first + row}"

    names = batch.schema.names
    times = [name for name in SCALES_NS if name in names]
    return Columns(
        page=_numbers(batch, "page", where).astype(np.uint64, copy=False),
        write=_coded(batch, "op", OPS, where),
        time_ns=_time_ns(batch, times[0], where) if times else None,
        task=_labels(batch, "task", where) if "task" in names else None,
        kind=_coded(batch, "kind", KINDS, where) if "kind" in names else None,
        content=_content(batch, where) if "content" in names else None,
        file=_labels(batch, "file", where) if "file" in names else None,
        place=where,
    )


def _numbers(batch: Any, name: str, where: Callable[[int], str]) -> npt.NDArray[Any]:
    """A column of whole numbers, none missing, none below 0."""
    column = batch.column(name)
    if column.null_count:
        raise _wrong(where, arrow.missing(column), name, "nothing", "a number")
    values = arrow.numbers(column)
    if values.dtype.kind == "i" and len(values) and values.min() < 0:
        raise _wrong(where, values < 0, name, values, "a number not below 0")
    return values


def _time_ns(batch: Any, name: str, where: Callable[[int], str]) -> npt.NDArray[np.int64]:
    values = _numbers(batch, name, where)
    top = (2**63 - 1) // SCALES_NS[name]
    if len(values) and values.max() > top:
        raise _wrong(where, values > top, name, values, "a time below 2^63 ns")
    return values.astype(np.int64, copy=False) * np.int64(SCALES_NS[name])


def _content(batch: Any, where: Callable[[int], str]) -> npt.NDArray[np.int32]:
    column = batch.column("content")
    gone = arrow.missing(column)
    values = np.where(gone, 0, arrow.numbers(column))
    if values.dtype.kind == "i" and len(values) and values.min() < -1:
        raise _wrong(where, values < -1, "content", values, "a number not below -1")
    if len(values) and values.max() >= 2**31:
        raise _wrong(where, values >= 2**31, "content", values, "an image id below 2^31")
    return np.where(gone, np.int32(-1), values.astype(np.int32, copy=False))


def _labels(batch: Any, name: str, where: Callable[[int], str]) -> Labels:
    import pyarrow as pa

    column = batch.column(name)
    if column.null_count:
        raise _wrong(where, arrow.missing(column), name, "nothing", "a name")
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    names = [str(value) for value in column.dictionary.to_pylist()]
    return Labels(arrow.numbers(column.indices).astype(np.int32, copy=False), names)


def _coded(batch: Any, name: str, meaning: dict[str, int], where: Callable[[int], str]) -> npt.NDArray[np.uint8]:
    values = batch.column(name)
    if str(values.type) == "uint8" and not values.null_count:
        numbers = arrow.numbers(values)
        if not len(numbers) or numbers.max() <= 1:
            return numbers
    labels = _labels(batch, name, where)
    for code, found in enumerate(labels.names):
        if found not in meaning and (labels.codes == code).any():
            raise _wrong(where, labels.codes == code, name, found, " or ".join(filter(None, list(meaning)[:2])))
    return np.array([meaning.get(found, 0) for found in labels.names], np.uint8)[labels.codes]


def _wrong(where: Callable[[int], str], bad: npt.NDArray[np.bool_], name: str, found: Any, expected: str) -> TraceError:
    row = int(np.flatnonzero(bad)[0])
    value = found[row] if isinstance(found, np.ndarray) else found
    return TraceError(f"{where(row)}: column {name!r}: {value}; expected {expected}")
