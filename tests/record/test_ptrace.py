"""The ptrace requests, tried on a child that makes one system call and takes one signal."""

import os
import signal

import pytest

from tests.record.programs import needs_ptrace
from zsim.record import ptrace as pt

pytestmark = needs_ptrace


def next_stop(pid: int, number: int = 0) -> int:
    """Let it go on to its next system call; the stop that follows."""
    pt.ptrace(pt.SYSCALL, pid, None, number or None)
    return os.WSTOPSIG(os.waitpid(pid, pt.WALL)[1])


def test_a_child_followed_to_its_end() -> None:
    """Entry and exit of a call with number and result, a signal with its siginfo, registers, mask, exit."""
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(ready, 1)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        os.getpgid(0)
        os.kill(os.getpid(), signal.SIGUSR2)
        os._exit(7)
    pt.ptrace(pt.SEIZE, pid, None, pt.OPTIONS)
    pt.ptrace(pt.INTERRUPT, pid, None, None)
    os.waitpid(pid, pt.WALL)
    os.write(go, b"x")
    seen = []
    stop = next_stop(pid)
    while stop != signal.SIGUSR2:
        info = pt.call_info(pid)
        seen.append((info.op, int(info.words[0]) if info.op == pt.ENTRY else info.result))
        if seen[-1] == (pt.ENTRY, 121):
            assert pt.get_registers(pid)[pt.ORIG_RAX] == 121 == pt.peek_user(pid, pt.ORIG_RAX)
            pt.unblock(pid, signal.SIGUSR1)
        stop = next_stop(pid)
    assert (pt.ENTRY, 121) in seen and (pt.EXIT, os.getpgid(0)) in seen
    assert pt.signal_code(pt.signal_info(pid)) == 0  # SI_USER
    pt.set_signal_info(pid, pt.signal_info(pid))
    while next_stop(pid) == pt.SYSCALL_STOP:
        pass
    assert pt.event_message(pid) == 7 << 8
    pt.ptrace(pt.CONT, pid, None, None)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, pt.WALL)[1]) == 7


def test_errors() -> None:
    """A thread that is not there is gone; what is not allowed is an `OSError`."""
    with pytest.raises(pt.GoneError):
        pt.get_registers(1 << 22)
    with pytest.raises(OSError, match="Operation not permitted"):
        pt.ptrace(pt.SEIZE, os.getpid(), None, None)
