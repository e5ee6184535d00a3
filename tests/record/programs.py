"""Small real programs to record, and whether this machine lets them be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zsim.errors import UsageError
from zsim.record import Job, Limit, record
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
    code = (
        "import json, sys; from tests.record.programs import job; from zsim.record import record;"
        "status, notes = record(job(*sys.argv[4:], memory=sys.argv[2]), sys.argv[1], via=sys.argv[3]);"
        "print(json.dumps(notes), file=open(sys.argv[1] + '.notes', 'w')); sys.exit(status)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "r"), memory, via, *command]
    traced = subprocess.run(words, capture_output=True, check=False, cwd=Path(__file__).parents[2], timeout=120)
    import json

    notes = json.loads((tmp_path / "r.notes").read_text())
    status = plain.returncode if plain.returncode >= 0 else 128 - plain.returncode
    return [(plain.stdout, status), (traced.stdout, traced.returncode)], notes


def recorded(base: Path, *command: str, memory: str = "8M", via: str = "ptrace", **more: Any) -> dict[str, Any]:
    """Record a command in this process; the recording's notes."""
    status, notes = record(job(*command, memory=memory, **more), str(base), via=via)
    assert status == 0
    return notes
