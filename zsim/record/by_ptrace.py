"""`--via ptrace`: the program is traced, its pages are taken away and given back one by one."""

import os
import platform
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from zsim.record import Ended, Job, Way
from zsim.record import ptrace as pt
from zsim.record.journal import Journal
from zsim.record.launch import check_permitted, check_platform, check_traceable, start
from zsim.record.signals import PASSED_ON, TERMINAL_SIGNALS, exit_code
from zsim.record.tracer import Tracer

RECORDER = "first touches per batch of K distinct pages, by ptrace and mprotect; x86-64"


def check(job: Job) -> None:
    """Whether programs can be traced here, and this one."""
    check_platform()
    check_traceable(job.path)
    check_permitted()


def trace(job: Job, journal: Journal, after_batch: Callable[[], None]) -> Ended:
    """Run the job's program under a `Tracer`."""
    tracer = Tracer(journal, after_batch, job.content != "none", job.file_calls)
    with on_one_processor() as tracer.processors:
        pid = start(job.path, job.command, job.environ)
        with passing_signals(pid, tracer.threads):
            status = tracer.run(pid)
    recorder = f"{RECORDER} Linux {platform.release().split('-')[0]}"
    return Ended(exit_code(status), tracer.clock.cpu_ns, recorder, {"efault_retries": tracer.efaults})


WAY = Way(check, trace)


@contextmanager
def on_one_processor() -> Iterator[set[int]]:
    """Stay on this processor, and a program started here, too; gives the processors there were to choose from.

    Recorder and program take turns, some ten thousand times a second: to wake another processor for each takes longer.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {pt.this_processor()} & before or before)
    try:
        yield before
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def passing_signals(pid: int, threads: Collection[int] = ()) -> Iterator[None]:
    """Signals to this process go to the program; a terminal's Ctrl-C reaches it by itself.

    Where the program has ended they go to those of its `threads` that it left behind.
    """
    from_terminal = _has_terminal()
    seen: list[int] = []

    def pass_on(number: int, frame: Any) -> None:
        seen.append(number)
        if not from_terminal or number in PASSED_ON or len(seen) > 1:
            for target in [pid] if _is_there(pid) else [*threads]:
                with suppress(ProcessLookupError):
                    os.kill(target, number)

    before = {number: signal.signal(number, pass_on) for number in (*TERMINAL_SIGNALS, *PASSED_ON)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _has_terminal() -> bool:
    """Whether a terminal would send Ctrl-C to this process and the program alike."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
