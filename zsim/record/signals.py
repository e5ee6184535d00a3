"""Signals of a traced program: which it catches, and how much stack a handler's frame takes."""

import signal
from functools import cache
from pathlib import Path

AT_MINSIGSTKSZ = 51
RED_ZONE_BYTES = 128
LEAST_FRAME_BYTES = 2048


def catches(tid: int, number: int) -> bool:
    """Whether a program has a handler for a signal."""
    return bool(status_mask(tid, "SigCgt") >> (number - 1) & 1)


def status_mask(tid: int, name: str) -> int:
    """A signal mask of /proc/PID/status; 0 where the thread is gone."""
    try:
        lines = Path(f"/proc/{tid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith(f"{name}:")), 0)


@cache
def frame_bytes() -> int:
    """The stack that the kernel uses for a handler's frame on this processor."""
    words = memoryview(Path("/proc/self/auxv").read_bytes()).cast("Q")
    known = dict(zip(words[::2], words[1::2], strict=True))
    return max(int(known.get(AT_MINSIGSTKSZ, 0)), LEAST_FRAME_BYTES) + RED_ZONE_BYTES


def exit_code(status: int) -> int:
    """What a shell calls the end of a program: its exit status, or 128 and the signal that killed it."""
    import os

    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGQUIT)
PASSED_ON = (signal.SIGTERM, signal.SIGHUP)
