"""ptrace(2) on x86-64 Linux through ctypes: the requests a recording needs, and the registers of a stopped thread."""

import ctypes
import os
from ctypes import c_int, c_long, c_uint8, c_uint32, c_uint64, c_void_p

PEEKUSER, CONT, SINGLESTEP, GETREGS, SETREGS, SYSCALL = 3, 7, 9, 12, 13, 24
GETEVENTMSG, GETSIGINFO, SETSIGINFO, SEIZE, INTERRUPT, LISTEN = 0x4201, 0x4202, 0x4203, 0x4206, 0x4207, 0x4208
GETSIGMASK, SETSIGMASK, GET_SYSCALL_INFO = 0x420A, 0x420B, 0x420E

EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_EXIT, EVENT_STOP = 1, 2, 3, 4, 6, 128
OPTIONS = 1 | 1 << EVENT_FORK | 1 << EVENT_VFORK | 1 << EVENT_CLONE | 1 << EVENT_EXEC | 1 << EVENT_EXIT | 1 << 20
"""System calls told from traps, children and exec followed, a stop before exit; who is traced dies with the tracer."""
WALL = 0x40000000
SYSCALL_STOP = 0x85
ENTRY, EXIT = 1, 2

R10, R9, R8, RAX, RDX, RSI, RDI, ORIG_RAX, RIP, RSP = 7, 9, 8, 10, 12, 13, 14, 15, 16, 19
Registers = c_uint64 * 27
"""`struct user_regs_struct`, indexed by the names above."""
SigInfo = c_uint8 * 128
NO_CALL = 0xFFFF_FFFF_FFFF_FFFF


class CallInfo(ctypes.Structure):
    """`struct ptrace_syscall_info`: at an entry number and arguments, at an exit the result."""

    _fields_ = (
        ("op", c_uint8),
        ("pad", c_uint8 * 3),
        ("arch", c_uint32),
        ("rip", c_uint64),
        ("rsp", c_uint64),
        ("words", c_uint64 * 8),
    )

    @property
    def result(self) -> int:
        """What the call returned, negative for an error."""
        return ctypes.c_int64(self.words[0]).value


_libc = ctypes.CDLL(None, use_errno=True)
_ptrace = _libc.ptrace
_ptrace.argtypes = (c_long, c_int, c_void_p, c_void_p)
_ptrace.restype = c_long


class GoneError(Exception):
    """The thread is no longer there (killed, or replaced by an exec)."""


def ptrace(request: int, tid: int, address: object = None, data: object = None) -> int:
    """One request; `GoneError` where the thread has died, `OSError` for what is not permitted."""
    result: int = _ptrace(request, tid, address, data)
    if result == -1 and (error := ctypes.get_errno()):
        if error == 3:
            raise GoneError
        raise OSError(error, os.strerror(error))
    return result


def peek_user(tid: int, register: int) -> int:
    """One register of a stopped thread, signed."""
    ctypes.set_errno(0)
    return ptrace(PEEKUSER, tid, register * 8)


def get_registers(tid: int) -> "ctypes.Array[c_uint64]":
    """All general registers of a stopped thread."""
    registers = Registers()
    ptrace(GETREGS, tid, None, ctypes.addressof(registers))
    return registers


def set_registers(tid: int, registers: "ctypes.Array[c_uint64]") -> None:
    """Set all general registers of a stopped thread."""
    ptrace(SETREGS, tid, None, ctypes.addressof(registers))


def signal_info(tid: int) -> "ctypes.Array[c_uint8]":
    """The siginfo of the signal a thread is stopped with."""
    info = SigInfo()
    ptrace(GETSIGINFO, tid, None, ctypes.addressof(info))
    return info


def signal_code(info: "ctypes.Array[c_uint8]") -> int:
    """The si_code: above 0 where the kernel sent it for what an instruction did."""
    return int.from_bytes(bytes(info[8:12]), "little", signed=True)


def set_signal_info(tid: int, info: "ctypes.Array[c_uint8]") -> None:
    """Replace the siginfo of the signal a thread is stopped with."""
    ptrace(SETSIGINFO, tid, None, ctypes.addressof(info))


def call_info(tid: int) -> CallInfo:
    """Which system call a thread is stopped at, and on which side of it."""
    info = CallInfo()
    ptrace(GET_SYSCALL_INFO, tid, ctypes.sizeof(info), ctypes.addressof(info))
    return info


def event_message(tid: int) -> int:
    """The number that goes with an event stop: the new thread's id, or the exit status."""
    message = c_uint64()
    ptrace(GETEVENTMSG, tid, None, ctypes.addressof(message))
    return message.value


def unblock(tid: int, signal: int) -> None:
    """Take a signal out of the mask of a stopped thread."""
    mask = c_uint64()
    ptrace(GETSIGMASK, tid, 8, ctypes.addressof(mask))
    if mask.value >> (signal - 1) & 1:
        mask.value &= ~(1 << (signal - 1))
        ptrace(SETSIGMASK, tid, 8, ctypes.addressof(mask))


def this_processor() -> int:
    """The number of the processor that this runs on."""
    return int(_libc.sched_getcpu())


def personality_without_randomization() -> None:
    """Addresses of this process and its children from now on are the same in every run."""
    _libc.personality(0x0040000)
