"""Which pages a program has written since last asked: userfaultfd's asynchronous write protection and PAGEMAP_SCAN.

Linux 6.7 and newer, no privileges. Layouts: include/uapi/linux/userfaultfd.h and fs.h of Linux 6.7.
"""

import ctypes
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import suppress

from zsim.errors import UsageError

USERFAULTFD = 323
UFFD_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | 1
"""The last: only for faults of the program itself, which needs no privilege."""
UFFDIO_API, UFFDIO_REGISTER = 0xC018_AA3F, 0xC020_AA00
UFFD_VERSION, WP_ASYNC, MODE_WP = 0xAA, 1 << 15, 2
API = struct.pack("<3Q", UFFD_VERSION, WP_ASYNC, 0)

PAGEMAP_SCAN = 0xC060_6610
WP_MATCHING = 1
IS_WPALLOWED, IS_WRITTEN, IS_PRESENT, IS_SWAPPED, IS_ZERO = 1, 2, 8, 16, 32
REGIONS = 4096
END = 0x7FFF_FFFF_F000


def registration(start: int, end: int) -> bytes:
    """`struct uffdio_register` for a range of bytes."""
    return struct.pack("<4Q", start, end - start, MODE_WP, 0)


def check_supported() -> None:
    """A `UsageError` that says what the kernel lacks."""
    need = "which --via wp needs (Linux 6.7); use --via ptrace or lackey"
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(USERFAULTFD, UFFD_FLAGS)
    if descriptor < 0:
        raise UsageError(f"no userfaultfd here ({os.strerror(ctypes.get_errno())}), {need}")
    try:
        fcntl.ioctl(descriptor, UFFDIO_API, bytearray(API))
    except OSError as error:
        raise UsageError(f"userfaultfd cannot write-protect asynchronously ({error.strerror}), {need}") from None
    finally:
        os.close(descriptor)
    pagemap = os.open("/proc/self/pagemap", os.O_RDONLY)
    try:
        next(written(pagemap), None)
    except OSError as error:
        raise UsageError(f"the kernel has no PAGEMAP_SCAN ({error.strerror}), {need}") from None
    finally:
        os.close(pagemap)


def written(pagemap: int) -> Iterator[tuple[int, int]]:
    """(first page, end) of what was written since the last time, by address; from then on it counts as not written."""
    regions = ctypes.create_string_buffer(24 * REGIONS)
    start = 0
    while start < END:
        vector = ctypes.addressof(regions), REGIONS
        wanted = IS_ZERO, IS_WPALLOWED | IS_WRITTEN | IS_ZERO, IS_PRESENT | IS_SWAPPED, IS_WRITTEN  # but not zero pages
        words = bytearray(struct.pack("<12Q", 96, WP_MATCHING, start, END, 0, *vector, 0, *wanted))
        count = fcntl.ioctl(pagemap, PAGEMAP_SCAN, words)
        for i in range(count):
            first, end, _ = struct.unpack_from("<3Q", regions, 24 * i)
            yield first >> 12, end >> 12
        start = struct.unpack_from("<Q", words, 32)[0]
        if not count and start < END:
            return


def system_call_of(tid: int) -> int | None:
    """The number of the system call that a thread waits in; None while it runs."""
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{tid}/syscall") as file:
        return int(file.read().split()[0])
    return None
