"""FIU block traces with content hashes, as SNIA has them: requests of a server's disks, and what each block held.

Lines are TIME PID PROCESS BLOCK SECTORS OP MAJOR MINOR MD5, with single spaces: nanoseconds, a place and a size in
sectors of 512 bytes, W or R, the device, the MD5 of the 4096 bytes moved. Layout: README of SNIA IOTTA trace set 411.

A device is a task and a file; every 4 KiB block that a request touches is an access to a page of the page cache. Equal
hashes are equal contents: they name one image, whose size is drawn, for the hash does not tell it. A request of more
than one page (or of a part, in the traces hashed by 512 bytes) names the image of its first.
"""

from collections.abc import Iterator

import numpy as np

from zsim.traces.columns import Columns, Table
from zsim.traces.formats.accesses import Clock, requests
from zsim.traces.formats.delimited import TEXT, UNUSED, WHOLE, coded, combined, fields
from zsim.traces.streams import blocks

COLUMNS = {
    "time": WHOLE, "pid": UNUSED, "process": UNUSED, "block": WHOLE, "sectors": WHOLE, "op": TEXT, "major": TEXT,
    "minor": TEXT, "md5": TEXT,
}  # fmt: skip
OPS = {"r": 0, "w": 1}
SECTOR_BYTES = np.uint64(512)


def read(path: str, limit: int | None = None) -> Table:
    """FIU (SNIA) block traces with content hashes: requests as pages of the page cache, equal hashes one image."""
    return Table(_chunks(path), {"imported": "fiu"}).limited(limit)


def _chunks(path: str) -> Iterator[Columns]:
    clock, images = Clock(1), dict[str, int]()
    for found, where in fields("stdin" if path == "-" else path, blocks(path), COLUMNS, " "):
        device = combined(found["major"], found["minor"], ".")
        write = coded(found["op"], OPS, "op", where)
        time_ns = clock.times_ns(found["time"].astype(np.int64), device)
        first_byte, size_bytes = found["block"] * SECTOR_BYTES, found["sectors"] * SECTOR_BYTES
        ids = [images.setdefault(name, len(images)) for name in found["md5"].names]
        image = np.array(ids, np.int32)[found["md5"].codes]
        yield requests(device, write, time_ns, first_byte, size_bytes, where, image)
