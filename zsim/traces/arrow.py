"""Between numpy and Arrow by way of their buffers: pyarrow's own conversions import pandas, half a second a command."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def numbers(column: Any) -> npt.NDArray[Any]:
    """A column of whole numbers or truth values as an array, not copied if it can be; missing ones are anything."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_boolean(column.type):
        return numbers(column.cast(pa.uint8())).astype(bool)
    dtype = np.dtype(str(column.type))
    data = column.buffers()[1]
    if data is None:
        return np.empty(0, dtype)
    return np.frombuffer(data, dtype, len(column), column.offset * dtype.itemsize)


def missing(column: Any) -> npt.NDArray[np.bool_]:
    """Where a column has nothing."""
    found: npt.NDArray[np.bool_] = numbers(column.is_null())
    return found


def array(values: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None = None) -> Any:
    """Whole numbers or truth values as an Arrow array; those not `valid` as missing."""
    import pyarrow as pa

    kind = pa.bool_() if values.dtype == bool else pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None if valid is None else _bits(valid), _data(values)])


def text(values: Sequence[str]) -> Any:
    """Strings as an Arrow array."""
    import pyarrow as pa

    coded = [value.encode() for value in values]
    offsets = np.cumsum([0, *map(len, coded)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(coded), [None, _data(offsets), pa.py_buffer(b"".join(coded))])


def _data(values: npt.NDArray[Any]) -> Any:
    import pyarrow as pa

    return _bits(values) if values.dtype == bool else pa.py_buffer(np.ascontiguousarray(values))


def _bits(values: npt.NDArray[np.bool_]) -> Any:
    import pyarrow as pa

    return pa.py_buffer(np.packbits(values, bitorder="little"))
