"""`zsim record` as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.record.programs import needs_ptrace


def run(*arguments: object, cwd: Path, data: bytes = b"", **variables: str) -> "subprocess.CompletedProcess[bytes]":
    """`zsim record ...` in a folder."""
    command = [sys.executable, "-m", "zsim", "record", *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, check=False, cwd=cwd, env=os.environ | variables)


@needs_ptrace
def test_record_and_replay(tmp_path: Path) -> None:
    """Input, output and status are the program's; the user is told what is kept; the recording replays."""
    done = run("-o", "words", "--", "sh", "-c", "tr a b; exit 5", cwd=tmp_path, data=b"banana\n")
    assert (done.stdout, done.returncode) == (b"bbnbnb\n", 5)
    told, summary = done.stderr.decode().splitlines()
    assert "words.pages.zst will hold the program's memory" in told and "--sizes-only" in told
    assert summary.startswith("zsim: words: ") and "2 tasks" in summary and "valid from 512 pages" in summary
    command = [sys.executable, "-m", "zsim", "replay", "words", "--json", "-q"]
    replayed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(replayed.stdout)["metrics"]["accesses"] > 100


@needs_ptrace
def test_options(tmp_path: Path) -> None:
    """Name by default, options of the command left alone, variables by name, quiet, notes as JSON, CPU time."""
    done = run(
        "--env", "A=1", "--env", "KEEP", "--sizes-only", "--json", "--cpu-time", "measure", "--min-memory", "1M",
        "sh", "-c", "echo $A $KEEP $DROP", cwd=tmp_path, KEEP="2", DROP="3",
    )  # fmt: skip
    assert done.stdout == b"1 2\n" and b"no page images are kept" in done.stderr
    said = json.loads(done.stderr.splitlines()[-1])
    assert (said["schema"], said["path"], said["k"], said["native_cpu"]) == (1, "sh", 64, "measured")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sh.images.parquet", "sh.json", "sh.trace.parquet"]
    assert run("-q", "--force", "--no-content", "--no-file-calls", "sh", "-c", ":", cwd=tmp_path).stderr == b""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sh.json", "sh.trace.parquet"]


REFUSED = {
    "no-such-command": (["no-such-command"], 127, "no-such-command: command not found"),
    "directory": (["./folder"], 126, "./folder: not an executable file"),
    "way": (["--via", "ptrac", "true"], 2, "unknown way of recording 'ptrac'; did you mean 'ptrace'?"),
    "memory": (["--min-memory", "0", "true"], 2, "--min-memory 0: expected a size or a share above 0"),
    "unit": (["--min-memory", "5q", "true"], 2, "'5q' is not a size"),
    "place": (["-o", "no/r", "true"], 2, "there is no directory no"),
    "exists": (["-o", "old", "true"], 2, "old.csv exists; choose another name or give --force"),
    "time": (["--cpu-time", "5q", "true"], 2, "5q"),
    "valgrind": (["--via", "lackey", "/bin/true"], 2, "--via lackey needs valgrind"),
}


@needs_ptrace
@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str) -> None:
    """One line that says what is wrong, a status, and nothing written or run."""
    arguments, status, words = REFUSED[case]
    (tmp_path / "folder").mkdir()
    (tmp_path / "old.csv").write_text("page,op\n1,R\n")
    path = "" if case == "valgrind" else os.environ["PATH"]
    done = run(*arguments, cwd=tmp_path, PATH=path)
    message = done.stderr.decode()
    assert (done.returncode, message.count("\n")) == (status, 1) and words in message, message
    assert sorted(file.name for file in tmp_path.iterdir()) == ["folder", "old.csv"]


def test_no_command(tmp_path: Path) -> None:
    """Without a command the usage is told."""
    done = run("-o", "r", cwd=tmp_path)
    assert done.returncode == 2 and b"Missing argument 'COMMAND" in done.stderr
