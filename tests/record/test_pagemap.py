"""What the kernel says of pages written, asked about this process itself."""

import ctypes
import errno
import mmap
import os
from typing import Any

import pytest

from tests.record.programs import needs_wp
from zsim.errors import UsageError
from zsim.record import pagemap


@needs_wp
def test_pages_written_since_last_asked() -> None:
    """Pages of a watched range are told once after they were written; reads are not."""
    import fcntl

    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(pagemap.USERFAULTFD, pagemap.UFFD_FLAGS)
    fcntl.ioctl(descriptor, pagemap.UFFDIO_API, bytearray(pagemap.API))
    region = mmap.mmap(-1, 16 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    start = ctypes.addressof(ctypes.c_char.from_buffer(region))
    fcntl.ioctl(descriptor, pagemap.UFFDIO_REGISTER, bytearray(pagemap.registration(start, start + 16 * 4096)))
    file = os.open("/proc/self/pagemap", os.O_RDONLY)

    def told() -> list[int]:
        ranges = [(first - (start >> 12), end - (start >> 12)) for first, end in pagemap.written(file)]
        return [page for first, end in ranges for page in range(first, end) if 0 <= page < 16]

    told()
    for page in (1, 2, 9):
        region[page * 4096] = 1
    assert region[5 * 4096] == 0
    assert told() == [1, 2, 9]
    assert told() == []
    region[9 * 4096] = 2
    assert told() == [9]
    os.close(file)
    os.close(descriptor)


def test_kernels_that_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, and what to use instead."""

    class Libc:
        def syscall(self, *arguments: Any) -> int:
            ctypes.set_errno(errno.EPERM)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *arguments, **more: Libc())
    with pytest.raises(
        UsageError, match=r"no userfaultfd here \(Operation not permitted\).*use --via ptrace or lackey"
    ):
        pagemap.check_supported()


def test_system_call_of_nobody() -> None:
    """A thread that is gone is in no system call."""
    assert pagemap.system_call_of(1 << 30) is None
