"""File runs that are not among the cases: what is written in docs/validation.md is what a replay gives."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "file_totals.py"))
BARS = {"classic": 0.05, "mglru": 0.15}


@pytest.mark.parametrize("number", [1, 7, 9], ids=["swappiness 100", "written", "written, MGLRU"])
def test_docs_are_current(number: int) -> None:
    """One with another swappiness, and files that are written to with both policies."""
    run = SCRIPT["RUNS"][number]
    row = "".join(SCRIPT["rows"]((run,)))
    assert row in (ROOT / "docs" / "validation.md").read_text(), "run benchmarks/file_totals.py --update"
    errors = [float(cell.strip(" +%")) / 100 for cell in row.split("|") if "%" in cell]
    assert len(errors) == 2
    assert max(map(abs, errors)) <= BARS["mglru" if "mglru" in run.case else "classic"]
