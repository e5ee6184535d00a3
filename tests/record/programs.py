"""Small real programs to record, and whether this machine lets them be."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas  # noqa: F401  (pyarrow imports it: once here rather than in each child)
import pytest

from zsim.errors import UsageError
from zsim.record import Job, Limit, record
from zsim.record import output as _output  # noqa: F401  (the same)
from zsim.record.launch import check_permitted, check_platform, environment, find_program
from zsim.record.pagemap import check_supported


def _why_not(*checks: Any) -> str:
    try:
        for check in checks:
            check()
    except UsageError as error:
        return str(error)
    return ""


NO_PTRACE = _why_not(check_platform, check_permitted)
NO_WP = NO_PTRACE or _why_not(check_supported)
needs_ptrace = pytest.mark.skipif(bool(NO_PTRACE), reason=NO_PTRACE)
needs_wp = pytest.mark.skipif(bool(NO_WP), reason=NO_WP)
needs_valgrind = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")

PYTHON = os.path.realpath(sys.executable)
"""The interpreter itself, not a script that looks for it."""
BARE = [PYTHON, "-I", "-S", "-E", "-c"]


def job(*command: str, memory: str = "8M", **more: Any) -> Job:
    """A job for a command line, with a smallest memory."""
    from zsim.units import parse_bytes

    environ = environment()
    return Job(find_program(command[0], environ), list(command), environ, Limit(parse_bytes(memory)), **more)


def both(
    tmp_path: Path, command: list[str], memory: str = "64M", via: str = "ptrace"
) -> tuple[list[Any], dict[str, Any]]:
    """[output and status untraced, the same recorded] of a program, and the notes of its recording `tmp_path`/r."""
    plain = subprocess.run(command, capture_output=True, check=False, env=environment())
    output, base = tmp_path / "r.out", str(tmp_path / "r")
    traced = forked(lambda: record(job(*command, memory=memory), base, via=via)[0], output)
    status = plain.returncode if plain.returncode >= 0 else 128 - plain.returncode
    return [(plain.stdout, status), (output.read_bytes(), traced)], json.loads((tmp_path / "r.json").read_text())


def forked(body: Callable[[], int], output: Path) -> int:
    """What `body` returns in a child of this process, its output in a file: another interpreter takes a second more."""
    pid = os.fork()
    if not pid:
        status = 70
        try:
            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT), 1)
            status = body()
        except BaseException:  # nothing may unwind into the tests
            traceback.print_exc()
        finally:
            os._exit(status)
    killer = threading.Timer(120, os.kill, (pid, signal.SIGKILL))
    killer.start()
    _, status = os.waitpid(pid, 0)
    killer.cancel()
    return os.waitstatus_to_exitcode(status)


def recorded(base: Path, *command: str, memory: str = "8M", via: str = "ptrace", **more: Any) -> dict[str, Any]:
    """Record a command in this process; the recording's notes."""
    status, notes = record(job(*command, memory=memory, **more), str(base), via=via)
    assert status == 0
    return notes
