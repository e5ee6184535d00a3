"""A program's system calls get at its memory though it is closed, and fail where they would fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.record.programs import BARE, both, needs_ptrace, recorded
from zsim.traces import open_trace

PROGRAM = """
import ctypes, mmap, os, select, socket, sys, tempfile
libc = ctypes.CDLL(None, use_errno=True)
libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
read, write = os.pipe()
print(libc.write(write, 8, 10), ctypes.get_errno(), libc.write(write, 8, 10), ctypes.get_errno())
print(os.writev(write, [b"ab", b"cde", b"x" * 9000]))
first, second = bytearray(3), bytearray(9002)
print(os.readv(read, [first, second]), bytes(first), bytes(second[:3]), second[-1])
file = tempfile.TemporaryFile()
file.write(bytes(range(256)) * 160)
file.flush()
print(os.pread(file.fileno(), 5, 8190), os.pwrite(file.fileno(), b"zz", 5000))
near, far = socket.socketpair()
socket.send_fds(near, [b"fd"], [file.fileno()])
said, descriptors, _, _ = socket.recv_fds(far, 10, 2)
print(said, os.pread(descriptors[0], 2, 5000))
near.send(b"hello")
print(far.recv(100), [len(each) for each in select.select([far], [near], [], 0.01)])
poll, epoll = select.poll(), select.epoll()
poll.register(near, select.POLLOUT)
epoll.register(near, select.EPOLLOUT)
print(len(poll.poll(10)), len(epoll.poll(0.1)))
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
client = socket.create_connection(server.getsockname())
served, _ = server.accept()
os.sendfile(client.fileno(), file.fileno(), 0, 20000)
count = 0
while count < 20000:
    count += served.recv_into(bytearray(65536))
print(count, os.stat("/").st_ino > 0, len(os.listdir("/usr/bin")) > 10, len(os.urandom(10000)), os.getcwd() != "")
fresh = mmap.mmap(-1, 1 << 20)
print(os.preadv(file.fileno(), [memoryview(fresh)[100:30000]], 0), fresh[:101][-1], fresh[29999])
print(os.sched_getaffinity(0))
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
print(os.sched_getaffinity(0))
"""


@needs_ptrace
def test_calls_are_as_untraced(tmp_path: Path) -> None:
    """Vectors, messages, descriptors, sockets, polling, files, processors; an address that is none stays an error."""
    (plain, traced), notes = both(tmp_path, [*BARE, PROGRAM])
    assert plain == traced and plain[1] == 0 and plain[0].count(b"\n") == 11, (plain, traced)
    assert notes["efault_retries"] == 2


@needs_ptrace
@pytest.mark.parametrize("file_calls", [True, False])
def test_files_read_and_written_are_page_cache(tmp_path: Path, file_calls: bool) -> None:
    """Each page that read and write move is one access to that page of the file, unless it is to be left out."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"x" * 40_000)
    recorded(tmp_path / "r", "dd", f"if={source}", f"of={target}", "bs=10000", "status=none", file_calls=file_calls)
    trace = open_trace(tmp_path / "r")
    assert trace.is_file.any()
    seen = rows(tmp_path / "r")
    assert seen(str(source)) == (10 * [False] if file_calls else [])
    assert seen(str(target)) == (10 * [True] if file_calls else [])


def rows(base: Path) -> Callable[[str], list[bool]]:
    """File -> whether each of its rows is a write."""
    from pyarrow import parquet

    table = parquet.read_table(f"{base}.trace.parquet", columns=["file", "op"]).to_pylist()
    return lambda name: [bool(row["op"]) for row in table if row["file"] == name]
