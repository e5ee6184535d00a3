"""`zsim validate` as it is run."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli import entry
from zsim.cli import zsim
from zsim.validation import SHIPPED

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit status, output, error output of the command line as users start it."""
    done = subprocess.run([sys.executable, "-m", "zsim", "validate", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_help() -> None:
    """It says where other cases come from."""
    assert "docs/recording-kernel-runs.md" in CliRunner().invoke(zsim, ["validate", "--help"]).output


def test_one_case(tmp_path: Path) -> None:
    """A table, a figure with its data, a CSV, and nothing on stderr but the files."""
    plot, output = tmp_path / "errors.svg", tmp_path / "all.csv"
    status, said, error = run("k61-none-mixed", "--plot", str(plot), "-o", str(output))
    assert (status, error.split()) == (0, [str(plot), str(plot.with_suffix(".csv"))])
    assert "k61-none-mixed  kernel" in said
    assert output.read_text() == plot.with_suffix(".csv").read_text()


def test_a_case_that_misses(tmp_path: Path) -> None:
    """Exit status 1, and the reason in the table: here a kernel that had half the faults."""
    for part in ("runs/k61-none-mixed", "traces"):
        shutil.copytree(SHIPPED / "zswap" / part, tmp_path / part)
    path = tmp_path / "runs/k61-none-mixed/run.json"
    run_json = json.loads(path.read_text())
    run_json["summary"]["final"]["vm.pswpin"] //= 2
    path.write_text(json.dumps(run_json))
    status, said, _ = entry.run(tmp_path, "validate", "--cases", tmp_path, "-j", "1")
    assert status == 1
    assert "misses pswpin +" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["k61-nothing"], "no case 'k61-nothing'"),
        (["--cases", "/nowhere"], "/nowhere: no cases here"),
        (["--update", "nowhere.md"], "nowhere.md"),
        (["--plot", "errors.gif"], "errors.gif: a figure's name ends in .svg"),
        (["--set", "zram"], "zram"),
        (["-j", "0"], "0"),
    ],
)
def test_bad_input(tmp_path: Path, arguments: list[str], said: str) -> None:
    """Exit status 2 and one clear line, nothing on stdout."""
    status, out, error = entry.run(tmp_path, "validate", *arguments)
    assert (status, out) == (2, "")
    assert said in error.splitlines()[-1]


def test_a_bad_case_beside_a_good_one(tmp_path: Path) -> None:
    """The good one is replayed; the bad ones are named, with the reason, and the exit status is 2."""
    for part in ("runs/k61-none-mixed", "traces"):
        shutil.copytree(SHIPPED / "zswap" / part, tmp_path / part)
    for name, old, new in (("unread", '"kernel"', '"kernl"'), ("unplayed", "mixed", "missing")):
        shutil.copytree(tmp_path / "runs/k61-none-mixed", tmp_path / "runs" / name)
        path = tmp_path / "runs" / name / "run.json"
        path.write_text(path.read_text().replace(old, new))
    status, said, error = entry.run(tmp_path, "validate", "--cases", tmp_path, "-j", "1", "--json")
    assert status == 2
    found = json.loads(said)
    assert [case["name"] for case in found["cases"]] == ["k61-none-mixed"]
    assert sorted(case["name"] for case in found["failed"]) == ["unplayed", "unread"]
    assert "zsim: unread: cannot be replayed: " in error and "no config.kernel" in error
    assert "missing.parquet: no such trace" in error


@pytest.mark.skipif(sys.platform != "linux", reason="records on Linux")
def test_the_recording_script(tmp_path: Path) -> None:
    """Without a limit: every page faults once, nothing after that, and the result is a case that zsim agrees with."""
    script = ROOT / "examples" / "record_kernel_run.py"
    record = [sys.executable, str(script), str(tmp_path), "--unlimited", "--name", "try"]
    done = subprocess.run(record, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    status, said, _ = run("--cases", str(tmp_path), "--json")
    case = json.loads(said)["cases"][0]
    assert case["kernel"]["faults"] == 0
    assert case["same_outcome"] > 0.999
    assert status == 0
    assert "already" in subprocess.run(record, capture_output=True, text=True).stderr
