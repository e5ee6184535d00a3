"""What calls on files do to the page cache, seen at this process's own files."""

import os
from pathlib import Path

import pytest

from zsim.record.calls import NUMBER
from zsim.record.filecalls import file_accesses, position, regular_file
from zsim.record.thread import Call


@pytest.fixture
def file(tmp_path: Path) -> int:
    """A file of 40,000 bytes, open and read up to 10,000."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 40_000)
    descriptor = os.open(path, os.O_RDWR)
    os.read(descriptor, 10_000)
    return descriptor


def accesses(name: str, result: int, *args: int) -> list[tuple[int, bool]]:
    """(page of the file, written) for a call of this process that has just returned."""
    call = Call(NUMBER[name], [*args, *[0] * (6 - len(args))], [], set())
    return [(index, write) for _, index, write in file_accesses(os.getpid(), call, result)]


def test_read_ends_at_the_position(file: int) -> None:
    """A read of 10,000 bytes that ended at 10,000 was of three pages; a write likewise."""
    assert accesses("read", 10_000, file) == [(0, False), (1, False), (2, False)]
    os.write(file, b"y" * 5000)
    assert accesses("write", 5000, file) == [(2, True), (3, True)]


def test_calls_with_an_offset(file: int) -> None:
    """pread and pwrite say themselves where they were."""
    assert accesses("pread64", 2, file, 0, 2, 4095) == [(0, False), (1, False)]
    assert accesses("pwrite64", 4096, file, 0, 4096, 8192) == [(2, True)]


def test_copy_reads_one_and_writes_the_other(file: int, tmp_path: Path) -> None:
    """sendfile reads its source and writes its target, where that is a file."""
    target = os.open(tmp_path / "target", os.O_RDWR | os.O_CREAT)
    sent = os.sendfile(target, file, None, 5000)
    assert accesses("sendfile", sent, target, file) == [(2, False), (3, False), (0, True), (1, True)]
    pipe = os.pipe()[1]
    assert accesses("sendfile", 5000, pipe, file) == [(2, False), (3, False)]


def test_nothing_cached(file: int) -> None:
    """Calls that failed or moved nothing, other calls, pipes, devices and /proc leave the page cache alone."""
    assert accesses("read", 0, file) == accesses("read", -9, file) == accesses("fstat", 10, file) == []
    assert accesses("read", 10, os.pipe()[0]) == accesses("read", 10, os.open("/dev/zero", os.O_RDONLY)) == []
    assert regular_file(os.getpid(), os.open("/proc/self/maps", os.O_RDONLY)) is None
    assert regular_file(os.getpid(), 9999) is None and position(os.getpid(), 9999) == 0
