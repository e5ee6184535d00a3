"""System calls of a traced program: the kernel's accesses to its memory, and to files, noted as accesses of its own.

The kernel gets EFAULT for a closed page where the program would fault. So at the entry of a call the pages that it
may touch are opened (the call is cancelled, and made again when they are); what it did touch is noted at its exit.
"""

import os
import signal
from typing import TYPE_CHECKING

from zsim.record import ptrace as pt
from zsim.record.areas import WRITE
from zsim.record.calls import NUMBER, Touch, touches
from zsim.record.filecalls import file_accesses
from zsim.record.mappings import MAPPING_CALLS, before_move
from zsim.record.signals import frame_bytes
from zsim.record.space import Space
from zsim.record.thread import Call, Thread

if TYPE_CHECKING:
    from zsim.record.tracer import Tracer

EFAULT = -14
RESTART_BLOCK = -516


class SystemCalls:
    """What is done at the entry and the exit of each system call of a `Tracer`'s threads."""

    def __init__(self, tracer: "Tracer") -> None:
        self.tracer = tracer

    def on_stop(self, thread: Thread) -> None:
        """A thread has stopped at one side of a call."""
        info = pt.call_info(thread.tid)
        if info.op == pt.ENTRY:
            self._enter(thread, info)
        elif thread.call is not None:
            self._leave(thread, thread.call, info.result)
        else:
            self.tracer.fresh(thread)
            self.tracer.resume(thread)

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
            pages = set(self._mapped_pages(thread.space, found))
            thread.call = Call(number, args, found, pages, retried=thread.retries == (number, args))
        if self._detour(thread, thread.call):
            thread.call = None
        elif number in (NUMBER["execve"], NUMBER["execveat"]):
            self.tracer.capture(thread.space)
        return self.tracer.resume(thread)

    def _refuse(self, thread: Thread) -> None:
        registers = pt.get_registers(thread.tid)
        registers[pt.ORIG_RAX] = pt.NO_CALL
        pt.set_registers(thread.tid, registers)
        thread.call = None
        self.tracer.resume(thread)

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
        again = moves and thread.prepared != self.tracer.journal.batches
        if not needed and not again:
            return False
        saved = pt.get_registers(thread.tid)
        cancelled = pt.Registers.from_buffer_copy(saved)
        cancelled[pt.ORIG_RAX] = pt.NO_CALL
        pt.set_registers(thread.tid, cancelled)
        pt.ptrace(pt.SYSCALL, thread.tid, None, None)
        _, status = os.waitpid(thread.tid, pt.WALL)
        if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) != pt.SYSCALL_STOP:
            self.tracer.queue(thread.tid, status)
            raise pt.GoneError
        number = saved[pt.ORIG_RAX]
        saved[pt.RIP], saved[pt.RAX], saved[pt.ORIG_RAX] = saved[pt.RIP] - 2, number, pt.NO_CALL
        thread.registers = saved
        self.tracer.fresh(thread)
        self.open_for(thread, call)
        if again:
            before_move(thread, call.args)
            thread.prepared = self.tracer.journal.batches
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

    def open_for(self, thread: Thread, call: Call) -> None:
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
            self.tracer.fresh(thread)
            return self.tracer.resume(thread)
        self.tracer.fresh(thread)
        if result == EFAULT and not call.retried and call.touches:
            self._retry(thread, call)
            return None
        thread.prepared, thread.retries = -1, None
        self._note_call(thread, call, result)
        thread.call = call if result == RESTART_BLOCK else None
        if (mapping := MAPPING_CALLS.get(call.number)) is not None and not -4096 < result < 0:
            mapping(thread, call.args, result)
        if call.number in (NUMBER["sched_getaffinity"], NUMBER["sched_setaffinity"]) and result >= 0:
            self._place(thread, call, result)
        if call.number == NUMBER["rt_sigprocmask"]:
            pt.unblock(thread.tid, signal.SIGSEGV)
        if call.number == NUMBER["sigaltstack"] and call.args[0] and not result:
            words = thread.space.read(call.args[0], 24)
            thread.altstack = int.from_bytes(words[:8], "little"), int.from_bytes(words[16:24], "little")
        self.tracer.resume(thread)
        return None

    def _place(self, thread: Thread, call: Call, size: int) -> None:
        """Answer sched_getaffinity as if the recorder had not chosen a processor; what the program chooses holds."""
        target = self.tracer.threads.get(call.args[0] & 0xFFFF_FFFF or thread.tid)
        if target is None or target.placed:
            return
        if call.number == NUMBER["sched_setaffinity"]:
            target.placed = True
        else:
            mask = sum(1 << number for number in self.tracer.processors)
            thread.space.write(call.args[2], mask.to_bytes(size, "little"))

    def _retry(self, thread: Thread, call: Call) -> None:
        """The kernel met a page that nobody thought of: open all for one more try."""
        self.tracer.efaults += 1
        space = thread.space
        registers = pt.get_registers(thread.tid)
        registers[pt.RIP], registers[pt.RAX], registers[pt.ORIG_RAX] = registers[pt.RIP] - 2, call.number, pt.NO_CALL
        thread.registers = registers
        for area in list(space.areas):
            if area.protection:
                space.open(thread, area.start, area.end, area.protection)
        thread.retries = call.number, call.args
        self.tracer.resume(thread)

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
                self.note(thread, touch.start, size, touch.write)
        for file, index, write in file_accesses(thread.tid, call, result) if self.tracer.file_calls else ():
            self._access_file(thread, file, index, write)
        batch, task = self.tracer.journal.batch, space.task
        candidates = list(space.opened) if call.retried else [page for page in call.pages if page in space.opened]
        unused = {page for page in candidates if (page, task) not in batch}
        unused = {page for page in unused if not self._is_noted(space, page)}
        if unused:
            keep = set(space.opened) - unused
            space.close_pages(thread, keep)

    def _is_noted(self, space: Space, page: int) -> bool:
        area = space.areas.find(page)
        return area is not None and (space.identity(area, page, False)[0], space.task) in self.tracer.journal.batch

    def note(self, thread: Thread, start: int, size: int, write: bool) -> None:
        """Note that the kernel has touched some bytes of a program's memory."""
        if size <= 0:
            return
        for page in range(start >> 12, (start + size - 1 >> 12) + 1):
            area = thread.space.areas.find(page)
            if area is not None and area.protection & (WRITE if write else 7):
                if self.tracer.journal.full:
                    self.tracer.turn_page(thread)
                thread.fault = (0, 0)
                self.tracer.touch(thread, page, write)

    def _access_file(self, thread: Thread, file: str, index: int, write: bool) -> None:
        if self.tracer.journal.full:
            self.tracer.turn_page(thread)
        number = self.tracer.files.page(file, index)
        self.tracer.journal.access(self.tracer.clock.now_ns(thread), thread.space.task, number, write, file)

    def pages_in_calls(self, space: Space) -> set[int]:
        """Pages that system calls on their way may touch: they stay open."""
        calls = [self.tracer.threads[tid].call for tid in space.threads if tid in self.tracer.threads]
        return set().union(*(call.pages for call in calls if call is not None))
