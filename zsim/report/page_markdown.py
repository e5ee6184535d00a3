"""A page of Markdown from studies: texts, what came out, figures and tables beside it; or such parts of a page."""

import re
from collections.abc import Sequence
from os.path import relpath
from pathlib import Path

from zsim.errors import ResultError, UsageError
from zsim.report.defaults import wanted_figures
from zsim.report.figures import figure_paths, save_all
from zsim.report.pivot import pivots
from zsim.report.runs import Runs
from zsim.report.studytable import study_table
from zsim.report.words import alt_text
from zsim.resultfiles import write_text

PART = re.compile(r"^<!-- study (?P<name>\S+) -->\n(?:.*?^<!-- end -->\n)?", re.M | re.S)
"""Where a page wants the part of a study: a line, then what was put there before."""


def write_markdown(several: Sequence[Runs], path: Path, folder: Path, title: str = "") -> list[Path]:
    """Write the page, figures/*.svg and tables/*.csv of the studies into `folder`; their paths.

    A page that is there keeps its own words: a line `<!-- study NAME -->` gets the part of that study after it, up to
    `<!-- end -->`. A `UsageError` for a page without such lines, or with the name of no study.
    """
    known = {runs.name: runs for runs in several}
    page = _page(path, known, title)
    paths = save_all(list(several), folder / "figures")
    for runs in several:
        table = folder / "tables" / f"{runs.name}.csv"
        table.parent.mkdir(parents=True, exist_ok=True)
        write_text(table, study_table(runs).to_csv())
        paths.append(table)
    write_text(path, PART.sub(lambda part: _part(known[part["name"]], path, folder), page))
    return [path, *paths]


def _page(path: Path, known: dict[str, Runs], title: str) -> str:
    """The page with its lines to fill; a new one has a line for each study."""
    if not path.exists():
        title = title or (next(iter(known.values())).title if len(known) == 1 else "Studies")
        return f"# {title}\n" + "".join(f"\n<!-- study {name} -->\n" for name in known)
    try:
        page = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{path}: {error}") from None
    names = [part["name"] for part in PART.finditer(page)]
    if not names:
        raise UsageError(f"{path} exists and has no line <!-- study NAME --> to put a study after; give another name")
    for name in names:
        if name not in known:
            raise UsageError(f"{path}: no study {name!r} here (known: {', '.join(known)})")
    return page


def _part(runs: Runs, path: Path, folder: Path) -> str:
    """A study: heading, text, what came out, figures, tables, and where all of its numbers are."""
    near = Path(relpath(folder, path.parent)).as_posix()
    figures = zip(figure_paths(runs, Path(near) / "figures", "svg"), wanted_figures(runs), strict=True)
    pictures = [f"![{alt_text(runs.where(wanted.where), wanted)}]({file.as_posix()})" for file, wanted in figures]
    table = study_table(runs)
    numbers = f"[All numbers]({near}/tables/{runs.name}.csv) ({table.summary})."
    parts = [f"## {runs.title}", runs.text.strip(), runs.finding.strip(), *pictures]
    parts += [each.to_markdown().strip() for each in pivots(runs)]
    body = "\n\n".join(part for part in [*parts, numbers] if part)
    return f'<!-- study {runs.name} -->\n<a id="{runs.name}"></a>\n\n{body}\n<!-- end -->\n'
