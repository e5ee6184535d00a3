"""Before the program runs: its environment, where it is, and what of it cannot be traced."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from tests.record.programs import PYTHON, job, needs_ptrace
from zsim.errors import UsageError, ZsimError
from zsim.record import launch

GIVEN = {"PATH": "/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/home/me", "API_KEY": "secret", "LD_PRELOAD": "x.so"}


def test_environment_is_an_allow_list() -> None:
    """Only what is on the list is passed on; more by name, by value, or all of it, when asked for."""
    assert launch.environment((), GIVEN) == {"PATH": "/bin", "LC_ALL": "C", "TZ": "UTC"}
    assert launch.environment(["HOME", "X=1=2", "NONE"], GIVEN) == {
        "PATH": "/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/home/me", "X": "1=2",
    }  # fmt: skip
    assert launch.environment(["*", "TZ=CET"], GIVEN) == GIVEN | {"TZ": "CET"}


def test_program_is_found_as_a_shell_would(tmp_path: Path) -> None:
    """By PATH or path; a shell's exit status where it is not there, or cannot be run."""
    assert launch.find_program("sh", {"PATH": "/nowhere:/bin"}) == "/bin/sh"
    for name, words, status in [("no-such", "command not found", 127), (str(tmp_path), "not an executable file", 126)]:
        with pytest.raises(ZsimError, match=words) as caught:
            launch.find_program(name, {"PATH": "/bin"})
        assert caught.value.exit_code == status


def test_other_platforms_are_told_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine is pointed to lackey, another system to the shipped recordings."""
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(UsageError, match="needs x86-64; here is aarch64: use --via lackey"):
        launch.check_platform()
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(UsageError, match=r"needs Linux; this is Darwin \(replay a shipped"):
        launch.check_platform()


def test_programs_that_cannot_be_traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set-user-ID programs of others, unreadable ones and those of other machines are refused; also by script."""
    program = tmp_path / "program"
    shutil.copy("/bin/true", program)
    launch.check_traceable(str(program))
    program.chmod(0o4755)
    launch.check_traceable(str(program))
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(UsageError, match="program gains privileges when it starts .*by root only"):
        launch.check_traceable(str(program))
    script = tmp_path / "script"
    script.write_text(f"#!{program} -x\n")
    with pytest.raises(UsageError, match="program gains privileges"):
        launch.check_traceable(str(script))
    program.chmod(0o755)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UsageError, match="may be run but not read"):
        launch.check_traceable(str(program))
    monkeypatch.undo()
    image = bytearray(program.read_bytes())
    image[4] = 1
    program.write_bytes(image)
    with pytest.raises(UsageError, match="not a 64-bit x86-64 program; use --via lackey"):
        launch.check_traceable(str(program))


def children() -> set[str]:
    """Processes whose parent is this one."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if path.read_text().rsplit(")", 1)[1].split()[1] == str(os.getpid()):
                found.add(path.parent.name)
    return found


def test_ptrace_that_is_not_permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel says no, the way out is named, and no child is left."""

    def refuse(*arguments: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("zsim.record.ptrace.ptrace", refuse)
    before = children()
    with pytest.raises(UsageError, match=r"ptrace is not permitted here \(Operation not permitted\); use --via lackey"):
        launch.check_permitted()
    assert children() == before


def test_untraced_cpu_time() -> None:
    """The CPU time of a run that nobody watches: about that of a busy loop, and none of its output is seen."""
    busy = launch.cpu_ns_untraced(job(PYTHON, "-I", "-S", "-c", "print(sum(range(3_000_000)))"))
    assert 10_000_000 < busy < 20_000_000_000
    assert launch.cpu_ns_untraced(job("true")) < busy / 2  # not that of all children so far


@needs_ptrace
def test_child_that_cannot_become_the_program(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What the kernel refuses to run ends with 126 and its reason."""
    bad = tmp_path / "bad"
    bad.write_text("#!/no/such/interpreter\n")
    bad.chmod(0o755)
    pid = launch.start(str(bad), ["bad"], {}, trace=False)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == launch.NOT_EXECUTABLE
    assert capfd.readouterr().err == f"zsim: {bad}: No such file or directory\n"
