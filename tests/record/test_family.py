"""Threads, forks, execs: each is followed, each address space is a task."""

from pathlib import Path
from types import SimpleNamespace

from tests.record.programs import BARE, both, needs_ptrace
from zsim.record.family import Family
from zsim.traces import open_trace

PROGRAM = """
import mmap, os, subprocess, sys, threading
shared = mmap.mmap(-1, 4096)
pid = os.fork()
if not pid:
    shared[0] = 42
    big = bytearray(300_000)
    big[::4096] = b"x" * len(big[::4096])
    os._exit(shared[0] + big.count(b"x"[0]) % 7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shared[0])
sums, lock = [], threading.Lock()
def work(number):
    data = bytearray(200_000)
    for at in range(0, 200_000, 777):
        data[at] = number * at % 251
    with lock:
        sums.append(sum(data))
threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
for each in threads: each.start()
for each in threads: each.join()
print(sorted(sums))
print(subprocess.run(["/bin/sh", "-c", "echo $((3*4)) | cat; exit 5"], capture_output=True))
print(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn("/bin/false", ["false"], {}), 0)[1]))
def deep(level): return level and 1 + deep(level - 1)
sys.setrecursionlimit(9000)
threading.stack_size(64 << 20)
thread = threading.Thread(target=lambda: print(deep(2000)))
thread.start(); thread.join()
sys.stdout.flush()
threading.Thread(target=lambda: os._exit(17)).start()
threading.Event().wait()
"""


def test_names_of_tasks() -> None:
    """A task is called as its program, with a number from the second on; a child's number is its own."""
    family = Family(SimpleNamespace())  # type: ignore[arg-type]
    assert [family.name(name) for name in ("sh", "cat", "sh", "sh#2", "")] == ["sh", "cat", "sh#2", "sh#3", ""]


@needs_ptrace
def test_family_is_as_untraced(tmp_path: Path) -> None:
    """fork, vfork, posix_spawn, exec, a pipe, threads, and a thread that ends the whole program."""
    (plain, traced), notes = both(tmp_path, [*BARE, PROGRAM])
    assert plain == traced and plain[1] == 17 and plain[0].count(b"\n") == 5, (plain, traced)
    names = [task.name for task in open_trace(tmp_path / "r").tasks]
    assert len(names) == notes["tasks"] and {"sh", "cat", "false"} <= set(names)


@needs_ptrace
def test_exec_by_a_thread(tmp_path: Path) -> None:
    """A thread that becomes another program takes the others with it."""
    words = "import os, threading; threading.Thread(target=lambda: os.execv('/bin/echo', ['echo', 'hi'])).start()"
    (plain, traced), _ = both(tmp_path, [*BARE, f"{words}; threading.Event().wait()"])
    assert plain == traced == (b"hi\n", 0)
