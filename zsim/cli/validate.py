"""`zsim validate`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from zsim.validation.cases import Failure
    from zsim.validation.compare import Comparison

FILE: Any = {"type": click.Path(path_type=Path), "metavar": "FILE"}
PAGE: Any = {"type": click.Path(path_type=Path, exists=True, dir_okay=False), "metavar": "FILE"}
SETS = ("zswap", "zswap-machine", "zswap-file")


@click.command(
    epilog="Exit status: 0 every judged case and set meets its bars, 1 one misses, 2 bad input (other cases run)."
)
@click.argument("cases", nargs=-1)
@click.option("--cases", "folder", type=click.Path(path_type=Path), metavar="DIR", help="recorded runs of your own")
@click.option("--set", "sets", multiple=True, type=click.Choice(SETS), help="only this set; may be repeated")
@click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="processes  [default: one a processor]")
@click.option("--json", "form", flag_value="json", help="print a JSON object")
@click.option("--markdown", "form", flag_value="markdown", help="print the tables of docs/validation.md")
@click.option("--update", "page", help="put those tables into a page of documentation, between its markers", **PAGE)
@click.option("--plot", "figure", help="draw the errors: .svg, .pdf or .png; the figures as CSV beside it", **FILE)
@click.option("-o", "--output", help="write everything as CSV", **FILE)
@click.option("-q", "--quiet", is_flag=True, help="no progress")
def validate(  # noqa: PLR0913
    cases: tuple[str, ...],
    folder: Path | None,
    sets: tuple[str, ...],
    jobs: int | None,
    form: str | None,
    page: Path | None,
    figure: Path | None,
    output: Path | None,
    quiet: bool,
) -> None:
    """Replay recorded kernel runs on the machine each ran on, and compare figure by figure, access by access.

    CASES are names, or patterns such as 'k61-*'; without any, all of them. The runs that come with zsim were made in
    guests with Linux 6.1 and 6.12; docs/recording-kernel-runs.md says how to record your own.
    """
    from zsim.files import around
    from zsim.resultfiles import write_text
    from zsim.style import form_of
    from zsim.validation.cases import SHIPPED, read_cases
    from zsim.validation.compare import all_met
    from zsim.validation.figure import save_figure
    from zsim.validation.output import BEGIN, END, as_csv, updated
    from zsim.validation.run import judged, replay_cases

    if figure is not None:
        form_of(figure)
    if page is not None:
        around(page.read_text(encoding="utf-8"), BEGIN, END)
    chosen, unread = read_cases(folder or SHIPPED, cases, sets)
    with click.progressbar(
        length=len(chosen), label="validate", file=sys.stderr, hidden=quiet or not sys.stderr.isatty()
    ) as bar:
        replays = replay_cases(chosen, jobs or os.cpu_count() or 1, lambda done: bar.update(1))
    comparisons, failed = judged(replays, folder or SHIPPED)
    failed = [*unread, *failed]
    _tell(comparisons, failed, form)
    if failed:
        sys.exit(2)
    if figure is not None:
        for path in save_figure(comparisons, figure):
            click.echo(path, err=True)
    if page is not None:
        write_text(page, updated(page.read_text(encoding="utf-8"), comparisons))
    if output is not None:
        write_text(output, as_csv(comparisons))
    sys.exit(not all_met(comparisons))


def _tell(comparisons: "list[Comparison]", failed: "list[Failure]", form: str | None) -> None:
    """The table or object, and a line for each case that could not be replayed."""
    from zsim.validation.output import as_json, markdown, text

    if form == "json":
        click.echo(as_json(comparisons, failed), nl=False)
    elif comparisons:
        click.echo((markdown if form else text)(comparisons), nl=False)
    for each in failed:
        click.echo(f"zsim: {each.name}: cannot be replayed: {each.why}", err=True)
