"""Page images of a recording: a table of their sizes (NAME.images.parquet) and the images (NAME.pages.zst).

The table's row is the content id: compressed size per codec at its default level (0 where same-filled),
`same_filled`, `zero_filled` (optional), `slot` (index in the page file; -1: sizes only). The page file is a
concatenation of zstd frames of 256 pages of 4096 bytes each, in slot order.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zsim.errors import TraceError
from zsim.traces import arrow
from zsim.traces.columnar import open_parquet
from zsim.traces.streams import open_bytes, zstd_pieces
from zsim.traces.trace import Images
from zsim.units import PAGE_SIZE

FRAME_PAGES = 256
_FLAGS = ("same_filled", "zero_filled", "slot")


def read_images(path: Path, pages_path: Path | None) -> Images:
    """The table of images at `path`; their bytes stay in `pages_path` until they are asked for."""
    file = open_parquet(str(path))
    names = file.schema_arrow.names
    if "same_filled" not in names:
        raise TraceError(f"{path}: no column 'same_filled' (found: {', '.join(names)[:80]})")
    columns = {name: _column(path, file, name) for name in names}
    count = file.metadata.num_rows
    slots = columns.get("slot", np.full(count, -1))
    if pages_path is None:
        slots = np.full(count, -1)
    zero = columns.get("zero_filled")
    return Images(
        count=count,
        sizes_bytes={name: columns[name] for name in names if name not in _FLAGS},
        same_filled=(columns["same_filled"] != 0).astype(np.uint8),
        slots=slots,
        pages_path=pages_path,
        zero_filled=None if zero is None else (zero != 0).astype(np.uint8),
    )


def _column(path: Path, file: Any, name: str) -> Any:
    """A column as int64; a `TraceError` where it holds anything but whole numbers."""
    import pyarrow as pa

    column = file.read(columns=[name]).column(0)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if column.null_count or not pa.types.is_integer(column.type):
        raise TraceError(f"{path}: column {name!r} has the type {column.type}; expected whole numbers, none missing")
    return arrow.numbers(column).astype(np.int64)


def read_pages(images: Images) -> Iterator[tuple[int, bytes]]:
    """(slot, image) of every page in the page file, in order; `TraceError` where it is truncated or too short."""
    if images.pages_path is None:
        return
    expected = int(images.slots.max(initial=-1)) + 1
    slot, rest = 0, b""
    for piece in zstd_pieces(open_bytes(str(images.pages_path)), str(images.pages_path)):
        data = rest + piece
        whole = len(data) - len(data) % PAGE_SIZE
        for start in range(0, whole, PAGE_SIZE):
            if slot == expected:  # a recording that was killed may have more, and the last frame in part
                return
            yield slot, data[start : start + PAGE_SIZE]
            slot += 1
        rest = data[whole:]
    if rest or slot < expected:
        raise TraceError(f"{images.pages_path}: {slot} page images; expected {expected}: the file is truncated")
