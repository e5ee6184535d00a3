"""The tracer: takes away the rights of a program's pages and notes each first touch, thread by thread, stop by stop.

Every page is closed (PROT_NONE) at the start of a batch. A touch faults; the page is opened for reading, then, where
the program writes, for writing, and the thread goes on. After K distinct pages all are closed again. The kernel's own
accesses do not fault, so what a system call will touch is opened before it and noted after it.
"""

import os
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from zsim.record import ptrace as pt
from zsim.record.areas import WRITE, Areas
from zsim.record.calls import NUMBER, Touch
from zsim.record.clock import Clock
from zsim.record.family import Family
from zsim.record.journal import Journal
from zsim.record.memory import FilePages
from zsim.record.signals import catches, frame_bytes
from zsim.record.space import Space
from zsim.record.systemcalls import SystemCalls
from zsim.record.thread import Call, Thread


class Tracer:
    """Follows a program and all it starts until the last thread has ended.

    after_batch  called when a batch is complete and its rows are noted
    processors   that the program may use as far as it is told, while the recorder keeps it on one of them
    """

    def __init__(
        self, journal: Journal, after_batch: Callable[[], None], contents: bool = True, file_calls: bool = True
    ) -> None:
        self.journal = journal
        self.after_batch = after_batch
        self.contents = contents
        self.file_calls = file_calls
        self.clock = Clock()
        self.threads: dict[int, Thread] = {}
        self.stops = 0
        self.efaults = 0
        self.status = 0
        self.root = 0
        self._queue: deque[tuple[int, int]] = deque()
        self.strangers: dict[int, int] = {}
        self.calls = SystemCalls(self)
        self.family = Family(self)
        self.files = FilePages()
        self.processors: set[int] = set()

    # the loop

    def run(self, pid: int) -> int:
        """Trace the process `pid`, which waits to exec the program, until all has ended; its wait status."""
        self.root = pid
        space = Space(self, pid, "", Areas())
        space.fresh = False
        self.threads[pid] = Thread(pid, space, call=Call(NUMBER["execve"], [0] * 6, [], set()))
        space.threads.add(pid)
        while self.threads:
            tid, status = self._queue.popleft() if self._queue else self.wait()
            with suppress(pt.GoneError):
                self._on_stop(tid, status)
        return self.status

    def wait(self) -> tuple[int, int]:
        """The next thread that stops, and how."""
        return os.waitpid(-1, pt.WALL)

    def queue(self, tid: int, status: int) -> None:
        """Have a stop handled later: it came while another was."""
        self._queue.append((tid, status))

    def _on_stop(self, tid: int, status: int) -> None:
        thread = self.threads.get(tid)
        if thread is None:
            if os.WIFSTOPPED(status):
                self.strangers[tid] = status
            return
        self.stops += 1
        if not os.WIFSTOPPED(status):
            self._ended(thread, status)
            return
        thread.running = False
        self.clock.stopped(thread)
        self.on_stop(thread, os.WSTOPSIG(status), status >> 16)

    def on_stop(self, thread: Thread, stop: int, event: int) -> None:
        """A thread has stopped: at a system call, an event, or with a signal."""
        if stop == pt.SYSCALL_STOP:
            self.calls.on_stop(thread)
        elif event:
            self.on_event(thread, event, stop)
        elif stop == signal.SIGSEGV:
            self._on_segv(thread)
        elif stop == signal.SIGTRAP and thread.stepping:
            thread.stepping = False
            self.fresh(thread)
            pt.unblock(thread.tid, signal.SIGSEGV)
            self.resume(thread)
        else:
            self._deliver(thread, stop)

    def resume(self, thread: Thread, number: int = 0) -> None:
        """Let a thread go on, with a signal if `number` names one, up to its next system call."""
        thread.restore()
        if not number and thread.held is not None:
            number, info = thread.held
            thread.held = None
            thread.info = info
            self._deliver(thread, number)
            return
        request = pt.SYSCALL
        if number:
            if thread.info is not None:
                pt.set_signal_info(thread.tid, thread.info)
            request = pt.SINGLESTEP if thread.stepping else pt.SYSCALL
        thread.info = None
        thread.running = thread.call is None
        thread.resumed_at = self.stops
        self.clock.resumes(thread)
        pt.ptrace(request, thread.tid, None, number or None)

    def fresh(self, thread: Thread) -> None:
        """Close what is still open from an earlier batch, before the thread sees it."""
        space = thread.space
        if space.fresh:
            space.fresh = False
            for area in list(space.areas):
                space.close_area(thread, area.start, area.end)
        if space.stale:
            space.close_pages(thread, self.calls.pages_in_calls(space))

    # faults

    def _on_segv(self, thread: Thread) -> None:
        if thread.info is None:
            thread.info = pt.signal_info(thread.tid)
        page = int.from_bytes(bytes(thread.info[16:24]), "little") >> 12
        self.fresh(thread)
        if pt.signal_code(thread.info) <= 0 or not self._fault(thread, page):
            self._deliver(thread, signal.SIGSEGV)
            return
        thread.info = None
        self.resume(thread)

    def _fault(self, thread: Thread, page: int) -> bool:
        """Open the page that a thread faulted on; False where the fault is the program's own."""
        space = thread.space
        area = space.areas.find(page) or space.grow_stack(page)
        if area is None or not area.protection:
            return False
        if space.stamps.get(page, -1) > thread.resumed_at:
            return True  # another thread has opened it since
        rights = space.opened.get(page, 0)
        if rights == area.protection:
            return False
        if self.journal.full and (not rights or space.will_copy(area, page)):
            self.turn_page(thread)
            rights = space.opened.get(page, 0)
        if not rights:
            self.touch(thread, page, False)
        wanted = area.protection if rights else (area.protection & ~WRITE or 1)
        if not space.open(thread, page, page + 1, wanted):
            self.turn_page(thread)
            space.open(thread, page, page + 1, wanted)
        if rights:
            self.touch(thread, page, True)
        self._note_place(thread, page, rights)
        return True

    def _note_place(self, thread: Thread, page: int, rights: int) -> None:
        """Where the thread was: a fault on the same page at the same place means that nothing ran in between."""
        assert thread.registers is not None
        place = page, thread.registers[pt.RIP]
        if rights and thread.fault == place:
            self.clock.nothing_ran(thread)
        thread.fault = place

    def touch(self, thread: Thread, page: int, write: bool) -> None:
        """Note one access of a thread to memory."""
        space = thread.space
        area = space.areas.find(page)
        if area is None:
            return
        number, file = space.identity(area, page, write)
        if file is None:
            space.note(page, write)
        if not (
            write and thread.fault[0] == page and self._at_fault(thread) and self.journal.was_write(number, space.task)
        ):
            self.journal.access(self.clock.now_ns(thread), space.task, number, write, file)

    def _at_fault(self, thread: Thread) -> bool:
        return thread.registers is not None and thread.fault[1] == thread.registers[pt.RIP]

    # batches

    def turn_page(self, thread: Thread | None) -> None:
        """End the batch: stop everybody, read what pages hold, close all pages; `thread` is stopped outside a call."""
        stopped = self._stop_all()
        spaces = {id(each.space): each.space for each in self.threads.values()}
        grown = {id(space): space.stack_has_grown() for space in spaces.values()}
        for space in spaces.values():
            self.capture(space)
        self.journal.next_batch()
        for space in spaces.values():
            space.stale = bool(space.opened)
            for page in grown[id(space)]:  # in the new batch: the old one is full
                space.note(page, True)
                self.journal.access(int(space.time_ns), space.task, page, True)
        if thread is not None and thread.space.stale:
            thread.space.close_pages(thread, self.calls.pages_in_calls(thread.space))
        for other in stopped:
            self.fresh(other)
            self.resume(other)
        self.after_batch()

    def capture(self, space: Space) -> None:
        """Note what the changed pages of a space hold."""
        if self.contents:
            for page, data in space.contents():
                self.journal.holds(page, space.task, data)
        else:
            space.changed.clear()

    def _stop_all(self) -> list[Thread]:
        """Stop every thread that runs program code; those stopped by this and nothing else."""
        stopped = []
        for thread in list(self.threads.values()):
            if not thread.running:
                continue
            try:
                pt.ptrace(pt.INTERRUPT, thread.tid, None, None)
                _, status = os.waitpid(thread.tid, pt.WALL)
            except (pt.GoneError, ChildProcessError):
                continue
            thread.running = False
            if status >> 16 == pt.EVENT_STOP and os.WSTOPSIG(status) == signal.SIGTRAP:
                self.clock.stopped(thread)
                stopped.append(thread)
            else:
                self.queue(thread.tid, status)
        return stopped

    # signals and ends

    def _deliver(self, thread: Thread, number: int) -> None:
        """Pass a signal on; for a handler, the page of its frame is opened first."""
        if thread.info is None:
            thread.info = pt.signal_info(thread.tid)
        self.fresh(thread)
        if catches(thread.tid, number):
            top = pt.peek_user(thread.tid, pt.RSP)
            if thread.registers is not None:
                top = thread.registers[pt.RSP]
            tops = [top, *([sum(thread.altstack)] if thread.altstack[1] else [])]
            for end in tops:
                touch = Touch(end - frame_bytes(), frame_bytes(), True)
                self.calls.note(thread, touch.start, touch.size, True)  # first: it may end the batch
                self.calls.open_for(thread, Call(0, [], [touch], set()))
            thread.stepping = True
        self.resume(thread, number)

    def on_event(self, thread: Thread, event: int, stop: int) -> None:
        """A child, another program, an end to come, or a stop that was asked for."""
        if event in (pt.EVENT_FORK, pt.EVENT_VFORK, pt.EVENT_CLONE):
            self.family.born(thread, pt.event_message(thread.tid), event)
        elif event == pt.EVENT_EXEC:
            self.family.exec(thread, pt.event_message(thread.tid))
            return
        elif event == pt.EVENT_STOP and stop in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
            pt.ptrace(pt.LISTEN, thread.tid, None, None)
            return
        elif event == pt.EVENT_EXIT:
            if len(thread.space.threads) == 1:
                self.capture(thread.space)
            thread.call = thread.call or Call(NUMBER["exit"], [0] * 6, [], set())
        elif event == pt.EVENT_STOP:
            self.fresh(thread)
        self.resume(thread)

    def _ended(self, thread: Thread, status: int) -> None:
        if thread.tid == self.root:
            self.status = status
        self.drop(thread)

    def drop(self, thread: Thread) -> None:
        """Forget a thread that has ended, and its memory with the last one."""
        self.threads.pop(thread.tid, None)
        thread.close()
        thread.space.threads.discard(thread.tid)
        if not thread.space.threads:
            with suppress(OSError):
                thread.space.close()
