"""Starting the program: its environment, what of it cannot be traced, and a process that waits to become it."""

import os
import platform
import shutil
import signal
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zsim.errors import UsageError, ZsimError
from zsim.record import ptrace as pt

if TYPE_CHECKING:
    from zsim.record import Job

KEPT = ("PATH", "LANG", "LANGUAGE", "TERM", "TZ")
KEPT_PREFIX = "LC_"
ELF, ELF64, X86_64 = b"\x7fELF", 2, 62
NOT_FOUND, NOT_EXECUTABLE = 127, 126
RUNS_MEASURED, MEASURING_S = 10, 1.0


def environment(also: Iterable[str] = (), given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables the program gets: KEPT and LC_*, and those of `also` (NAME, NAME=VALUE, or * for all)."""
    full = dict(os.environ if given is None else given)
    kept = {name: value for name, value in full.items() if name in KEPT or name.startswith(KEPT_PREFIX)}
    for word in also:
        name, equals, value = word.partition("=")
        if equals:
            kept[name] = value
        elif name == "*":
            kept = full
        elif name in full:
            kept[name] = full[name]
    return kept


class CommandError(ZsimError):
    """The command cannot be started; the exit status is a shell's."""

    exit_code = NOT_FOUND


def find_program(name: str, environ: Mapping[str, str]) -> str:
    """The path of the program; `CommandError` where there is none."""
    path = shutil.which(name, path=environ.get("PATH", os.defpath))
    if path is not None:
        return path
    error = CommandError(f"{name}: command not found")
    if Path(name).exists():
        error = CommandError(f"{name}: not an executable file")
        error.exit_code = NOT_EXECUTABLE
    raise error


def check_linux() -> None:
    """A `UsageError` where programs cannot be recorded at all."""
    if platform.system() != "Linux":
        raise UsageError(f"zsim record needs Linux; this is {platform.system()} (replay a shipped recording instead)")


def check_platform() -> None:
    """A `UsageError` where programs cannot be traced."""
    check_linux()
    if platform.machine() != "x86_64":
        raise UsageError(
            f"this way of recording needs x86-64; here is {platform.machine()}: use --via lackey (valgrind)"
        )


def check_traceable(path: str) -> None:
    """A `UsageError` where the program at `path`, or the interpreter it names, cannot be traced."""
    status = os.stat(path)
    foreign = (status.st_uid, status.st_gid) != (os.getuid(), os.getgid())
    if foreign and os.getuid() and (status.st_mode & (stat.S_ISUID | stat.S_ISGID) or _has_capabilities(path)):
        raise UsageError(f"{path} gains privileges when it starts (setuid): it can be recorded by root only")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{path} may be run but not read: it can be recorded by its owner only")
    with open(path, "rb") as file:
        head = file.read(256)
    if head.startswith(b"#!"):
        interpreter = head[2:].split(b"\n")[0].split()
        if interpreter and Path(os.fsdecode(interpreter[0])).exists():
            check_traceable(os.fsdecode(interpreter[0]))
    elif head.startswith(ELF) and (head[4], int.from_bytes(head[18:20], "little")) != (ELF64, X86_64):
        raise UsageError(f"{path} is not a 64-bit x86-64 program; use --via lackey (valgrind)")


def _has_capabilities(path: str) -> bool:
    try:
        return bool(os.getxattr(path, "security.capability"))
    except OSError:
        return False


def check_permitted() -> None:
    """A `UsageError` where this process may not trace a child of its own."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    try:
        _seize(pid, 0)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _seize(pid: int, options: int) -> None:
    try:
        pt.ptrace(pt.SEIZE, pid, None, options)
    except OSError as error:
        raise UsageError(f"ptrace is not permitted here ({error.strerror}); use --via lackey (valgrind)") from None


def start(path: str, command: list[str], environ: Mapping[str, str], trace: bool = True) -> int:
    """Start the program in a child that this process traces; its id. The child waits until it is let go."""
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(path, command, environ, ready, go)
    os.close(ready)
    if trace:
        _seize(pid, pt.OPTIONS)
    os.write(go, b"g")
    os.close(go)
    return pid


def _become(path: str, command: list[str], environ: Mapping[str, str], ready: int, go: int) -> None:
    """In the child: wait for the word, then become the program; never returns."""
    try:
        os.close(go)
        os.read(ready, 1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        pt.personality_without_randomization()
        os.execve(path, command, dict(environ))
    except BaseException as error:  # nothing may unwind into the parent's code
        os.write(2, f"zsim: {path}: {getattr(error, 'strerror', None) or error}\n".encode())
    finally:
        os._exit(NOT_EXECUTABLE)


def cpu_ns_untraced(job: "Job") -> int:
    """CPU time of the program when nobody watches; of a short one the least of some runs, for whatever disturbs adds.

    It runs with empty input, and its output is thrown away.
    """
    import subprocess
    import time

    null, runs_ns, began = subprocess.DEVNULL, list[int](), time.monotonic()
    while len(runs_ns) < RUNS_MEASURED and (not runs_ns or time.monotonic() - began < MEASURING_S):
        before_ns = _children_ns()
        subprocess.run(
            job.command, executable=job.path, env=job.environ, stdin=null, stdout=null, stderr=null, check=False
        )
        runs_ns.append(_children_ns() - before_ns)
    return min(runs_ns)


def _children_ns() -> int:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((used.ru_utime + used.ru_stime) * 1e9)
