"""A stopped thread: system calls made in its name, and its clock."""

import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.record.programs import needs_ptrace
from zsim.record import ptrace as pt
from zsim.record.areas import parse_maps
from zsim.record.space import SYSCALL
from zsim.record.thread import Thread

pytestmark = needs_ptrace
GETPID, GETPPID, KILL = 39, 110, 62


@pytest.fixture
def stopped() -> Iterator[Thread]:
    """A child of this process, stopped while it runs in a loop."""
    pid = os.fork()
    if pid == 0:
        while True:
            pass
    pt.ptrace(pt.SEIZE, pid, None, 1 << 20)
    pt.ptrace(pt.INTERRUPT, pid, None, None)
    os.waitpid(pid, pt.WALL)
    yield Thread(pid, SimpleNamespace(syscall_address=syscall_address()))  # type: ignore[arg-type]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, pt.WALL)


def syscall_address() -> int:
    """Where the vdso, which a fork has at the same place, has a system call."""
    with open("/proc/self/maps") as maps:
        line = next(line for line in maps if line.endswith("[vdso]\n"))
    start, end = (int(part, 16) for part in line.split()[0].split("-"))
    with open("/proc/self/mem", "rb") as memory:
        memory.seek(start)
        return start + memory.read(end - start).index(SYSCALL)


def test_calls_in_its_name(stopped: Thread) -> None:
    """The call is made by the thread, and leaves its registers as they were."""
    before = bytes(pt.get_registers(stopped.tid))
    assert stopped.remote(GETPID) == stopped.tid
    assert stopped.remote(GETPPID) == os.getpid()
    assert stopped.remote(9999) == -38
    assert bytes(pt.get_registers(stopped.tid)) != before
    stopped.restore()
    assert bytes(pt.get_registers(stopped.tid)) == before


def test_signal_meanwhile_is_held(stopped: Thread) -> None:
    """A signal that arrives during the call waits for the thread to go on."""
    os.kill(stopped.tid, signal.SIGUSR1)
    assert stopped.remote(GETPID) == stopped.tid
    assert stopped.held is not None and stopped.held[0] == signal.SIGUSR1


def test_death_meanwhile(stopped: Thread) -> None:
    """A thread that is killed is gone."""
    os.kill(stopped.tid, signal.SIGKILL)
    stopped.space.tracer = SimpleNamespace(queue=lambda tid, status: None)  # type: ignore[assignment]
    with pytest.raises(pt.GoneError):
        while True:
            stopped.remote(GETPID)


def test_clocks_agree(stopped: Thread) -> None:
    """The thread's clock and its process's tell the same of a process with one thread; a dead one has none."""
    alone, own = stopped.cpu_ns(True), stopped.cpu_ns(False)
    assert 0 <= alone < 10**10 and abs(alone - own) < 10**8
    stopped.close()
    with pytest.raises(pt.GoneError):
        Thread(1 << 30, stopped.space).cpu_ns(False)


def test_protection(stopped: Thread) -> None:
    """Pages of the thread can be closed and opened again."""
    with open(f"/proc/{stopped.tid}/maps") as maps:
        heap = next(area for area in parse_maps(maps.read()) if area.protection == 3 and not area.file)
    assert stopped.mprotect(heap.start, heap.start + 1, 0) == 0
    with open(f"/proc/{stopped.tid}/maps") as maps:
        assert next(area for area in parse_maps(maps.read()) if area.start == heap.start).protection == 0
    assert stopped.mprotect(heap.start, heap.start + 1, 3) == 0
    assert stopped.mprotect(1 << 40, (1 << 40) + 1, 3) < 0
