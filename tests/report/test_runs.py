"""Runs on their axes: how each ended, which are chosen, and what is asked for in vain."""

from pathlib import Path

import pytest

from tests.report.handmade import AXES, ERROR, write_study
from tests.results import busy_result
from zsim.errors import ResultError, UsageError
from zsim.report import Runs, gather, gather_paths
from zsim.studyfiles import load_studies


def test_a_study_has_all_its_points(runs: Runs) -> None:
    """Done, out of memory, failed or missing; the error with it; in the study's order."""
    assert [run.outcome for run in runs] == ["done"] * 6 + ["done", "failed", "missing", "done", "done", "oom"]
    assert [run.error for run in runs if run.error] == [ERROR]
    assert runs.axes == AXES and runs.baseline == {"allocator": "zbud"} and runs.is_study
    assert [run.label for run in runs][:2] == ["gcc, zbud, 40%", "gcc, zbud, 60%"]


def test_the_whole_result_is_read_on_demand(runs: Runs) -> None:
    """What a study keeps in memory has no series; `load` reads them."""
    first = runs.runs[0]
    assert first.result is not None and first.result.series.rows == []
    assert first.load().series.rows and first.load().metrics == first.result.metrics


def test_where(runs: Runs) -> None:
    """One value, several, or an axis by the part of its name that is unique; the axes shrink with the runs."""
    assert len(runs.where({"trace": "gcc"}).runs) == 6
    some = runs.where({"memory": ["40%", "80%"], "allocator": "zbud"})
    assert [run.label for run in some] == ["gcc, zbud, 40%", "gcc, zbud, 80%", "sort, zbud, 40%", "sort, zbud, 80%"]
    assert list(some.varying) == ["trace", "memory.size"] and some.axes["memory.size"] == ["40%", "80%"]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"alocator": "zbud"}, "no axis 'alocator'; did you mean 'allocator'"),
        ({"allocator": "zbd"}, "allocator has no value 'zbd'; did you mean 'zbud'"),
    ],
)
def test_where_in_vain(runs: Runs, where: dict[str, str], message: str) -> None:
    """The message names what there is."""
    with pytest.raises(UsageError, match=message):
        runs.where(where)


def test_what_runs_are_gathered_from(study: Path, tmp_path: Path) -> None:
    """A result, results, a Study, a folder: the same runs by any way."""
    one = busy_result()
    assert [run.label for run in gather([one, busy_result(allocator="zsmalloc")])[0]] == ["zbud", "zsmalloc"]
    assert len(gather(one)[0].runs) == 1 and not gather(one)[0].is_study
    assert [run.label for run in gather(load_studies(study)[0])[0]] == [run.label for run in gather(str(study))[0]]
    one.save(tmp_path / "one")
    with pytest.raises(UsageError, match="give studies or results, not both"):
        gather_paths([study, tmp_path / "one"])
    with pytest.raises(ResultError, match="no such file"):
        gather_paths([tmp_path / "nowhere"])


def test_a_damaged_result_is_missing(tmp_path: Path) -> None:
    """One that cannot be read does not stop the others."""
    folder = write_study(tmp_path / "s")
    next((folder / "runs").glob("*/result.json")).write_text("{")
    assert [run.outcome for run in gather(folder)[0]].count("missing") == 2
