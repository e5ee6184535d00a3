"""The page of a study: whole, well-formed, from nowhere else, the same for the same results."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.report.handmade import write_study
from tests.results import busy_result
from zsim.errors import UsageError
from zsim.report import Runs, gather, report_html, write_report
from zsim.report.markdown import to_html
from zsim.report.svg import inline_svg

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a page holds, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of SVG that is closed at once."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """The innermost open element ends."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text of the innermost open element."""
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such element."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="session")
def html(runs: Runs) -> str:
    """The page of the study made by hand."""
    return report_html([runs])


def test_well_formed(html: str) -> None:
    """Every element is closed in its order, every id is there once, every reference within the page leads somewhere."""
    page = Page(html)
    assert page.open == [] and html.startswith("<!DOCTYPE html>")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)|aria-labelledby="([^"]+)"', html)
    assert targets and {name for names in targets for name in names if name} <= set(ids)


def test_nothing_from_elsewhere(html: str) -> None:
    """No file, script, style, font or picture is loaded; what a study's text says runs nothing."""
    page = Page(html)
    assert not page.all("link") and not page.all("img") and not page.all("iframe")
    assert all("src" not in attributes for _, attributes in page.tags)
    assert "@import" not in html and not re.findall(r"url\((?!#)", html)
    links = [str(attributes.get("href")) for attributes in page.all("a")]
    assert links and all(link.startswith(("#", "data:text/csv;base64,")) for link in links)
    assert len(page.all("script")) == 1 and "alert(1)" not in "".join(page.texts["script"])


def test_headings_captions_and_descriptions(html: str) -> None:
    """One h1, then levels in order; a caption for each table, a title and a caption for each figure."""
    page = Page(html)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    assert (
        len(page.all("table")) == len(page.all("caption"))
        and len(page.all("figure")) == len(page.all("figcaption")) == 2
    )
    assert all(attributes["role"] == "img" for attributes in page.all("svg"))
    assert page.all("html")[0]["lang"] == "en"


def test_the_table_of_runs(html: str) -> None:
    """A row a run, with values to sort by; how each ended; what failed and why."""
    body = html[html.index('<table class="runs">') : html.index("</table>")]
    rows = re.findall(r"<tr.*?</tr>", body)[1:]
    assert len(rows) == 12 and body.count("<button") == 6
    assert re.findall(r'data-v="([^"]*)"', rows[3]) == ["0", "1", "40", "3.0", "800"]
    assert "0.750x +" in rows[3] and 'class="ratio better"' in rows[3]
    assert rows[7].startswith('<tr class="failed">') and "n/a" in rows[7]
    assert "OSError: &lt;no space&gt; left &amp; gone" in html


def test_what_the_study_says(html: str) -> None:
    """Title and text, escaped; the best and the worst run; the mean ratio; the axes; the traces."""
    assert "<h1>Density &lt;of&gt; allocators</h1>" in html and "<strong>claim</strong>" in html
    assert "slowdown: 1x (sort, zsmalloc, 60%) to 8x (sort, zbud, 40%)" in html
    assert "zsmalloc to zbud: slowdown 0.783x, pgmajfault" in html and "geometric means of 4 runs" in html
    assert "<td>40%, 60%, 80%</td>" in html and "<td>400 KiB</td>" in html
    assert "12 runs: 9 done, 1 out of memory, 1 failed, 1 missing" in html


def test_same_results_same_page(study: Path, tmp_path: Path) -> None:
    """To the byte, wherever the study lies; and nothing else is written."""
    paths = [write_report(gather(folder), tmp_path / f"{n}.html") for n, folder in
             enumerate([study, write_study(tmp_path / "elsewhere")])]  # fmt: skip
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"0.html", "1.html", "elsewhere"}


def test_several_studies(tmp_path: Path) -> None:
    """One section each, found from the summary; a figure that cannot be drawn says why and stops nothing."""
    figures = {"one": [{"kind": "heatmap", "x": "allocator", "series": "trace"}], "two": [{"kind": "evictions"}]}
    both = [gather(write_study(tmp_path / name, name=name, figures=own))[0] for name, own in figures.items()]
    html = report_html(both, "All of it")
    assert "<h1>All of it</h1>" in html and 'href="#study-2"' in html and '<section id="study-2"' in html
    assert "This figure cannot be drawn: one: a heatmap has two axes" in html and html.count("<figure>") == 1
    assert Page(html).open == []


def test_results_that_somebody_gave() -> None:
    """They have a page, too."""
    html = report_html(gather([busy_result(), busy_result(allocator="zsmalloc")]), "Two")
    assert Page(html).open == [] and html.count("<figure>") == 1 and "zsmalloc" in html


def test_a_study_with_nothing_done(tmp_path: Path) -> None:
    """All missing: a page that says so."""
    folder = write_study(tmp_path / "s")
    for file in (folder / "runs").glob("*/*"):
        file.unlink()
    html = report_html(gather(folder))
    assert "12 runs: 12 missing" in html and Page(html).open == []


def test_the_page_needs_a_name_of_its_own(runs: Runs, tmp_path: Path) -> None:
    """Not that of something else."""
    with pytest.raises(UsageError, match=r"ends in \.html"):
        write_report([runs], tmp_path / "r.pdf")


def test_figures_follow_the_theme() -> None:
    """Black and the palette are variables of the page; ids have the figure's name; the page says each colour twice."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(2, 2))
    drawing.subplots().plot([1, 2], color="#0072B2")
    svg = inline_svg(drawing, "f1", "A line")
    assert "var(--blue)" in svg and "var(--ink)" in svg and "#0072b2" not in svg and "#000000" not in svg
    assert svg.startswith("<svg ") and '<title id="f1-title">A line</title>' in svg and "xmlns" not in svg
    assert all(name.startswith("f1-") for name in re.findall(r'\bid="([^"]+)"', svg))
    css = (Path(__file__).parents[2] / "zsim/report/page.css").read_text()
    used = set(re.findall(r"var\(--(\w+)\)", svg + css))
    assert all(css.count(f"--{name}:") == 2 for name in used)


def test_markdown() -> None:
    """Headings below the section's, tables; no raw HTML, no pictures, no scripts in links."""
    assert to_html("# Claim\n\ntext", below=2) == "<h3>Claim</h3>\n<p>text</p>\n"
    assert "<table>" in to_html("| a | b |\n| - | - |\n| 1 | 2 |", below=2)
    shown = to_html("<b>x</b> ![alt](http://x.org/a.png) [run](javascript:alert)", below=2)
    assert "alt" in shown and "<b>" not in shown and "<img" not in shown and 'href="javascript' not in shown
