"""A sweep: what is done is not done again, failures are kept, results do not depend on who ran them."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import zsim
from tests.studies import SIX, Here, write_study
from zsim.batch import Batch, check_folder
from zsim.errors import ResultError, ZsimError
from zsim.executors import Given
from zsim.resultfiles import RESULT
from zsim.runner import Ended
from zsim.study import load_plans
from zsim.studyfiles import DAMAGED, DONE, FAILED_BEFORE, NEW, load_studies

BROKEN = "boom: the disk of the cluster is full"


class Fails(Here):
    """Loses the first run that it is given."""

    def __init__(self) -> None:
        self.given = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of what is done already, or of what went wrong."""
        self.given += 1
        if self.given == 1:
            future: Future[Any] = Future()
            future.set_exception(OSError(BROKEN))
            return future
        return super().submit(fn, *args, **kwargs)


def batch_of(study: Path, folder: Path, shard: tuple[int, int] = (1, 1)) -> Batch:
    """The sweep of a study as it stands now."""
    return Batch(load_plans(study, folder), folder, shard)


def ends(batch: Batch, executor: Here) -> list[Ended]:
    """Run it all."""
    with closing(batch.execute(Given(executor))) as running:
        return list(running)


def files(folder: Path) -> dict[str, bytes]:
    """What is deterministic of every run."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in _files(folder) if p.name != "run.json"}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in (folder / "runs").rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(file, folder) of a study of six runs, all done; for reading only."""
    here = tmp_path_factory.mktemp("swept")
    study = write_study(here, SIX)
    zsim.sweep(study, here / "out", executor=Here())
    return study, here / "out"


def test_what_is_done_is_not_done_again(swept: tuple[Path, Path]) -> None:
    """All six are done, nothing is left to do, and no file is left besides."""
    batch = batch_of(*swept)
    assert set(batch.why.values()) == {DONE} and not batch.todo and batch.done == 6
    assert {path.name for path in swept[1].iterdir()} == {"study.json", "runs"}


def test_the_table_of_a_sweep(swept: tuple[Path, Path]) -> None:
    """A row a point: axes, outcome, metrics, and what is worked out from them."""
    frame = zsim.sweep(*swept, executor=Here())
    assert list(frame["outcome"]) == ["done"] * 6
    assert list(frame["allocator"]) == ["zbud"] * 3 + ["zsmalloc"] * 3
    assert all(frame["peak_ratio"] == frame["stored_pages_peak"] / frame["pool_pages_peak"])
    assert frame.attrs["folder"] == str(swept[1])


def test_a_sweep_goes_on(swept: tuple[Path, Path], tmp_path: Path) -> None:
    """Stopped after two runs, with one of these cut off: the other stays, and the end is that of one sweep."""
    batch = batch_of(swept[0], tmp_path / "out")
    with closing(batch.execute(Given(Here()))) as running:
        first, second = (next(running) for _ in range(2))
    cut = tmp_path / "out" / "runs" / first.digest[:16] / RESULT
    cut.write_text(cut.read_text()[:100])
    again = batch_of(swept[0], tmp_path / "out")
    assert again.why[first.digest] == DAMAGED and again.why[second.digest] == DONE
    assert sorted(again.why.values()).count(NEW) == 4
    assert len(ends(again, Here())) == 5
    assert files(tmp_path / "out") == files(swept[1])


def test_shards_are_the_whole(swept: tuple[Path, Path], tmp_path: Path) -> None:
    """Three parts, none twice, in one folder: as if swept at once."""
    for k in (1, 2, 3):
        assert len(ends(batch_of(swept[0], tmp_path / "out", (k, 3)), Here())) == 2
    assert files(tmp_path / "out") == files(swept[1])


def test_a_failure_is_kept_and_shown(swept: tuple[Path, Path], tmp_path: Path) -> None:
    """The others go on; it is in the table with its error; the next sweep tries it again."""
    folder = tmp_path / "out"
    batch = batch_of(swept[0], folder)
    ended = ends(batch, Fails())
    assert [run.outcome for run in ended].count("failed") == 1 and (batch.failed, batch.done) == (1, 5)
    runs = zsim.report.gather(folder)[0]
    assert BROKEN in zsim.report.study_table(runs).to_text()
    assert BROKEN in zsim.report.report_html([runs])
    again = batch_of(swept[0], folder)
    assert list(again.why.values()).count(FAILED_BEFORE) == 1
    assert [run.outcome for run in ends(again, Here())] == ["done"]
    assert files(folder) == files(swept[1])


def test_an_executor_that_gives_up(swept: tuple[Path, Path], tmp_path: Path) -> None:
    """It is said that sweeping again goes on."""

    class GivesUp(Here):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(ZsimError, match="sweep again to go on"):
        ends(batch_of(swept[0], tmp_path / "out"), GivesUp())


def test_folders_of_others_are_left_alone(swept: tuple[Path, Path], tmp_path: Path) -> None:
    """Another study, a file, somebody's folder; figures and tables that are kept beside runs are no obstacle."""
    with pytest.raises(ResultError, match="holds the results of study"):
        check_folder(swept[1], ["other"])
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="is a file"):
        check_folder(tmp_path / "file", ["study"])
    with pytest.raises(ResultError, match="is not empty"):
        check_folder(tmp_path, ["study"])
    for name in ("figures", "tables"):
        (tmp_path / "kept" / name).mkdir(parents=True)
    check_folder(tmp_path / "kept", ["study"])


def test_several_studies_share_runs(tmp_path: Path) -> None:
    """What two studies have in common is run once, and is a row of both."""
    write_study(tmp_path, SIX, "one")
    write_study(tmp_path, SIX, "two")
    folder = tmp_path / "out"
    batch = batch_of(tmp_path, folder)
    assert len(batch.runs) == 6
    frame = zsim.sweep(tmp_path, folder, executor=Here())
    assert list(frame["study"]) == ["one"] * 6 + ["two"] * 6
    assert [study.name for study in load_studies(folder)] == ["one", "two"]
