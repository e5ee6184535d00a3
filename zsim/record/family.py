"""Threads and processes that a traced program makes, and programs it becomes."""

import os
from typing import TYPE_CHECKING

from zsim.record import ptrace as pt
from zsim.record.calls import NUMBER
from zsim.record.space import Space
from zsim.record.thread import Call, Thread

if TYPE_CHECKING:
    from zsim.record.tracer import Tracer

CLONE_VM = 0x100


class Family:
    """Follows clones, forks and execs of a `Tracer`'s threads; each address space is a task with a name of its own."""

    def __init__(self, tracer: "Tracer") -> None:
        self.tracer = tracer
        self._names: dict[str, int] = {}

    def born(self, parent: Thread, tid: int, event: int) -> None:
        """A thread or process that has just been made."""
        flags = self._clone_flags(parent, tid, event)
        space = parent.space
        if not flags & CLONE_VM:
            space = parent.space.forked(tid, self.name(parent.space.task))
        self.tracer.threads[tid] = Thread(tid, space, running=True, time_ns=parent.time_ns if flags & CLONE_VM else 0)
        self.tracer.threads[tid].placed = parent.placed
        space.threads.add(tid)
        if tid in self.tracer.strangers:
            self.tracer.queue(tid, self.tracer.strangers.pop(tid))
            self.tracer.threads[tid].running = False

    def _clone_flags(self, parent: Thread, tid: int, event: int) -> int:
        call = parent.call
        if call is None:  # system calls are not followed: a thread shares its memory, and the child of a vfork
            return CLONE_VM if event == pt.EVENT_VFORK or os.path.exists(f"/proc/{parent.tid}/task/{tid}") else 0
        if call.number == NUMBER["fork"]:
            return 0
        if call.number == NUMBER["vfork"]:
            return CLONE_VM
        if call.number == NUMBER["clone3"]:
            return int.from_bytes(parent.space.read(call.args[0], 8), "little")
        return call.args[0]

    def exec(self, thread: Thread, former: int) -> None:
        """A thread (whose id was `former`) has become another program: a new task."""
        if former != thread.tid and former in self.tracer.threads:
            self.tracer.drop(self.tracer.threads[former])
        old = thread.space
        old.threads.discard(thread.tid)
        if not old.threads:
            old.close()
        with open(f"/proc/{thread.tid}/comm") as file:
            task = self.name(file.read().strip())
        thread.space = Space.of_program(self.tracer, thread.tid, task)
        thread.space.threads.add(thread.tid)
        thread.time_ns, thread.altstack = 0, (0, 0)
        thread.call = Call(NUMBER["execve"], [0] * 6, [], set())
        self.tracer.resume(thread)

    def name(self, program: str) -> str:
        """A name for a new task: its program's, with a number from the second on."""
        program = program.rpartition("#")[0] or program
        self._names[program] = count = self._names.get(program, 0) + 1
        return program if count == 1 else f"{program}#{count}"
