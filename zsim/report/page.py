"""One self-contained HTML page of studies: summary, texts, figures, tables, configuration, provenance.

Nothing is loaded from anywhere, and the same results give the same bytes.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from zsim.errors import UsageError
from zsim.report.configuration import (
    axes_rows,
    following_settings,
    provenance_rows,
    run_rows,
    shared_settings,
    trace_rows,
)
from zsim.report.defaults import wanted_figures
from zsim.report.figures import draw
from zsim.report.htmltable import plain_table, study_rows
from zsim.report.markdown import to_html
from zsim.report.pivot import pivots
from zsim.report.runs import Runs
from zsim.report.studytable import StudyTable, study_table
from zsim.report.svg import inline_svg
from zsim.report.wanted import Wanted
from zsim.report.words import alt_text, caption_of, findings
from zsim.resultfiles import write_text

DATA_MAX_BYTES = 200_000
"""Larger tables are not put into the page: `zsim plot` writes them."""


def write_report(several: Sequence[Runs], path: str | Path, title: str = "") -> Path:
    """Write the page; its path."""
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{path}: a report's name ends in .html or .md")
    write_text(Path(path), report_html(several, title))
    return Path(path)


def report_html(several: Sequence[Runs], title: str = "") -> str:
    """The page as text."""
    title = title or (several[0].title if len(several) == 1 else "Studies")
    tables = [study_table(runs) for runs in several]
    sections = "".join(_study(table, number) for number, table in enumerate(tables, 1))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_part('page.css')}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1></header>\n<main>\n{_summary(tables)}{sections}{_provenance(several)}</main>\n"
        f"<script>\n{_part('page.js')}</script>\n</body>\n</html>\n"
    )


def _part(name: str) -> str:
    return files("zsim.report").joinpath(name).read_text(encoding="utf-8")


def _summary(tables: Sequence[StudyTable]) -> str:
    """What each study found, in a sentence or two."""
    items = "".join(
        f'<li><a href="#study-{number}">{escape(table.runs.title)}</a> '
        f'<span class="quiet">{escape(table.summary)}</span>{_list(findings(table))}</li>\n'
        for number, table in enumerate(tables, 1)
    )
    return f'<nav aria-labelledby="summary"><h2 id="summary">Summary</h2>\n<ol class="summary">\n{items}</ol></nav>\n'


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _study(table: StudyTable, number: int) -> str:
    runs, name = table.runs, f"study-{number}"
    figures = "".join(_figure(runs, wanted, f"{name}-{i}") for i, wanted in enumerate(wanted_figures(runs), 1))
    return (
        f'<section id="{name}" aria-labelledby="{name}-name"><h2 id="{name}-name">{escape(runs.title)}</h2>\n'
        f'<div class="text">{to_html(runs.text, below=2)}{to_html(runs.finding, below=2)}</div>\n'
        f"{figures}{_tables(runs)}"
        f"<h3>Runs</h3>\n{study_rows(table)}{_notes(table)}{_failures(table)}{_configuration(runs)}</section>\n"
    )


def _tables(runs: Runs) -> str:
    """The small tables that the author asks for."""
    try:
        return "".join(plain_table(each.title, each.headings, each.rows) for each in pivots(runs))
    except UsageError as error:
        return f'<p class="failed">This table cannot be made: {escape(str(error))}</p>\n'


def _figure(runs: Runs, wanted: Wanted, name: str) -> str:
    """A figure with its caption and its numbers; what cannot be drawn says why in its place."""
    try:
        data, drawn = draw(runs, wanted.untitled)
    except UsageError as error:
        return f'<p class="failed">This figure cannot be drawn: {escape(str(error))}</p>\n'
    shown = runs.where(wanted.where)
    text = data.to_csv().encode()
    link = f' <a download="{runs.name}-{name[-1]}.csv" href="data:text/csv;base64,{b64encode(text).decode()}">data</a>'
    return (
        f"<figure>\n{inline_svg(drawn, name, escape(alt_text(shown, wanted)))}\n"
        f"<figcaption>{caption_of(shown, wanted)}{link if len(text) <= DATA_MAX_BYTES else ''}</figcaption></figure>\n"
    )


def _notes(table: StudyTable) -> str:
    if not table.baseline:
        return ""
    signs = "+ better, \u2212 worse by the metric\u2019s own direction"
    return f'<p class="quiet">{escape(table.said_baseline)}; {signs}.</p>\n'


def _failures(table: StudyTable) -> str:
    if not table.failures:
        return ""
    rows = "".join(f"<dt>{escape(label)}</dt><dd><pre>{escape(error)}</pre></dd>" for label, error in table.failures)
    return f'<h3>Runs that failed</h3>\n<dl class="failed">{rows}</dl>\n'


def _configuration(runs: Runs) -> str:
    """What the runs share that is no default, their axes, and what follows from these."""
    tables = [
        ("Axes", ("axis", "values", "unit"), axes_rows(runs)),
        ("Shared by all runs, where it is not the default", ("key", "value", "default"), shared_settings(runs.results)),
        ("Varies along with the axes", ("key", "values"), following_settings(runs)),
    ]
    shown = "".join(plain_table(caption, heads, rows) for caption, heads, rows in tables if rows)
    return f"<details><summary><h3>Configuration</h3></summary>\n{shown}</details>\n"


def _provenance(several: Sequence[Runs]) -> str:
    """Versions, seeds, traces, and the digest of each run."""
    results = [result for runs in several for result in runs.results]
    if not results:
        return ""
    traces = plain_table("Traces", ("trace", "accesses", "footprint", "tasks", "K", "digest"), trace_rows(results))
    digests = "".join(plain_table(runs.title, ("run", "outcome", "digest"), run_rows(runs)) for runs in several)
    return (
        '<section aria-labelledby="provenance"><h2 id="provenance">Provenance</h2>\n'
        f"{plain_table('Versions and seeds', ('what', 'value'), provenance_rows(results))}{traces}"
        f"<details><summary>Digests of the runs</summary>\n{digests}</details></section>\n"
    )
