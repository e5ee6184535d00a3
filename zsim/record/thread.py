"""A traced thread: how it is stopped, what it runs in, and system calls made in its name."""

import os
import signal
import time
from ctypes import Array, c_uint8, c_uint64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zsim.record import ptrace as pt
from zsim.record.calls import Touch

if TYPE_CHECKING:
    from zsim.record.space import Space

MPROTECT = 10


@dataclass(slots=True)
class Call:
    """A system call on its way: what it may touch, and the pages kept open for it."""

    number: int
    args: list[int]
    touches: list[Touch]
    pages: set[int]
    retried: bool = False


@dataclass(slots=True)
class Thread:
    """One thread of a traced program.

    running     it executes program code (or is about to); call: it is inside that system call
    time_ns     its CPU time so far, without what the recording costs
    resumed_at  number of the stop after which it was last let go
    retries     number and arguments of a call that failed with EFAULT and is made once more
    prepared    batch in which what it is about to move was made one mapping
    placed      the program has chosen its processors itself
    info        of the signal that it is stopped with, kept over calls made in its name
    """

    tid: int
    space: "Space"
    time_ns: float = 0
    running: bool = False
    call: Call | None = None
    resumed_at: int = 0
    resumed_ns: int = 0
    info: "Array[c_uint8] | None" = None
    held: "tuple[int, Array[c_uint8]] | None" = None
    stepping: bool = False
    prepared: int = -1
    placed: bool = False
    retries: tuple[int, list[int]] | None = None
    schedstat: int = -1
    fault: tuple[int, int] = (0, 0)
    altstack: tuple[int, int] = (0, 0)
    registers: "Array[c_uint64] | None" = field(default=None, repr=False)

    def cpu_ns(self, alone: bool) -> int:
        """The thread's CPU clock, recording included; of a process with one thread (`alone`), the process's, faster."""
        try:
            if alone:
                return time.clock_gettime_ns(~self.tid << 3 | 2)
            if self.schedstat < 0:
                self.schedstat = os.open(f"/proc/{self.tid}/task/{self.tid}/schedstat", os.O_RDONLY)
            return int(os.pread(self.schedstat, 64, 0).split()[0])
        except (OSError, IndexError):
            raise pt.GoneError from None

    def close(self) -> None:
        """Let go of the thread's clock."""
        if self.schedstat >= 0:
            os.close(self.schedstat)
            self.schedstat = -1

    def remote(self, number: int, *args: int) -> int:
        """Make a system call in the name of the thread, which is stopped outside of one; its result."""
        if self.registers is None:
            self.registers = pt.get_registers(self.tid)
        registers = pt.Registers.from_buffer_copy(self.registers)
        registers[pt.RAX], registers[pt.ORIG_RAX], registers[pt.RIP] = number, pt.NO_CALL, self.space.syscall_address
        for register, value in zip((pt.RDI, pt.RSI, pt.RDX, pt.R10, pt.R8, pt.R9), args, strict=False):
            registers[register] = value
        pt.set_registers(self.tid, registers)
        self._step()
        return pt.peek_user(self.tid, pt.RAX)

    def _step(self) -> None:
        """Execute the one instruction; a signal that comes before it is held back."""
        while True:
            pt.ptrace(pt.SINGLESTEP, self.tid, None, None)
            _, status = os.waitpid(self.tid, pt.WALL)
            if not os.WIFSTOPPED(status):
                self.space.tracer.queue(self.tid, status)
                raise pt.GoneError
            stop = os.WSTOPSIG(status)
            if status >> 16 == pt.EVENT_EXIT:
                self.space.tracer.queue(self.tid, status)
                raise pt.GoneError
            if stop == signal.SIGTRAP and status >> 16 == 0:
                return
            if status >> 16 == 0:
                self._hold(stop)

    def _hold(self, number: int) -> None:
        info = pt.signal_info(self.tid)
        if number == signal.SIGSEGV and pt.signal_code(info) > 0:
            return  # of an instruction that is yet to be done: it will fault again
        if self.held is not None:  # a second one is sent again; it comes back when the first is delivered
            os.kill(self.tid, number)
        else:
            self.held = number, info

    def restore(self) -> None:
        """Undo what calls made in its name did to the registers."""
        if self.registers is not None:
            pt.set_registers(self.tid, self.registers)
            self.registers = None

    def mprotect(self, start_page: int, end_page: int, protection: int) -> int:
        """mprotect(2) of whole pages in the thread's address space; 0 or a negative error."""
        return self.remote(MPROTECT, start_page << 12, (end_page - start_page) << 12, protection)
