"""libCacheSim's CSV: requests of a cache as text, with or without a header row.

Columns are found by their names (time or timestamp; obj_id, id, key or lbn; op); without a header row they are time,
object, size, as libCacheSim reads them unless told otherwise. The delimiter is the first of comma, tab, semicolon,
vertical bar and space that the first line has. Layout: libCacheSim, README and traceReader/generalReader/csv.c.

An object is a page of anonymous memory, whatever its size; an object that is no number has one made of its name. Times
are seconds. Where there is an `op`, set, put, write and w are writes; without one all accesses are reads.
"""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from zsim.errors import TraceError
from zsim.traces.columns import Columns, Labels, Table
from zsim.traces.formats.accesses import Clock
from zsim.traces.formats.delimited import TEXT, UNUSED, WHOLE, fields
from zsim.traces.streams import blocks
from zsim.units import NS_PER_S

NAMES = {
    "time": ("time", "timestamp", "clock_time", "real_time"),
    "object": ("obj_id", "id", "key", "object", "obj", "lbn"),
    "op": ("op", "operation"),
}
DELIMITERS = ",\t;| "
WRITES = ("w", "write", "set", "put")


def read(path: str, limit: int | None = None) -> Table:
    """libCacheSim's CSV, by the names in its header row or as time,object,size: an object is a page."""
    return Table(_chunks(path), {"imported": "libcachesim-csv"}).limited(limit)


def _chunks(path: str) -> Iterator[Columns]:
    place, clock = "stdin" if path == "-" else path, None
    columns, delimiter, parts = _layout(place, blocks(path))
    for number, (found, where) in enumerate(fields(place, parts, columns, delimiter)):
        ticks = found["time"].astype(np.int64) if "time" in found else np.zeros(1, np.int64)
        clock = clock if number else Clock.that_moves(ticks, NS_PER_S)
        page = _pages(found["object"])
        yield Columns(
            page=page,
            write=_writes(found["op"]) if "op" in found else np.zeros(len(page), np.uint8),
            time_ns=clock.times_ns(ticks) if clock else None,
            place=where,
        )


def _layout(place: str, found: Iterator[tuple[int, bytes]]) -> tuple[dict[str, str], str, Iterator[tuple[int, bytes]]]:
    """(what each column is, the delimiter, the lines of requests) by the first two lines."""
    line, block = next(found, (1, b""))
    first, _, rest = block.partition(b"\n")
    words = first.decode(errors="replace").strip().lstrip("# ")
    delimiter = next((mark for mark in DELIMITERS if mark in words), ",")
    names = words.lower().split(delimiter)
    if any(name.isdigit() for name in names):
        names, sample, parts = ["time", "object", "size"][: len(names)], names, chain([(line, block)], found)
        names += [f"column {i}" for i in range(4, len(sample) + 1)]
    else:
        names = [_meaning(name) for name in names]
        sample = rest.partition(b"\n")[0].decode(errors="replace").strip().split(delimiter)
        parts = chain([(line + 1, rest)], found)
    if "object" not in names or len(set(names)) < len(names):
        raise TraceError(f"{place}:{line}: {words[:60]!r}; expected columns time,obj_id,size, or names of such")
    numbers = dict(zip(names, sample, strict=False)).get("object", "").isdigit()
    types = {"time": WHOLE, "object": WHOLE if numbers else TEXT, "op": TEXT}
    return {name: types.get(name, UNUSED) for name in names}, delimiter, parts


def _meaning(name: str) -> str:
    name = name.strip().strip('"')
    return next((known for known, names in NAMES.items() if name in names), name)


def _pages(objects: Any) -> npt.NDArray[np.uint64]:
    if not isinstance(objects, Labels):
        return np.asarray(objects, np.uint64)
    digests = [blake2b(name.encode(), digest_size=8).digest() for name in objects.names]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)[objects.codes]


def _writes(op: Labels) -> npt.NDArray[np.uint8]:
    return np.array([name.strip().lower() in WRITES for name in op.names], np.uint8)[op.codes]
