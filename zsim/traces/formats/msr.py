"""MSR Cambridge block traces, as SNIA has them: requests to the disks of servers, behind a page cache of their own.

Lines are Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime: the time in units of 100 ns since 1601, Read or
Write, the place and the size in bytes, the time taken (unused). Layout: SNIA IOTTA trace set 387, "MSR Cambridge
Traces" (Narayanan, Donnelly, Rowstron, FAST 2008, whom to cite).

A volume is a task and a file; every 4 KiB block that a request touches is an access to a page of the page cache.
"""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from zsim.traces.columns import Columns, Table
from zsim.traces.formats.accesses import Clock, requests
from zsim.traces.formats.delimited import TEXT, UNUSED, WHOLE, coded, combined, fields
from zsim.traces.streams import blocks

COLUMNS = {
    "Timestamp": WHOLE, "Hostname": TEXT, "DiskNumber": TEXT, "Type": TEXT, "Offset": WHOLE, "Size": WHOLE,
    "ResponseTime": UNUSED,
}  # fmt: skip
OPS = {"read": 0, "write": 1}
TICK_NS = 100


def read(path: str, limit: int | None = None) -> Table:
    """MSR Cambridge (SNIA) block traces, CSV: requests in bytes, as pages of the page cache."""
    return Table(_chunks(path), {"imported": "msr"}).limited(limit)


def _chunks(path: str) -> Iterator[Columns]:
    place, clock = "stdin" if path == "-" else path, Clock(TICK_NS)
    for found, where in fields(place, _without_header(blocks(path)), COLUMNS, ","):
        volume = combined(found["Hostname"], found["DiskNumber"], ".")
        write = coded(found["Type"], OPS, "Type", where)
        time_ns = clock.times_ns(found["Timestamp"].astype(np.int64), volume)
        yield requests(volume, write, time_ns, found["Offset"], found["Size"], where)


def _without_header(found: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    for line, block in found:
        header, _, rest = block.partition(b"\n")
        return chain([(line + 1, rest)] if header.startswith(b"Timestamp") else [(line, block)], found)
    return iter(())
