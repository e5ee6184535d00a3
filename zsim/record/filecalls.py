"""Page-cache accesses of system calls: what a program reads and writes of files without mapping them."""

import os
import stat
from collections.abc import Iterator

from zsim.record.calls import NUMBER
from zsim.record.thread import Call

READS = {NUMBER[name] for name in ("read", "readv", "pread64", "preadv", "preadv2")}
WRITES = {NUMBER[name] for name in ("write", "writev", "pwrite64", "pwritev", "pwritev2")}
AT_OFFSET = {NUMBER[name] for name in ("pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2")}
COPIES = {NUMBER["sendfile"]: (1, 0), NUMBER["copy_file_range"]: (0, 2), NUMBER["splice"]: (0, 2)}
"""Call -> its arguments that are the file read and the file written."""
NOT_CACHED = ("/proc/", "/sys/", "/dev/")


def file_accesses(tid: int, call: Call, result: int) -> Iterator[tuple[str, int, bool]]:
    """(path, page of the file, whether written) for each page that a call has read or written; regular files only."""
    if result <= 0:
        return
    if call.number in READS or call.number in WRITES:
        offset = call.args[3] if call.number in AT_OFFSET else None
        yield from _pages(tid, call.args[0], offset, result, call.number in WRITES)
    elif call.number in COPIES:
        source, target = COPIES[call.number]
        yield from _pages(tid, call.args[source], None, result, False)
        yield from _pages(tid, call.args[target], None, result, True)


def _pages(tid: int, descriptor: int, offset: int | None, size: int, write: bool) -> Iterator[tuple[str, int, bool]]:
    path = regular_file(tid, descriptor & 0xFFFF_FFFF)
    if path is None:
        return
    if offset is None:
        offset = max(position(tid, descriptor & 0xFFFF_FFFF) - size, 0)
    for index in range(offset >> 12, (offset + size - 1 >> 12) + 1):
        yield path, index, write


def regular_file(tid: int, descriptor: int) -> str | None:
    """The path of a file that is read and written through the page cache; None for anything else."""
    link = f"/proc/{tid}/fd/{descriptor}"
    try:
        path = os.readlink(link)
        if not path.startswith("/") or path.startswith(NOT_CACHED) or not stat.S_ISREG(os.stat(link).st_mode):
            return None
    except OSError:
        return None
    return path


def position(tid: int, descriptor: int) -> int:
    """Where in a file the next read or write begins."""
    try:
        with open(f"/proc/{tid}/fdinfo/{descriptor}") as file:
            return int(file.readline().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
