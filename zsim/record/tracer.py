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
from zsim.record.calls import NUMBER, Touch, touches
from zsim.record.clock import Clock
from zsim.record.filecalls import file_accesses
from zsim.record.journal import Journal
from zsim.record.mappings import MAPPING_CALLS, before_move
from zsim.record.signals import catches, frame_bytes
from zsim.record.space import FILE_PAGES, Space
from zsim.record.thread import Call, Thread

EFAULT = -14
RESTART_BLOCK = -516
CLONE_VM, CLONE_THREAD = 0x100, 0x10000


class Tracer:
    """Follows a program and all it starts until the last thread has ended.

    after_batch  called when a batch is complete and its rows are noted
    """

    def __init__(self, journal: Journal, after_batch: Callable[[], None], contents: bool = True) -> None:
        self.journal = journal
        self.after_batch = after_batch
        self.contents = contents
        self.clock = Clock()
        self.threads: dict[int, Thread] = {}
        self.stops = 0
        self.efaults = 0
        self.status = 0
        self.root = 0
        self._queue: deque[tuple[int, int]] = deque()
        self._strangers: dict[int, int] = {}
        self._files: dict[str, int] = {}
        self._names: dict[str, int] = {}

    # the loop

    def run(self, pid: int) -> int:
        """Trace the process `pid`, which waits to exec the program, until all has ended; its wait status."""
        self.root = pid
        space = Space(self, pid, "", Areas())
        space.fresh = False
        self.threads[pid] = Thread(pid, space, call=Call(NUMBER["execve"], [0] * 6, [], set()))
        space.threads.add(pid)
        while self.threads:
            tid, status = self._queue.popleft() if self._queue else os.waitpid(-1, pt.WALL)
            with suppress(pt.GoneError):
                self._on_stop(tid, status)
        return self.status

    def queue(self, tid: int, status: int) -> None:
        """Have a stop handled later: it came while another was."""
        self._queue.append((tid, status))

    def _on_stop(self, tid: int, status: int) -> None:
        thread = self.threads.get(tid)
        if thread is None:
            if os.WIFSTOPPED(status):
                self._strangers[tid] = status
            return
        self.stops += 1
        if not os.WIFSTOPPED(status):
            self._ended(thread, status)
            return
        thread.running = False
        self.clock.stopped(thread)
        stop, event = os.WSTOPSIG(status), status >> 16
        if stop == pt.SYSCALL_STOP:
            self._on_call(thread)
        elif event:
            self._on_event(thread, event, stop)
        elif stop == signal.SIGSEGV:
            self._on_segv(thread)
        elif stop == signal.SIGTRAP and thread.stepping:
            thread.stepping = False
            self._fresh(thread)
            pt.unblock(tid, signal.SIGSEGV)
            self._resume(thread)
        else:
            self._deliver(thread, stop)

    def _resume(self, thread: Thread, number: int = 0) -> None:
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

    def _fresh(self, thread: Thread) -> None:
        """Close what is still open from an earlier batch, before the thread sees it."""
        space = thread.space
        if space.fresh:
            space.fresh = False
            for area in list(space.areas):
                space.close_area(thread, area.start, area.end)
        if space.stale:
            space.close_pages(thread, self._in_calls(space))

    # faults

    def _on_segv(self, thread: Thread) -> None:
        if thread.info is None:
            thread.info = pt.signal_info(thread.tid)
        code = int.from_bytes(bytes(thread.info[8:12]), "little", signed=True)
        page = int.from_bytes(bytes(thread.info[16:24]), "little") >> 12
        self._fresh(thread)
        if code <= 0 or not self._fault(thread, page):
            self._deliver(thread, signal.SIGSEGV)
            return
        thread.info = None
        self._resume(thread)

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
        if not rights and self.journal.full:
            self.turn_page(thread)
        if not rights:
            self._touch(thread, page, False)
        wanted = area.protection if rights else (area.protection & ~WRITE or 1)
        if not space.open(thread, page, page + 1, wanted):
            self.turn_page(thread)
            space.open(thread, page, page + 1, wanted)
        if rights:
            self._touch(thread, page, True)
        self._note_place(thread, page, rights)
        return True

    def _note_place(self, thread: Thread, page: int, rights: int) -> None:
        """Where the thread was: a fault on the same page at the same place means that nothing ran in between."""
        assert thread.registers is not None
        place = page, thread.registers[pt.RIP]
        if rights and thread.fault == place:
            self.clock.nothing_ran(thread)
        thread.fault = place

    def _touch(self, thread: Thread, page: int, write: bool) -> None:
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

    def file_page(self, file: str, index: int) -> int:
        """The page number in the trace of a page of a file."""
        return FILE_PAGES * (1 + self._files.setdefault(file, len(self._files))) + index

    # batches

    def turn_page(self, thread: Thread | None) -> None:
        """End the batch: stop everybody, read what pages hold, close all pages; `thread` is stopped outside a call."""
        stopped = self._stop_all()
        spaces = {id(each.space): each.space for each in self.threads.values()}
        for space in spaces.values():
            for page in space.stack_has_grown():
                space.note(page, True)
                self.journal.access(int(space.time_ns), space.task, page, True)
            self.capture(space)
        self.journal.next_batch()
        for space in spaces.values():
            space.stale = bool(space.opened)
        if thread is not None and thread.space.stale:
            thread.space.close_pages(thread, self._in_calls(thread.space))
        for other in stopped:
            self._fresh(other)
            self._resume(other)
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

    def _in_calls(self, space: Space) -> set[int]:
        """Pages that system calls on their way may touch: they stay open."""
        calls = [self.threads[tid].call for tid in space.threads if tid in self.threads]
        return set().union(*(call.pages for call in calls if call is not None))

    # system calls

    def _on_call(self, thread: Thread) -> None:
        info = pt.call_info(thread.tid)
        if info.op == pt.ENTRY:
            self._enter(thread, info)
        elif thread.call is not None:
            self._leave(thread, thread.call, info.result)
        else:
            self._fresh(thread)
            self._resume(thread)

    def _enter(self, thread: Thread, info: pt.CallInfo) -> None:
        number, args = int(info.words[0]), [int(word) for word in info.words[1:7]]
        before = thread.call
        if number == NUMBER["rseq"]:  # the kernel would write to the thread's memory at any time
            return self._refuse(thread)
        if number == NUMBER["restart_syscall"] and before is not None:
            thread.call = before
        else:
            found = touches(number, args, thread.space.read)
            if number == NUMBER["rt_sigreturn"]:
                found = [Touch(info.rsp - 8, frame_bytes(), False)]
            thread.call = Call(number, args, found, set(self._mapped_pages(thread.space, found)))
        if self._detour(thread, thread.call):
            thread.call = None
        elif number in (NUMBER["execve"], NUMBER["execveat"]):
            self.capture(thread.space)
        return self._resume(thread)

    def _refuse(self, thread: Thread) -> None:
        registers = pt.get_registers(thread.tid)
        registers[pt.ORIG_RAX] = pt.NO_CALL
        pt.set_registers(thread.tid, registers)
        thread.call = None
        self._resume(thread)

    def _mapped_pages(self, space: Space, found: list[Touch]) -> list[int]:
        """Pages of touches, where the program may touch them itself."""
        pages: list[int] = []
        for touch in found:
            first, end = touch.start >> 12, (touch.start + touch.size - 1 >> 12) + 1
            for area in space.areas.within(first, end) if first < end else []:
                if area.protection & (WRITE if touch.write else 7):
                    pages += range(area.start, area.end)
        return pages

    def _detour(self, thread: Thread, call: Call) -> bool:
        """Open what a call needs before it is made: it is cancelled and made anew. False where all is open."""
        space = thread.space
        stale = space.stale or space.fresh
        needed = self._needed(space, call) if not stale else list(call.touches)
        moves = call.number == NUMBER["mremap"] and bool(call.args[1])
        again = moves and not thread.prepared
        if not needed and not again:
            return False
        saved = pt.get_registers(thread.tid)
        cancelled = pt.Registers.from_buffer_copy(saved)
        cancelled[pt.ORIG_RAX] = pt.NO_CALL
        pt.set_registers(thread.tid, cancelled)
        pt.ptrace(pt.SYSCALL, thread.tid, None, None)
        _, status = os.waitpid(thread.tid, pt.WALL)
        if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) != pt.SYSCALL_STOP:
            self.queue(thread.tid, status)
            raise pt.GoneError
        number = saved[pt.ORIG_RAX]
        saved[pt.RIP], saved[pt.RAX], saved[pt.ORIG_RAX] = saved[pt.RIP] - 2, number, pt.NO_CALL
        thread.registers = saved
        self._fresh(thread)
        self._open_for(thread, call)
        if again:
            before_move(thread, call.args)
            thread.prepared = True
        return True

    def _needed(self, space: Space, call: Call) -> list[Touch]:
        """The touches of a call that some page is not open enough for."""
        return [touch for touch in call.touches if self._closed(space, touch)]

    def _closed(self, space: Space, touch: Touch) -> list[tuple[int, int]]:
        """(page, rights) that a touch needs and the page has not."""
        closed = []
        first, end = touch.start >> 12, (touch.start + touch.size - 1 >> 12) + 1
        for area in space.areas.within(first, end) if first < end else []:
            rights = area.protection if touch.write else area.protection & ~WRITE
            if not rights or (touch.write and not rights & WRITE):
                continue
            closed += [(page, rights) for page in range(area.start, area.end) if rights & ~space.opened.get(page, 0)]
        return closed

    def _open_for(self, thread: Thread, call: Call) -> None:
        """Open the pages of a call, neighbours with the same rights at once."""
        space = thread.space
        for touch in call.touches:
            closed = self._closed(space, touch)
            at = 0
            while at < len(closed):
                end = at + 1
                while end < len(closed) and closed[end] == (closed[at][0] + end - at, closed[at][1]):
                    end += 1
                space.open(thread, closed[at][0], closed[at][0] + end - at, closed[at][1])
                at = end

    def _leave(self, thread: Thread, call: Call, result: int) -> None:
        if thread.space.fresh:
            thread.call = None
            self._fresh(thread)
            return self._resume(thread)
        self._fresh(thread)
        if result == EFAULT and not call.retried and call.touches:
            self._retry(thread, call)
            return None
        thread.prepared = False
        self._note_call(thread, call, result)
        thread.call = call if result == RESTART_BLOCK else None
        if (mapping := MAPPING_CALLS.get(call.number)) is not None and not -4096 < result < 0:
            mapping(thread, call.args, result)
        if call.number == NUMBER["rt_sigprocmask"]:
            pt.unblock(thread.tid, signal.SIGSEGV)
        if call.number == NUMBER["sigaltstack"] and call.args[0] and not result:
            words = thread.space.read(call.args[0], 24)
            thread.altstack = int.from_bytes(words[:8], "little"), int.from_bytes(words[16:24], "little")
        self._resume(thread)
        return None

    def _retry(self, thread: Thread, call: Call) -> None:
        """The kernel met a page that nobody thought of: open all for one more try."""
        self.efaults += 1
        space = thread.space
        registers = pt.get_registers(thread.tid)
        registers[pt.RIP], registers[pt.RAX], registers[pt.ORIG_RAX] = registers[pt.RIP] - 2, call.number, pt.NO_CALL
        thread.registers = registers
        for area in list(space.areas):
            if area.protection:
                space.open(thread, area.start, area.end, area.protection)
        call.retried = True
        self._resume(thread)

    def _note_call(self, thread: Thread, call: Call, result: int) -> None:
        """Note what a call that is over has touched, and close again what it has not."""
        space = thread.space
        left = result
        for touch in call.touches:
            size = touch.size
            if touch.by_result:
                size = min(size, max(left, 0))
                left -= size
            if result >= 0 or not touch.write:
                self._note_touch(thread, touch.start, size, touch.write)
        for file, index, write in file_accesses(thread.tid, call, result):
            self._access_file(thread, file, index, write)
        batch, task = self.journal.batch, space.task
        candidates = list(space.opened) if call.retried else [page for page in call.pages if page in space.opened]
        unused = {page for page in candidates if (page, task) not in batch}
        unused = {page for page in unused if not self._is_noted(space, page)}
        if unused:
            keep = set(space.opened) - unused
            space.close_pages(thread, keep)

    def _is_noted(self, space: Space, page: int) -> bool:
        area = space.areas.find(page)
        return area is not None and (space.identity(area, page, False)[0], space.task) in self.journal.batch

    def _note_touch(self, thread: Thread, start: int, size: int, write: bool) -> None:
        if size <= 0:
            return
        for page in range(start >> 12, (start + size - 1 >> 12) + 1):
            area = thread.space.areas.find(page)
            if area is not None and area.protection & (WRITE if write else 7):
                if self.journal.full:
                    self.turn_page(thread)
                thread.fault = (0, 0)
                self._touch(thread, page, write)

    def _access_file(self, thread: Thread, file: str, index: int, write: bool) -> None:
        if self.journal.full:
            self.turn_page(thread)
        number = self.file_page(file, index)
        self.journal.access(self.clock.now_ns(thread), thread.space.task, number, write, file)

    # signals, children, ends

    def _deliver(self, thread: Thread, number: int) -> None:
        """Pass a signal on; for a handler, the page of its frame is opened first."""
        if thread.info is None:
            thread.info = pt.signal_info(thread.tid)
        self._fresh(thread)
        if catches(thread.tid, number):
            top = pt.peek_user(thread.tid, pt.RSP)
            if thread.registers is not None:
                top = thread.registers[pt.RSP]
            tops = [top, *([sum(thread.altstack)] if thread.altstack[1] else [])]
            for end in tops:
                touch = Touch(end - frame_bytes(), frame_bytes(), True)
                self._open_for(thread, Call(0, [], [touch], set()))
                self._note_touch(thread, touch.start, touch.size, True)
            thread.stepping = True
        self._resume(thread, number)

    def _on_event(self, thread: Thread, event: int, stop: int) -> None:
        if event in (pt.EVENT_FORK, pt.EVENT_VFORK, pt.EVENT_CLONE):
            self._child(thread, pt.event_message(thread.tid))
        elif event == pt.EVENT_EXEC:
            self._exec(thread, pt.event_message(thread.tid))
            return
        elif event == pt.EVENT_STOP and stop in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
            pt.ptrace(pt.LISTEN, thread.tid, None, None)
            return
        elif event == pt.EVENT_EXIT:
            if len(thread.space.threads) == 1:
                self.capture(thread.space)
            thread.call = thread.call or Call(NUMBER["exit"], [0] * 6, [], set())
        elif event == pt.EVENT_STOP:
            self._fresh(thread)
        self._resume(thread)

    def _child(self, parent: Thread, tid: int) -> None:
        """A thread or process that has just been made."""
        flags = self._clone_flags(parent)
        space = parent.space
        if not flags & CLONE_VM:
            space = parent.space.forked(tid, self.name(parent.space.task))
        self.threads[tid] = Thread(tid, space, running=True, time_ns=parent.time_ns if flags & CLONE_VM else 0)
        space.threads.add(tid)
        if tid in self._strangers:
            self.queue(tid, self._strangers.pop(tid))
            self.threads[tid].running = False

    def _clone_flags(self, parent: Thread) -> int:
        call = parent.call
        if call is None or call.number == NUMBER["fork"]:
            return 0
        if call.number == NUMBER["vfork"]:
            return CLONE_VM
        if call.number == NUMBER["clone3"]:
            return int.from_bytes(parent.space.read(call.args[0], 8), "little")
        return call.args[0]

    def _exec(self, thread: Thread, former: int) -> None:
        if former != thread.tid and former in self.threads:
            self._drop(self.threads[former])
        old = thread.space
        old.threads.discard(thread.tid)
        if not old.threads:
            old.close()
        with open(f"/proc/{thread.tid}/comm") as file:
            task = self.name(file.read().strip())
        thread.space = Space.of_program(self, thread.tid, task)
        thread.space.threads.add(thread.tid)
        thread.time_ns, thread.altstack = 0, (0, 0)
        thread.call = Call(NUMBER["execve"], [0] * 6, [], set())
        self._resume(thread)

    def name(self, program: str) -> str:
        """A name for a new task: its program's, with a number from the second on."""
        program = program.rpartition("#")[0] or program
        self._names[program] = count = self._names.get(program, 0) + 1
        return program if count == 1 else f"{program}#{count}"

    def _ended(self, thread: Thread, status: int) -> None:
        if thread.tid == self.root:
            self.status = status
        self._drop(thread)

    def _drop(self, thread: Thread) -> None:
        self.threads.pop(thread.tid, None)
        thread.close()
        thread.space.threads.discard(thread.tid)
        if not thread.space.threads:
            with suppress(OSError):
                thread.space.close()
