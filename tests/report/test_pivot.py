"""Small tables over a study's axes: every run in its cell, ends in words."""

from dataclasses import replace

import pytest

from zsim.errors import UsageError
from zsim.report import Runs
from zsim.report.pivot import Asked, pivot, pivots
from zsim.report.scales import short


def test_rows_columns_and_ends(runs: Runs) -> None:
    """Numbers where the runs are; OOM, failed, and nothing for what is missing."""
    found = pivot(runs, Asked(rows="allocator", columns=["trace", "memory.size"], y="slowdown"))
    assert found.headings == ["allocator", *(f"{t}, {m}" for t in ("gcc", "sort") for m in ("40%", "60%", "80%"))]
    assert found.rows == [
        ["zbud", "4", "2", "1.5", "8", "failed", ""],
        ["zsmalloc", "3", "2.5", "1.2", "4", "1", "OOM"],
    ]
    assert (found.title, found.words) == ("slowdown [x]", 1)


def test_what_is_not_named_goes_to_the_rows(runs: Runs) -> None:
    """No two runs share a cell; without columns these are the measures, the study's own where none is named."""
    found = pivot(runs, Asked(rows="memory.size", where={"trace": "gcc"}))
    assert found.headings == ["memory.size", "allocator", "slowdown [x]", "pgmajfault"]
    assert found.rows[:2] == [["40%", "zbud", "4", "1,000"], ["40%", "zsmalloc", "3", "800"]]
    assert len(found.rows) == 6


def test_several_measures_across(runs: Runs) -> None:
    """Each column says which measure, in one unit for all of its cells."""
    asked = Asked(rows="allocator", columns="memory", y=["slowdown", "pool_pages_peak"], where={"trace": "gcc"})
    assert pivot(runs, asked).headings[1:3] == ["slowdown [x], 40%", "slowdown [x], 60%"]
    assert pivot(runs, asked).headings[4] == "pool_pages_peak [KiB], 40%"
    assert pivot(runs, asked).rows[0][4] == "80"
    one = Asked(rows="allocator", columns="memory", y="pool_pages_peak", where={"trace": "gcc"}, title="Most memory")
    assert pivot(runs, one).title == "Most memory [KiB]"


def test_what_ran_out_of_memory_counts_where_asked(runs: Runs) -> None:
    """What it had done by then, marked."""
    asked = Asked(rows="allocator", columns="memory", y="pool_pages_peak", where={"trace": "sort"}, partial=True)
    assert pivot(runs, asked).rows[1][-1] == "124 (OOM)"


def test_markdown(runs: Runs) -> None:
    """A title, a rule with figures to the right, bars escaped."""
    found = pivot(
        runs, Asked(rows="allocator", y="slowdown", where={"trace": "gcc", "memory.size": "40%"}, title="A|B")
    )
    assert found.to_markdown() == (
        "A|B:\n\n| allocator | slowdown [x] |\n| --- | ---: |\n| zbud | 4 |\n| zsmalloc | 3 |\n"
    )
    assert "a\\|b" in replace(found, rows=[["a|b", "1"]]).to_markdown()


def test_of_a_study(runs: Runs) -> None:
    """Those that its file asks for, in order; a slip of the hand is named."""
    both = [{"rows": "allocator"}, {"rows": "trace", "title": "by trace"}]
    assert [table.headings[0] for table in pivots(replace(runs, tables=both))] == ["allocator", "trace"]
    with pytest.raises(UsageError, match="unknown key 'row'; did you mean 'rows'"):
        pivots(replace(runs, tables=[{"row": "allocator"}]))


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (12345.0, "12,345"), (123.4, "123"), (1.2345, "1.23"), (0.00123, "0.00123")]
)
def test_short(value: float, text: str) -> None:
    """Three digits that count, whole numbers as such."""
    assert short(value) == text
