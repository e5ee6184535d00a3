"""The table of a study: values, ratios and verdicts by hand, in every form."""

import csv
import io
import json
from math import sqrt
from pathlib import Path

import pytest

from tests.report.handmade import ERROR, write_study
from zsim.errors import UsageError
from zsim.report import Runs, gather, render, study_table
from zsim.report.studytable import Cell, StudyTable


def cell(table: StudyTable, label: str, metric: str) -> Cell:
    """One cell."""
    number = [what.name for what in table.measures].index(metric)
    return next(cells[number] for run, cells in table.rows if run.label == label)


def test_against_the_baseline_with_all_else_equal(runs: Runs) -> None:
    """3.0 of 4.0; fewer faults are better; the baseline itself has no ratio."""
    table = study_table(runs)
    assert cell(table, "gcc, zsmalloc, 40%", "slowdown") == Cell(3.0, 0.75, "better")
    assert cell(table, "gcc, zsmalloc, 60%", "slowdown") == Cell(2.5, 1.25, "worse")
    assert cell(table, "gcc, zsmalloc, 80%", "pgmajfault") == Cell(100, 0.5, "better")
    assert cell(table, "gcc, zbud, 40%", "slowdown") == Cell(4.0, None, "")


def test_where_there_is_nothing_to_compare_with(runs: Runs) -> None:
    """From no faults to some is worse without a ratio; a failed or missing baseline and one's own OOM leave none."""
    table = study_table(runs)
    assert cell(table, "sort, zsmalloc, 40%", "pgmajfault") == Cell(50, None, "worse")
    assert cell(table, "sort, zsmalloc, 60%", "slowdown") == Cell(1.0, None, "")
    assert cell(table, "sort, zsmalloc, 80%", "slowdown") == Cell(1.0, None, "")
    assert cell(table, "sort, zbud, 60%", "slowdown") == Cell(None, None, "")


def test_geometric_mean(runs: Runs) -> None:
    """Of the ratios that there are: 0.75, 1.25, 0.8 and 0.5 of the slowdowns."""
    mean = study_table(runs).means[0]
    assert mean.values == {"allocator": "zsmalloc"} and mean.runs == 4
    assert mean.ratios[0] == pytest.approx(sqrt(sqrt(0.75 * 1.25 * 0.8 * 0.5)), abs=1e-6)


def test_another_baseline(runs: Runs) -> None:
    """By any axis; ratios are turned round."""
    table = study_table(runs, ["slowdown"], {"allocator": "zsmalloc"})
    assert cell(table, "gcc, zbud, 40%", "slowdown") == Cell(4.0, 1.333333, "worse")
    by_memory = study_table(runs, ["slowdown"], {"memory": "40%"})
    assert cell(by_memory, "gcc, zbud, 80%", "slowdown") == Cell(1.5, 0.375, "better")
    with pytest.raises(UsageError, match="did you mean 'zsmalloc'"):
        study_table(runs, ["slowdown"], {"allocator": "zsmaloc"})


def test_a_baseline_that_stands_apart(tmp_path: Path) -> None:
    """Where no run is equal on the other axes, the only one of the trace serves all."""
    folder = write_study(tmp_path / "s", baseline={"allocator": "zbud", "memory.size": "40%"})
    table = study_table(gather(folder)[0])
    assert cell(table, "gcc, zsmalloc, 80%", "slowdown") == Cell(1.2, 0.3, "better")


def test_without_a_baseline_the_first_value_of_the_first_axis(tmp_path: Path) -> None:
    """Traces are not compared with one another."""
    assert study_table(gather(write_study(tmp_path / "s", baseline={}))[0]).baseline == {"allocator": "zbud"}


def test_text(runs: Runs) -> None:
    """Aligned; outcomes in words; what failed and why below."""
    lines = study_table(runs).to_text().splitlines()
    assert lines[0] == "Density <of> allocators (12 runs: 9 done, 1 out of memory, 1 failed, 1 missing)"
    assert lines[1].split() == ["trace", "allocator", "memory.size", "outcome", "slowdown", "[x]", "pgmajfault"]
    assert lines[5].split() == ["gcc", "zsmalloc", "40%", "done", "3", "0.750x", "+", "800", "0.800x", "+"]
    assert any(line.split()[3:6] == ["out", "of", "memory"] for line in lines)
    assert lines[-1] == f"failed: sort, zbud, 60%: {ERROR}"
    assert "ratios: to zbud with the same trace, memory.size; + better" in lines[14]


def test_csv(runs: Runs) -> None:
    """Plain numbers; nothing where nothing applies."""
    rows = list(csv.DictReader(io.StringIO(study_table(runs).to_csv())))
    assert len(rows) == 12 and list(rows[0])[:5] == ["trace", "allocator", "memory.size", "outcome", "error"]
    assert rows[3]["slowdown"] == "3.0" and rows[3]["ratio: slowdown"] == "0.75"
    assert rows[7]["error"] == ERROR and rows[7]["slowdown"] == ""


def test_json(runs: Runs) -> None:
    """One object for one or several studies."""
    stored = json.loads(render([study_table(runs)], "json"))
    (one,) = stored["studies"]
    assert stored["schema"] == 1 and one["baseline"] == {"allocator": "zbud"}
    assert one["runs"][3]["metrics"]["slowdown"] == {"value": 3.0, "ratio": 0.75, "verdict": "better"}
    assert one["runs"][7] == {
        "values": {"trace": "sort", "allocator": "zbud", "memory.size": "60%"}, "outcome": "failed", "error": ERROR,
        "metrics": {name: {"value": None, "ratio": None, "verdict": ""} for name in ("slowdown", "pgmajfault")},
    }  # fmt: skip


def test_markdown(runs: Runs) -> None:
    """A header, a rule and a row a run, with as many cells."""
    lines = [line for line in study_table(runs).to_markdown().splitlines() if line.startswith("|")]
    assert len(lines) == 14 and len({line.count("|") for line in lines}) == 1


def test_metrics_by_name(runs: Runs) -> None:
    """Any metric, any latency figure, and what is worked out from them; a wrong name has a suggestion."""
    table = study_table(runs, ["latency_ns.store.p99", "memory_spared_pages", "memory_gained_pages"])
    assert cell(table, "gcc, zsmalloc, 40%", "memory_spared_pages").value == 60
    assert cell(table, "gcc, zsmalloc, 40%", "memory_gained_pages").value == 60 - 23
    for name, message in {"slowdwn": "did you mean 'slowdown'", "latency_ns.store": "write latency_ns.KIND"}.items():
        with pytest.raises(UsageError, match=message):
            study_table(runs, [name])
