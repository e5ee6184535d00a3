"""Signals reach a traced program as they would untraced: caught, deadly, its own faults, stops."""

import os
import signal
from pathlib import Path

import pytest

from tests.record.programs import BARE, both, needs_ptrace
from zsim.record.signals import catches, exit_code, frame_bytes, status_mask

PROGRAM = """
import ctypes, faulthandler, mmap, os, signal, sys, time
got = []
for number in (signal.SIGUSR1, signal.SIGALRM):
    signal.signal(number, lambda number, frame: got.append(number))
os.kill(os.getpid(), signal.SIGUSR1)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
while len(got) < 4:
    sum(range(500))
signal.setitimer(signal.ITIMER_REAL, 0)
time.sleep(0.02)
print(got[:2])
def child(body):
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        body()
        os._exit(9)
    return pid
def end(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(end(child(lambda: ctypes.string_at(8))), end(child(os.abort)))
def handled():
    faulthandler.enable(open("/dev/null", "w"))
    ctypes.memset(16, 1, 1)
print(end(child(handled)))
stopped = child(lambda: os.kill(os.getpid(), signal.SIGSTOP))
print(os.WIFSTOPPED(os.waitpid(stopped, os.WUNTRACED)[1]))
os.kill(stopped, signal.SIGCONT)
print(end(stopped))
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGTERM)
"""
TRAPS = """
trap 'echo got' CHLD USR1
i=0; while [ $i -lt 12 ]; do x=$(echo $i); /bin/true; kill -USR1 $$; i=$((i+1)); done; echo end $x
"""


def test_masks_and_frames() -> None:
    """What /proc says of this process, and room for a handler's frame."""
    before = signal.signal(signal.SIGUSR2, lambda number, frame: None)
    assert catches(os.getpid(), signal.SIGUSR2)
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    assert not catches(os.getpid(), signal.SIGUSR2)
    signal.signal(signal.SIGUSR2, before)
    assert status_mask(os.getpid(), "NoSuchLine") == status_mask(1 << 30, "SigCgt") == 0
    assert 2048 < frame_bytes() < 1 << 20


@pytest.mark.parametrize(("status", "code"), [(0, 0), (3 << 8, 3), (9, 137), (11 | 0x80, 139)])
def test_exit_code_is_a_shells(status: int, code: int) -> None:
    """The exit status, or 128 and the signal."""
    assert exit_code(status) == code


@needs_ptrace
def test_signals_are_as_untraced(tmp_path: Path) -> None:
    """Handlers run, also for the program's own faults; what is deadly kills, with the same status."""
    (plain, traced), _ = both(tmp_path, [*BARE, PROGRAM])
    assert plain == traced and plain[1] == 143 and plain[0].count(b"\n") == 5, (plain, traced)


@needs_ptrace
def test_signals_that_come_at_a_call_or_the_end_of_a_batch(tmp_path: Path) -> None:
    """A shell's traps run, each time, with batches so short that a handler's frame ends them."""
    (plain, traced), notes = both(tmp_path, ["/bin/sh", "-c", TRAPS], memory="1M")
    assert sorted(plain[0].split()) == sorted(traced[0].split()) and plain[1] == traced[1] == 0
    assert notes["k"] == 64 and notes["tasks"] > 12
