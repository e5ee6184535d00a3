"""What `zsim validate` prints: a table of two lines a case, the object of --json, a table for docs, one for CSV."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from zsim.files import around
from zsim.validation.cases import Case, Failure
from zsim.validation.compare import Comparison, Summary, error_of, summaries
from zsim.validation.replay import Replayed

SCHEMA = 1
FIGURES = (
    "faults", "pswpin", "pswpout", "zswpin", "zswpout", "stored_pages", "pool_pages", "written_back_pages",
    "resident_pages",
)  # fmt: skip
"""What --json gives of both sides."""

SHOWN = {
    "faults": "faults",
    "zswpin": "zswpin",
    "zswpout": "zswpout",
    "pswpin": "pswpin",
    "pswpout": "pswpout",
    "stored_pages": "stored",
    "pool_pages": "pool",
    "written_back_pages": "written",
    "rejects": "rejects",
    "resident_pages": "resident",
}
SOME = {"anon_faults": "anon", "file_faults": "file", "free_pages": "free"}
"""Figures that only some sets have."""

LEGEND = """faults: major faults after the fill; same: share of accesses after it with the same outcome. In a kernel's
line these two say how far its own repeats differ. Other counters are of the whole run, pages at its end."""


def text(comparisons: Sequence[Comparison]) -> str:
    """The table a person reads, and the summary of each set below it."""
    blocks = [_table(name, list(cases)) for name, cases in _by_set(comparisons)]
    return "\n".join([*blocks, *map(summary_line, summaries(comparisons)), "", LEGEND, ""])


def _by_set(comparisons: Sequence[Comparison]) -> Iterator[tuple[str, list[Comparison]]]:
    for name in dict.fromkeys(each.case.set for each in comparisons):
        yield name, [each for each in comparisons if each.case.set == name]


def _table(name: str, comparisons: list[Comparison]) -> str:
    columns = SHOWN | {key: label for key, label in SOME.items() if any(key in c.replayed.kernel for c in comparisons)}
    width = max(len(each.case.name) for each in comparisons)
    head = f"{name:{width}}  {'':6}  {'error':>7}  {'same':>6}"
    lines = [head + "".join(f"  {label:>8}" for label in columns.values())]
    for each in comparisons:
        repeat = (f"{each.repeat.faults:.1%}", f"{each.repeat.same:.1%}") if each.repeat else ("", "")
        own = (f"{each.error:+.1%}", f"{each.replayed.same_outcome:.1%}")
        lines.append(_line(each.case.name, width, "kernel", repeat, [each.replayed.kernel.get(key) for key in columns]))
        lines.append(_line("", width, "zsim", own, [each.replayed.zsim.get(key) for key in columns]))
        lines.append(f"  {each.verdict}")
    return "\n".join([*lines, ""])


def _line(name: str, width: int, side: str, shares: tuple[str, str], figures: list[int | None]) -> str:
    cells = "".join(f"  {'' if figure is None else figure:>8}" for figure in figures)
    return f"{name:{width}}  {side:6}  {shares[0]:>7}  {shares[1]:>6}{cells}"


def summary_line(summary: Summary) -> str:
    """A set in one line."""
    if not summary.judged:
        return f"{summary.set}: {summary.reported} cases reported, none judged"
    return (
        f"{summary.set}: {summary.judged} cases judged, {summary.reported} reported; error of faults: median "
        f"{summary.median:.2%}, nine in ten within {summary.nine_in_ten:.2%}, worst {summary.worst:.2%}; same outcome: "
        f"median {summary.same_median:.1%}, least {summary.same_least:.1%}; "
        + ("misses " + ", ".join(summary.misses) if summary.misses else "meets its bars")
        + f"; {summary.missing_cases} cases miss theirs"
    )


def as_json(comparisons: Iterable[Comparison], failures: Iterable[Failure] = ()) -> str:
    """One object; `cases` in the order of the table, `failed` those that could not be replayed."""
    cases = [_as_object(each) for each in comparisons]
    failed = [{"name": each.name, "why": each.why} for each in failures]
    return json.dumps({"schema": SCHEMA, "cases": cases, "failed": failed}, indent=1) + "\n"


def _as_object(each: Comparison) -> dict[str, Any]:
    replayed = each.replayed
    sides = {"kernel": replayed.kernel, "zsim": replayed.zsim}
    return {
        "name": each.case.name,
        "set": each.case.set,
        **{side: {name: figures[name] for name in FIGURES} for side, figures in sides.items()},
        "same_outcome": round(replayed.same_outcome, 6),
        "outcome": replayed.outcome,
        "error": round(each.error, 6),
        "verdict": each.verdict,
        "repeat": each.repeat._asdict() if each.repeat else None,
        "more": {side: {k: v for k, v in figures.items() if k not in FIGURES} for side, figures in sides.items()},
    }


def markdown(comparisons: Sequence[Comparison]) -> str:
    """The tables of docs/validation.md."""
    return "\n".join(_markdown_table(name, cases) for name, cases in _by_set(comparisons))


BEGIN, END = "<!-- zsim validate: begin -->\n", "<!-- zsim validate: end -->"


def updated(page: str, comparisons: Sequence[Comparison]) -> str:
    """A page of documentation with new tables between its two markers."""
    before, after = around(page, BEGIN, END)
    return before + BEGIN + markdown(comparisons) + END + after


def _markdown_table(name: str, comparisons: list[Comparison]) -> str:
    rows = [
        f"### {name}", "", summary_line(summaries(comparisons)[0]) + ".", "",
        "| case | faults, kernel | zsim | error | repeat | same | repeat | worst counter | pool | verdict |",
        "|---|--:|--:|--:|--:|--:|--:|---|--:|---|",
    ]  # fmt: skip
    return "\n".join([*rows, *map(markdown_row, comparisons), ""])


def markdown_row(each: Comparison) -> str:
    """One case as a row of the tables."""
    kernel, zsim = each.replayed.kernel, each.replayed.zsim
    repeat = (f"{each.repeat.faults:.2%}", f"{each.repeat.same:.1%}") if each.repeat else ("", "")
    cells = (
        each.case.name, kernel["faults"], zsim["faults"], f"{each.error:+.2%}", repeat[0],
        f"{each.replayed.same_outcome:.1%}", repeat[1], _largest(each.replayed), _pool(each.replayed), each.verdict,
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _largest(replayed: Replayed) -> str:
    """The swap counter that is farthest from the kernel's, in pages."""
    names = [
        name for name in ("zswpin", "zswpout", "pswpin", "pswpout") if replayed.kernel[name] or replayed.zsim[name]
    ]
    if not names:
        return ""
    worst = max(names, key=lambda name: abs(replayed.zsim[name] - replayed.kernel[name]))
    return f"{worst} {replayed.kernel[worst]} > {replayed.zsim[worst]}"


def _pool(replayed: Replayed) -> str:
    return f"{error_of(replayed, 'pool_pages'):+.1%}" if replayed.kernel["pool_pages"] else ""


def as_csv(comparisons: Sequence[Comparison]) -> str:
    """Everything, a row a case."""
    names = [*SHOWN, *SOME]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    sides = [f"{side}_{name}" for name in names for side in ("kernel", "zsim")]
    writer.writerow(["set", "case", "error", "same_outcome", "repeat_faults", "repeat_same", *sides, "verdict"])
    for each in comparisons:
        case: Case = each.case
        repeat = each.repeat or ("", "")
        figures = [side.get(name, "") for name in names for side in (each.replayed.kernel, each.replayed.zsim)]
        same = round(each.replayed.same_outcome, 6)
        writer.writerow([case.set, case.name, round(each.error, 6), same, *repeat, *figures, each.verdict])
    return out.getvalue()
