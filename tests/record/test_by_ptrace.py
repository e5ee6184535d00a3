"""Signals to the recorder go to the program; checks come before anything runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.record.programs import job, needs_ptrace
from zsim import load_config, replay
from zsim.errors import UsageError
from zsim.record import by_ptrace
from zsim.traces import open_trace

pytestmark = needs_ptrace
ENDLESS = "i=0; echo on; while :; do i=$((i+1)); x=$(echo $i); done"


def start(tmp_path: Path, *more: str) -> "subprocess.Popen[bytes]":
    """`zsim record` of a loop without end, once the program has begun, in a session of its own."""
    command = [sys.executable, "-m", "zsim", "record", "-q", "-o", str(tmp_path / "r"), "--min-memory", "1M", *more]
    running = subprocess.Popen([*command, "--", "sh", "-c", ENDLESS], stdout=subprocess.PIPE, start_new_session=True)
    assert running.stdout is not None and running.stdout.readline() == b"on\n"
    return running


def wait_for_rows(base: Path, running: "subprocess.Popen[bytes]") -> None:
    """Wait until the recording has flushed some of its rows."""
    end = time.monotonic() + 60
    while time.monotonic() < end and running.poll() is None:
        if (path := base.with_suffix(".csv")).exists() and path.stat().st_size > 8192:
            return
        time.sleep(0.05)
    pytest.fail("no rows came")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_program_and_completes_the_recording(tmp_path: Path, number: int) -> None:
    """Ctrl-C or SIGTERM ends the program; the recording is whole, and the status is a shell's."""
    running = start(tmp_path)
    running.send_signal(number)
    assert running.wait(60) == 128 + number
    assert json.loads((tmp_path / "r.json").read_text())["complete"] is True
    assert open_trace(tmp_path / "r").accesses > 100


def test_a_second_signal_ends_what_the_program_left_behind(tmp_path: Path) -> None:
    """The first ends the program alone; the recording goes on while its children do."""
    command = [sys.executable, "-m", "zsim", "record", "-o", str(tmp_path / "r"), "--", "sh", "-c"]
    running = subprocess.Popen([*command, f"sleep 100 & echo $! > {tmp_path}/child; exec sleep 101"])
    for _ in range(200):
        if (tmp_path / "child").exists() and (tmp_path / "child").read_text().endswith("\n"):
            break
        time.sleep(0.05)
    time.sleep(0.5)
    for _ in range(2):
        assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        time.sleep(0.5)
    assert running.wait(60) == 128 + signal.SIGTERM
    status = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/status")
    assert not status.exists() or "(zombie)" in status.read_text()
    assert json.loads((tmp_path / "r.json").read_text())["complete"] is True


def test_killed_recording_leaves_a_shorter_one(tmp_path: Path) -> None:
    """kill -9 takes the program along and leaves a recording that can be replayed."""
    running = start(tmp_path)
    wait_for_rows(tmp_path / "r", running)
    running.kill()
    running.wait()
    trace = open_trace(tmp_path / "r")
    assert trace.accesses > 20 and trace.header["complete"] is False
    assert running.stdout is not None and running.stdout.read() == b""  # so nobody has it open: the program is gone
    assert replay(trace, load_config()).metrics["accesses"] == trace.accesses


def test_what_cannot_be_traced_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set-user-ID program is refused while an older recording is still there."""
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    program = tmp_path / "program"
    program.write_bytes(b"")
    program.chmod(0o4755)
    with pytest.raises(UsageError, match="gains privileges"):
        by_ptrace.check(job(str(program)))


def test_one_processor_for_a_while() -> None:
    """The recorder stays where it is while it records, and may go anywhere after it."""
    before = os.sched_getaffinity(0)
    with by_ptrace.on_one_processor() as processors:
        assert processors == before and len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_handlers_are_put_back() -> None:
    """After the program the signals mean what they meant."""
    before = signal.getsignal(signal.SIGTERM)
    with by_ptrace.passing_signals(os.getpid()):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
