"""`--via wp`: which pages are written in each short interval, from the kernel; reads are not seen.

The program runs at nearly full speed and is stopped only to watch new memory: for long runs, and for programs that
the other ways slow down too much. A batch is an interval, which is made shorter where it has more than K pages.
"""

import fcntl
import os
import platform
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from zsim.record import Ended, Job, Way
from zsim.record import ptrace as pt
from zsim.record.areas import WRITE, Areas, parse_maps
from zsim.record.by_ptrace import check as check_ptrace
from zsim.record.by_ptrace import passing_signals
from zsim.record.calls import NUMBER
from zsim.record.journal import Journal
from zsim.record.launch import start
from zsim.record.pagemap import (
    API,
    UFFD_FLAGS,
    UFFDIO_API,
    UFFDIO_REGISTER,
    USERFAULTFD,
    check_supported,
    registration,
    system_call_of,
    written,
)
from zsim.record.signals import exit_code
from zsim.record.space import Space
from zsim.record.thread import Thread
from zsim.record.tracer import Tracer

SHORTEST_S, FIRST_S, LONGEST_S = 0.002, 0.01, 0.2
BELOW_STACK_BYTES = 1024
DESCRIPTOR = 1000
"""Where the program's userfaultfd is put, out of the way of its own files."""
INTERRUPTIBLE = {"epoll_wait", "epoll_pwait", "epoll_pwait2", "rt_sigtimedwait"}
"""Calls that fail when their thread is stopped, instead of going on."""


def check(job: Job) -> None:
    """Whether programs can be traced here, this one, and whether the kernel tells what they write."""
    check_ptrace(job)
    check_supported()


