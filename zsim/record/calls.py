"""Which memory a system call touches: the kernel's own accesses raise no fault, they fail with EFAULT instead.

One word per argument: `.` no memory, `s` a string, `r` read and `w` written, `b` both, with a size: a number, `@2` the
value of argument 2, `@1*8` that many times 8. A trailing `=` says that the result is how much was really used.
`rv@2` and `wv@2` are vectors of buffers (iovec), `rm` and `wm` message headers, `rM@2`, `wM@2` arrays of those,
`S` a list of strings. Arguments that look like addresses are taken to be read and written for a call not listed.
"""

from collections.abc import Callable
from functools import cache
from struct import unpack
from typing import NamedTuple

from zsim.units import PAGE_SIZE

TABLE = """
0 read . w@2=|1 write . r@2|2 open s|3 close|4 stat s w144|5 fstat . w144|6 lstat s w144|7 poll b@1*8|8 lseek
9 mmap|10 mprotect|11 munmap|12 brk|13 rt_sigaction . r32 w32|14 rt_sigprocmask . r8 w8|15 rt_sigreturn
16 ioctl . . b256|17 pread64 . w@2=|18 pwrite64 . r@2|19 readv . wv@2=|20 writev . rv@2|21 access s|22 pipe w8
23 select . b128 b128 b128 b16|24 sched_yield|25 mremap|26 msync|27 mincore . . w64|28 madvise|30 shmat|32 dup
33 dup2|34 pause|35 nanosleep r16 w16|36 getitimer . w32|37 alarm|38 setitimer . r32 w32|39 getpid
40 sendfile . . b8|41 socket|42 connect . r@2|43 accept . w128 b4|44 sendto . r@2 . . r@5
45 recvfrom . w@2= . . w128 b4|46 sendmsg . rm|47 recvmsg . wm|48 shutdown|49 bind . r@2|50 listen
51 getsockname . w128 b4|52 getpeername . w128 b4|53 socketpair . . . w8|54 setsockopt . . . r@4
55 getsockopt . . . w256 b4|56 clone . . w4 w4|57 fork|58 vfork|59 execve s S S|60 exit|61 wait4 . w4 . w144
62 kill|63 uname w390|67 shmdt|72 fcntl . . b32|73 flock|74 fsync|75 fdatasync|76 truncate s|77 ftruncate
78 getdents . w@2=|79 getcwd w@1|80 chdir s|81 fchdir|82 rename s s|83 mkdir s|84 rmdir s|85 creat s
86 link s s|87 unlink s|88 symlink s s|89 readlink s w@2=|90 chmod s|91 fchmod|92 chown s|93 fchown|95 umask
96 gettimeofday w16 w8|97 getrlimit . w16|98 getrusage . w144|99 sysinfo w112|100 times w32|102 getuid
104 getgid|107 geteuid|108 getegid|109 setpgid|110 getppid|111 getpgrp|112 setsid|115 getgroups . w@0*4
118 getresuid w4 w4 w4|120 getresgid w4 w4 w4|121 getpgid|124 getsid|125 capget b8 b24|127 rt_sigpending w8
128 rt_sigtimedwait r8 w128 r16|130 rt_sigsuspend r8|131 sigaltstack r24 w24|132 utime s r16|137 statfs s w120
138 fstatfs . w120|140 getpriority|142 sched_setparam . r4|143 sched_getparam . w4
144 sched_setscheduler . . r4|145 sched_getscheduler|157 prctl . b16|158 arch_prctl|160 setrlimit . r16
186 gettid|187 readahead|191 getxattr s s w@3|192 lgetxattr s s w@3|193 fgetxattr . s w@3|194 listxattr s w@2
200 tkill|201 time w8|202 futex r4 . . r16 r4|203 sched_setaffinity . . r@1|204 sched_getaffinity . . w@1=
213 epoll_create|217 getdents64 . w@2=|218 set_tid_address|219 restart_syscall|221 fadvise64
228 clock_gettime . w16|229 clock_getres . w16|230 clock_nanosleep . . r16 w16|231 exit_group
232 epoll_wait . w@2*12|233 epoll_ctl . . . r12|234 tgkill|235 utimes s r32|247 waitid . . w128 . w144
254 inotify_add_watch . s|257 openat . s|258 mkdirat . s|260 fchownat . s|261 futimesat . s r32
262 newfstatat . s w144|263 unlinkat . s|264 renameat . s . s|265 linkat . s . s|266 symlinkat s . s
267 readlinkat . s w@3=|268 fchmodat . s|269 faccessat . s|270 pselect6 . b128 b128 b128 b16 r16
271 ppoll b@1*8 . r16 r8|273 set_robust_list|275 splice . b8 . b8|280 utimensat . s r32
281 epoll_pwait . w@2*12 . . r8|283 timerfd_create|284 eventfd|285 fallocate|286 timerfd_settime . . r32 w32
288 accept4 . w128 b4|289 signalfd4 . r8|290 eventfd2|291 epoll_create1|292 dup3|293 pipe2 w8
295 preadv . wv@2=|296 pwritev . rv@2|299 recvmmsg . wM@2 . . r16|302 prlimit64 . . r16 w16
307 sendmmsg . rM@2|309 getcpu w4 w4|314 sched_setattr . r56|315 sched_getattr . w@2|316 renameat2 . s . s
318 getrandom w@1=|319 memfd_create s|322 execveat . s S S|324 membarrier|326 copy_file_range . b8 . b8
327 preadv2 . wv@2=|328 pwritev2 . rv@2|329 pkey_mprotect|332 statx . s . . w256|334 rseq
425 io_uring_setup . b120|426 io_uring_enter|435 clone3 b@1|436 close_range|437 openat2 . s r24
439 faccessat2 . s|441 epoll_pwait2 . w@2*12 . r16 r8
"""


