"""Pages of Markdown: whole new ones, and parts of a page whose own words stay."""

import re
from pathlib import Path

import pytest

from tests.report.handmade import write_study
from zsim.errors import UsageError
from zsim.report import gather, write_markdown

ASKED = {
    "text": "The **claim**.", "finding": "It holds.", "tables": [{"rows": "allocator", "where": {"trace": "gcc"}}],
    "figures": [{"kind": "axis", "title": "Slowdown", "y": "slowdown"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that asks for a table and a figure."""
    return write_study(tmp_path_factory.mktemp("studies") / "density", **ASKED)


def test_a_new_page(study: Path, tmp_path: Path) -> None:
    """Text, finding, figures, tables in this order; every link leads to a file that was written."""
    page = tmp_path / "page.md"
    written = write_markdown(gather(study), page, study)
    text = page.read_text()
    order = ["# Density", "## Density", "The **claim**.", "It holds.", "![Slowdown", "| allocator |", "[All numbers]"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) == 2 and all((page.parent / link).resolve() in written for link in links)


def test_words_of_a_page_stay(study: Path, tmp_path: Path) -> None:
    """What is between the marks is replaced, all else is as it was; twice is the same as once."""
    page = tmp_path / "page.md"
    page.write_text("Mine.\n\n<!-- study density -->\nstale\n<!-- end -->\nAnd mine.\n")
    write_markdown(gather(study), page, study)
    once = page.read_text()
    assert once.startswith("Mine.\n\n<!-- study density -->\n") and once.endswith("<!-- end -->\nAnd mine.\n")
    assert "stale" not in once and "It holds." in once
    write_markdown(gather(study), page, study)
    assert page.read_text() == once


@pytest.mark.parametrize(
    ("words", "message"), [("Mine.\n", "no line <!-- study NAME -->"), ("<!-- study dense -->\n", "known: density")]
)
def test_a_page_of_something_else(study: Path, tmp_path: Path, words: str, message: str) -> None:
    """It is left alone, with a word of why."""
    page = tmp_path / "page.md"
    page.write_text(words)
    with pytest.raises(UsageError, match=message):
        write_markdown(gather(study), page, study)
    assert page.read_text() == words