def trace(job: Job, journal: Journal, after_batch: Callable[[], None]) -> Ended:
    """Run the job's program and ask the kernel what it writes."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    tracer = WriteTracer(journal, after_batch, job.content != "none")
    pid = start(job.path, job.command, job.environ)
    try:
        with passing_signals(pid):
            status = tracer.run(pid)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    recorder = f"pages written per interval, by userfaultfd and PAGEMAP_SCAN; Linux {platform.release().split('-')[0]}"
    return Ended(exit_code(status), tracer.clock.cpu_ns, recorder, {"reads_recorded": False})


WAY = Way(check, trace)


class WriteTracer(Tracer):
    """Follows a program as a `Tracer` does, but leaves its pages and system calls alone."""

    def __init__(self, journal: Journal, after_batch: Callable[[], None], contents: bool) -> None:
        super().__init__(journal, after_batch, contents)
        self.interval_s = FIRST_S
        self._due = time.monotonic() + FIRST_S
        self._watched: dict[int, Areas] = {}

    def wait(self) -> tuple[int, int]:
        """The next stop; batches end meanwhile."""
        while True:
            tid, status = os.waitpid(-1, pt.WALL | os.WNOHANG)
            if tid:
                return tid, status
            left = self._due - time.monotonic()
            if left > 0:
                signal.sigtimedwait({signal.SIGCHLD}, left)
            else:
                self.turn_page(None)

    def resume(self, thread: Thread, number: int = 0) -> None:
        """Let a thread go on, with a signal if `number` names one."""
        thread.restore()
        if not number and thread.held is not None:
            number, thread.held = thread.held[0], None
        new_program = thread.space.fresh and thread.call is not None and thread.call.number == NUMBER["execve"]
        thread.running = True
        pt.ptrace(pt.SYSCALL if new_program else pt.CONT, thread.tid, None, number or None)

    def on_stop(self, thread: Thread, stop: int, event: int) -> None:
        """A stop: after an exec, at a child, or with a signal."""
        if stop == pt.SYSCALL_STOP:
            thread.call = None
            self.fresh(thread)
            self.resume(thread)
        elif event:
            self.on_event(thread, event, stop)
        else:
            self.resume(thread, stop)

    def fresh(self, thread: Thread) -> None:
        """Have the kernel watch what the thread's process has mapped; it is stopped outside a system call."""
        space = thread.space
        with suppress(OSError):
            if id(space) not in self._watched:
                self._watched[id(space)] = Areas()
                self._open(thread)
            self._watch(thread)
        space.fresh = False

    def _open(self, thread: Thread) -> None:
        descriptor = thread.remote(USERFAULTFD, UFFD_FLAGS)
        if thread.remote(NUMBER["fcntl"], descriptor, fcntl.F_DUPFD_CLOEXEC, DESCRIPTOR) == DESCRIPTOR:
            thread.remote(NUMBER["close"], descriptor)
            self._ioctl(thread, UFFDIO_API, API)

    def _ioctl(self, thread: Thread, request: int, data: bytes) -> int:
        """An ioctl of the program's userfaultfd, its argument put below the stack."""
        if thread.registers is None:
            thread.registers = pt.get_registers(thread.tid)
        address = int(thread.registers[pt.RSP]) - BELOW_STACK_BYTES
        thread.space.write(address, data)
        return thread.remote(NUMBER["ioctl"], DESCRIPTOR, request, address)

    def _watch(self, thread: Thread) -> None:
        known = self._watched[id(thread.space)]
        for area in self._mapped(thread.space):
            if area.protection & WRITE and area not in known.all:
                self._ioctl(thread, UFFDIO_REGISTER, registration(area.start << 12, area.end << 12))
                known.add(area)

    def _mapped(self, space: Space) -> Areas:
        tid = next(iter(space.threads))
        with suppress(OSError):
            space.areas = Areas(parse_maps(Path(f"/proc/{tid}/maps").read_text()))
        return space.areas

    def turn_page(self, thread: Thread | None) -> None:
        """End the interval: note what was written, and look for memory that is not watched yet."""
        for space in {id(each.space): each.space for each in self.threads.values()}.values():
            self.capture(space)
            self._watch_more(space)
        size = len(self.journal.batch)
        factor = 0.5 if size > self.journal.k else 2 if size < self.journal.k // 2 else 1
        self.interval_s = min(max(self.interval_s * factor, SHORTEST_S), LONGEST_S)
        if size:
            self.journal.next_batch()
            self.after_batch()
        self._due = time.monotonic() + self.interval_s

    def capture(self, space: Space) -> None:
        """Note the pages that a process has written in this interval, and what they hold."""
        if id(space) not in self._watched or not space.threads:
            return
        areas = self._mapped(space)
        time_ns = self._time_ns(space)
        with suppress(OSError):
            pagemap = os.open(f"/proc/{next(iter(space.threads))}/pagemap", os.O_RDONLY)
            try:
                pages = [page for first, end in written(pagemap) for page in range(first, end)]
            finally:
                os.close(pagemap)
            for page in pages:
                if (area := areas.find(page)) is not None:
                    number, file = space.identity(area, page, True)
                    self.journal.access(time_ns, space.task, number, True, file)
                    if file is None:
                        space.note(page, True)
        super().capture(space)

    def _time_ns(self, space: Space) -> int:
        with suppress(OSError):
            now = float(time.clock_gettime_ns(~space.tid << 3 | 2))
            self.clock.cpu_ns += max(now - space.time_ns, 0)
            space.time_ns = max(space.time_ns, now)
        return int(space.time_ns)

    def _watch_more(self, space: Space) -> None:
        """Stop one thread where there is memory that is not watched yet; it is watched when that stop comes."""
        known = self._watched.get(id(space))
        if known is None or all(area in known.all for area in space.areas if area.protection & WRITE):
            return
        calls = {NUMBER[name] for name in INTERRUPTIBLE}
        for tid in space.threads:
            if tid in self.threads and self.threads[tid].running and system_call_of(tid) not in calls:
                with suppress(pt.GoneError):
                    pt.ptrace(pt.INTERRUPT, tid, None, None)
                    return
