"""`--via lackey`: the program runs under valgrind's lackey, which writes down every access it makes.

Exact but for what the kernel touches, thousands of times slower, and one process only. Addresses are the program's own,
so contents come from its memory.
"""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from zsim.errors import UsageError
from zsim.record import Ended, Job, Way
from zsim.record.areas import Areas, parse_maps
from zsim.record.by_ptrace import passing_signals
from zsim.record.journal import Journal
from zsim.record.launch import check_linux, start
from zsim.record.memory import FilePages, Memory
from zsim.record.signals import exit_code
from zsim.traces.formats.accesses import Repeats, pages_of
from zsim.traces.formats.lackey import Lines

PIPE_BYTES = 1 << 16
PAUSE_S = 0.0005
"""Until the pipe has lines again. A reader that waits in it is woken at each line, which takes longer than the line."""
ACCESS_NS = 0.3
"""Of an access, where the program's own CPU time is not known: about what a processor at 3 GHz takes."""


def check(job: Job) -> None:
    """Whether there is valgrind."""
    check_linux()
    if shutil.which("valgrind") is None:
        raise UsageError(
            "--via lackey needs valgrind (Debian and Ubuntu: sudo apt install valgrind); --via ptrace needs nothing"
        )


def trace(job: Job, journal: Journal, after_batch: Callable[[], None]) -> Ended:
    """Run the job's program under lackey."""
    valgrind = shutil.which("valgrind")
    assert valgrind is not None
    lines, log = os.pipe()
    os.set_inheritable(log, True)
    options = ["--tool=lackey", "--trace-mem=yes", f"--log-fd={log}"]
    pid = start(valgrind, ["valgrind", *options, job.path, *job.command[1:]], job.environ, trace=False)
    os.close(log)
    watcher = Watcher(pid, job, journal, after_batch)
    with passing_signals(pid):
        watcher.follow(lines)
        _, status = os.waitpid(pid, 0)
    recorder = "first touches per batch of K distinct pages, of every access by valgrind's lackey"
    return Ended(exit_code(status), watcher.accesses * ACCESS_NS, recorder, {"all_accesses": watcher.accesses})


WAY = Way(check, trace)


class Watcher:
    """Reads lackey's lines and gives the journal what is new in each batch."""

    def __init__(self, pid: int, job: Job, journal: Journal, after_batch: Callable[[], None]) -> None:
        self.pid = pid
        self.memory: Memory | None = None
        self.task = Path(job.path).name
        self.journal = journal
        self.after_batch = after_batch
        self.contents = job.content != "none"
        self.accesses = 0
        self._lines = 0
        self._repeats = Repeats()
        self._seen: set[int] = set()

    def follow(self, lines: int) -> None:
        """Take lines until the program ends."""
        rest = b""
        while piece := os.read(lines, PIPE_BYTES):
            whole, _, rest = (rest + piece).rpartition(b"\n")
            if whole:
                self._take(whole)
            if len(piece) < PIPE_BYTES // 2:
                time.sleep(PAUSE_S)
        os.close(lines)
        self._capture()

    def _take(self, text: bytes) -> None:
        """Look at the accesses of whole lines."""
        lines = Lines(text, self._lines + 1, "lackey")
        rows, page = pages_of(lines.address, lines.size_bytes, lines.where)
        write = (lines.kind >= 2).astype(np.uint8)[rows]
        kept = self._repeats.kept(page, write)
        ats = self.accesses + np.arange(len(lines.kind))[rows][kept]
        seen = self._seen
        keys = page[kept] << np.uint64(1) | write[kept]
        for at, key in zip(ats.tolist(), keys.tolist(), strict=True):
            if key not in seen:
                self._access(key >> 1, bool(key & 1), at)
                seen = self._seen
                seen.add(key)
        self.accesses += len(lines.kind)
        self._lines += text.count(b"\n") + 1

    def _access(self, page: int, write: bool, at: int) -> None:
        memory = self._memory_with(page)
        area = memory.areas.find(page)
        number, file = (page, None) if area is None else memory.identity(area, page, write)
        if self.journal.full and (number, self.task) not in self.journal.batch:
            self._turn_page()
        if file is None:
            memory.note(page, write)
        self.journal.access(int(at * ACCESS_NS), self.task, number, write, file)

    def _memory_with(self, page: int) -> Memory:
        """The program's memory, with what is mapped now where `page` was in nothing known."""
        if self.memory is None:  # not before the first access, when valgrind has become the program
            self.memory = Memory(self.pid, mapped(self.pid), FilePages())
        if self.memory.areas.find(page) is None:
            self.memory.areas = mapped(self.pid)
        return self.memory

    def _turn_page(self) -> None:
        self._capture()
        self.journal.next_batch()
        self._seen = set()
        self.after_batch()

    def _capture(self) -> None:
        if self.memory is None or not self.contents:
            return
        for page, data in self.memory.contents():
            self.journal.holds(page, self.task, data)


def mapped(pid: int) -> Areas:
    """What a process has mapped now; nothing where it is gone."""
    with suppress(OSError):
        return Areas(parse_maps(Path(f"/proc/{pid}/maps").read_text()))
    return Areas()
