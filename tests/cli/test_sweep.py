"""`zsim sweep`: in processes, told what would run, in parts, with mistakes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.studies import ROOMY, write_study
from zsim.batch import DIED
from zsim.cli import zsim as command
from zsim.errors import UsageError, ZsimError

TWO = f'[base]\n{ROOMY}\n[axes]\nallocator = ["zbud", "zsmalloc"]'


def run(*arguments: object) -> Result:
    """A command, in this process; a `ZsimError` comes through as it is."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if isinstance(result.exception, ZsimError):
        raise result.exception
    return result


def test_in_processes_and_again(tmp_path: Path) -> None:
    """Two runs in processes; the dry run says why before and that they are done after; -o is where they are."""
    study, out = write_study(tmp_path, TWO), tmp_path / "out"
    assert "2 runs: 2 new" in run("sweep", study, "-n", "-o", out).output and not out.exists()
    first = run("sweep", study, "-o", out, "-j", 2)
    assert first.exit_code == 0 and "2 of 2 runs are done" in first.stderr
    assert "2 runs: 2 done" in run("sweep", study, "-n", "-o", out).output
    again = run("sweep", study, "-o", out, "--json", "-q")
    assert not again.stderr
    (told,) = json.loads(again.stdout)["studies"]
    assert [point["outcome"] for point in told["points"]] == ["done", "done"]
    assert told["points"][0]["slowdown"] >= 1 and told["points"][0]["digest"]


def test_parts(tmp_path: Path) -> None:
    """Two shards hold one run each, and not the same."""
    study = write_study(tmp_path, TWO)
    parts = [json.loads(run("sweep", study, "-n", "--shard", f"{k}/2", "--json").output) for k in (1, 2)]
    digests = [[point["digest"] for point in part["studies"][0]["points"]] for part in parts]
    assert [len(part) for part in digests] == [1, 1] and digests[0] != digests[1]


def test_a_run_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 1, its error in the table; with --fail-fast nothing is begun after it."""
    from tests.studies import Here
    from zsim import executors
    from zsim.executors import Given
    from zsim.runner import failed

    study = write_study(tmp_path, TWO)
    begun = []

    class Dies(Here):
        def submit(self, fn, job):  # type: ignore[no-untyped-def, override]
            begun.append(job)
            return super().submit(failed, job, DIED)

    class OneByOne(Given):
        width = 1

    monkeypatch.setattr(executors, "Processes", lambda jobs: OneByOne(Dies()))
    stopped = run("sweep", study, "-o", tmp_path / "fast", "--fail-fast")
    assert stopped.exit_code == 1 and len(begun) == 1 and DIED in stopped.stdout
    done = run("sweep", study, "-o", tmp_path / "out")
    assert done.exit_code == 1 and len(begun) == 3
    assert done.stdout.count(DIED) == 2 and "2 failed; 0 of 2 runs are done" in done.stderr


def test_options_are_below_the_axes(tmp_path: Path) -> None:
    """--set reaches all runs; what an axis overrides is told."""
    study = write_study(tmp_path, TWO)
    plain, seeded = (run("sweep", study, "-n", "--json", *more).output for more in ((), ("--seed", 7)))
    assert plain != seeded
    assert "has no effect: allocator is an axis" in run("sweep", study, "-n", "--allocator", "z3fold").stderr


@pytest.mark.parametrize("shard", ["3/2", "0/2", "1", "a/b"])
def test_bad_parts(tmp_path: Path, shard: str) -> None:
    """A part that is none is refused with examples."""
    done = run("sweep", write_study(tmp_path, TWO), "--shard", shard)
    assert done.exit_code == 2 and "1/3" in done.output


def test_no_cluster(tmp_path: Path) -> None:
    """Where no scheduler answers, that is said, whether or not Dask is installed."""
    with pytest.raises(UsageError, match="--dask"):
        run("sweep", write_study(tmp_path, TWO), "--dask", "tcp://127.0.0.1:1", "-o", tmp_path / "out")