@cache
def calls() -> dict[int, tuple[str, list[tuple[int, str]]]]:
    """Number of a system call -> its name, and (argument, word) for each that is memory."""
    known = {}
    for entry in TABLE.replace("\n", "|").strip("|").split("|"):
        number, name, *words = entry.split()
        known[int(number)] = name, [(i, word) for i, word in enumerate(words) if word != "."]
    return known


NUMBER = {name: number for number, (name, _) in calls().items()}


class Touch(NamedTuple):
    """Bytes that a call may touch; `by_result`: only the first so many, as many as it returns."""

    start: int
    size: int
    write: bool
    by_result: bool = False


Read = Callable[[int, int], bytes]
"""(address, bytes) -> memory of the program, shorter where it is not mapped."""


def touches(number: int, args: list[int], read: Read) -> list[Touch]:
    """What a system call may touch of the memory of its caller."""
    if number not in calls():
        return [Touch(arg, 64, True) for arg in args if arg > PAGE_SIZE]
    found: list[Touch] = []
    for i, word in calls()[number][1]:
        if args[i]:
            found += _touches(word, args, args[i], read)
    return found


def _touches(word: str, args: list[int], at: int, read: Read) -> list[Touch]:
    match word.rstrip("="):
        case "s":
            return [Touch(at, _string_bytes(at, read), False)]
        case "S":
            pointers = _words(read(at, 8 * 4096))
            listed = pointers[: pointers.index(0) + 1] if 0 in pointers else pointers
            strings = [Touch(each, _string_bytes(each, read), False) for each in listed if each]
            return [Touch(at, 8 * len(listed), False), *strings]
        case "rm" | "wm":
            return _message(at, word[0] == "w", read)
        case kind if kind[1] == "v":
            return _vector(at, args[int(kind[3:])], kind[0] == "w", word.endswith("="), read)
        case kind if kind[1] == "M":
            headers = range(at, at + 64 * min(args[int(kind[3:])], 1024), 64)
            return [touch for header in headers for touch in _message(header, kind[0] == "w", read)]
        case kind:
            size = _size(kind[1:], args)
            return [Touch(at, size, kind[0] != "r", word.endswith("="))] if size else []


def _size(text: str, args: list[int]) -> int:
    if not text.startswith("@"):
        return int(text)
    argument, _, scale = text[1:].partition("*")
    return min((args[int(argument)] & 0x7FFF_FFFF) * int(scale or 1), 0x7FFF_F000)


def _string_bytes(at: int, read: Read) -> int:
    """Length of the C string, its end included."""
    size = 0
    while size < 1 << 17:
        piece = read(at + size, PAGE_SIZE - (at + size) % PAGE_SIZE)
        if not piece or b"\0" in piece:
            return size + piece.find(b"\0") + 1
        size += len(piece)
    return size


def _vector(at: int, count: int, write: bool, by_result: bool, read: Read) -> list[Touch]:
    count = min(count & 0xFFFF_FFFF, 1024)
    pairs = _words(read(at, 16 * count))
    buffers = [Touch(start, size, write, by_result) for start, size in zip(pairs[::2], pairs[1::2], strict=False)]
    return [Touch(at, 16 * count, False), *(buffer for buffer in buffers if buffer.size)]


def _message(at: int, write: bool, read: Read) -> list[Touch]:
    words = _words(read(at, 56))
    if len(words) < 7:
        return []
    name, name_bytes, vector, count, control, control_bytes, _ = words
    parts = [Touch(at, 64, write), *_vector(vector, count, write, write, read)]
    for start, size in ((name, name_bytes & 0xFFFF_FFFF), (control, control_bytes)):
        if start and size:
            parts.append(Touch(start, size, write))
    return parts


def _words(data: bytes) -> list[int]:
    return list(unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8]))
