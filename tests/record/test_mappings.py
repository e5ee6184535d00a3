"""A program that maps, moves, protects and unmaps memory sees what it would see untraced."""

from pathlib import Path

from tests.record.programs import BARE, both, needs_ptrace

PROGRAM = """
import ctypes, mmap, os, sys
sys.path.insert(0, sys.argv[1])
anonymous = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
grown = mmap.mmap(-1, 64 * 4096, flags=anonymous)
grown[5], grown[60 * 4096] = 7, 9
grown.resize(200 * 4096)
grown[150 * 4096] = 1
print(grown[5], grown[60 * 4096], grown[199 * 4096], grown[150 * 4096])
grown.resize(10 * 4096)
print(grown[5], len(grown))
with open(sys.argv[1] + "/mapped", "w+b") as file:
    file.write(bytes(range(256)) * 160)
    file.flush()
    private = mmap.mmap(file.fileno(), 40960, flags=mmap.MAP_PRIVATE)
    private[100], private[20000] = 1, 2
    print(private[100], private[101], private[20000])
    shared = mmap.mmap(file.fileno(), 40960)
    shared[4097] = 77
    print(os.pread(file.fileno(), 2, 4097))
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
for call in (libc.mprotect, libc.madvise, libc.munmap):
    call.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
at = libc.mmap(None, 8 * 4096, 3, anonymous, -1, 0)
ctypes.memset(at, 5, 8 * 4096)
libc.mprotect(at, 4096, 1)
print(ctypes.string_at(at, 3))
libc.mprotect(at, 4096, 3)
ctypes.memset(at, 6, 2)
print(ctypes.string_at(at, 3))
libc.madvise(at + 2 * 4096, 4096, 4)
print(ctypes.string_at(at + 2 * 4096 - 1, 3))
libc.munmap(at + 3 * 4096, 2 * 4096, 0)
again = libc.mmap(at + 3 * 4096, 4096, 3, anonymous | 0x10, -1, 0)
print(again == at + 3 * 4096, ctypes.string_at(again, 2))
big = bytearray(3_000_000)
for size in range(3, 12):
    big += bytes(100_000)
    big[-1] = size
print(len(big), sum(big))
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
segment = libc.shmget(0, 8192, 0o1600)
attached = libc.shmat(segment, None, 0)
ctypes.memset(attached, 3, 5000)
print(ctypes.string_at(attached + 4999, 2), libc.shmdt(attached), libc.shmctl(segment, 0, None))
"""


@needs_ptrace
def test_memory_is_as_untraced(tmp_path: Path) -> None:
    """mmap, mremap, mprotect, madvise, munmap, brk and shmat, of private, shared, anonymous and file memory."""
    (plain, traced), notes = both(tmp_path, [*BARE, PROGRAM, str(tmp_path)])
    assert plain == traced and plain[1] == 0 and plain[0].count(b"\n") == 10, (plain, traced)
    assert notes["efault_retries"] == 0
