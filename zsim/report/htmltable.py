"""Tables of a page: of a study's runs, which the reader can sort, and plain ones."""

from collections.abc import Iterable, Sequence
from html import escape

from zsim.report.comparison import MARKS, NA
from zsim.report.labels import text_of
from zsim.report.runs import Run
from zsim.report.scales import Unit, scale
from zsim.report.studytable import WORDS, Cell, StudyTable, digits


def plain_table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of text; the first column names the rows."""
    body = "".join(_row(f'<th scope="row">{escape(name)}</th>', map(_cell, cells)) for name, *cells in rows)
    return _table("plain", caption, "".join(f'<th scope="col">{escape(name)}</th>' for name in headings), body)


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def study_rows(table: StudyTable) -> str:
    """The runs of a study; a button in each heading sorts by its column."""
    kinds = [""] * (len(table.headings) - len(table.measures)) + [' class="n"'] * len(table.measures)
    heads = "".join(
        f'<th scope="col"{kind}><button type="button">{escape(name)}</button></th>'
        for name, kind in zip(table.headings, kinds, strict=True)
    )
    body = "".join(_run(table, run, cells) for run, cells in table.rows)
    return _table("runs", f"{table.runs.title}: {table.summary}", heads, body)


def _table(kind: str, caption: str, heads: str, body: str) -> str:
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="{escape(caption)}"><table class="{kind}">'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def _row(head: str, cells: Iterable[str], kind: str = "") -> str:
    start = f'<tr class="{kind}">' if kind else "<tr>"
    return f"{start}{head}{''.join(cells)}</tr>\n"


def _run(table: StudyTable, run: Run, cells: Sequence[Cell]) -> str:
    places = [_place(table, run, axis) for axis in table.axes]
    ends = [f'<td class="end">{WORDS[run.outcome]}</td>'] if table.has_ends else []
    numbers = [_number(cell, unit) for cell, unit in zip(cells, table.units, strict=True)]
    return _row("", [*places, *ends, *numbers], "" if run.outcome == "done" else run.outcome)


def _place(table: StudyTable, run: Run, axis: str) -> str:
    """A run's value on an axis, sorted by where it stands on it."""
    value = run.values.get(axis)
    if value is None:
        return '<td data-v=""></td>'
    at = scale(axis, table.runs.axes[axis]).places[value]
    return f'<td data-v="{at:g}">{escape(text_of(value))}</td>'


def _number(cell: Cell, unit: Unit) -> str:
    if cell.value is None:
        return f'<td class="n" data-v="">{NA} <span class="ratio"></span></td>'
    ratio = '<span class="ratio"></span>'  # keeps the values under one another
    if cell.ratio is not None:
        said = f' title="{cell.verdict} than the baseline"' if cell.verdict else ""
        mark = MARKS[cell.verdict].strip().replace("-", "\u2212")
        ratio = f'<span class="ratio {cell.verdict}"{said}>{cell.ratio:.3f}x {mark}</span>'
    return f'<td class="n" data-v="{cell.value!r}">{digits(cell.value / unit.by)} {ratio}</td>'
