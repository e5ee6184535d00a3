"""`zsim compare` and `zsim plot`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from zsim.results import Result

FILE = click.Path(path_type=Path)
FIGURE: Any = {"type": FILE, "metavar": "FILE"}


def _results(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("results", nargs=-1, required=True, type=FILE, metavar="RESULT...")(command)


@click.command()
@_results
@click.option("--all", "everything", is_flag=True, help="every metric, not only the telling ones")
@click.option("--csv", "form", flag_value="csv", help="print CSV")
@click.option("--json", "form", flag_value="json", help="print a JSON object")
@click.option("--markdown", "form", flag_value="markdown", help="print a Markdown table")
@click.option("-o", "--output", help="draw the ratios: .svg, .pdf or .png", **FIGURE)
def compare(results: Sequence[Path], everything: bool, form: str | None, output: Path | None) -> None:
    """Compare results side by side; the first is the baseline.

    RESULT is a result's directory, or a folder with results below it.
    """
    from zsim import report

    loaded = _load(results)
    click.echo(report.compare(loaded, everything).render(form or "text"), nl=False)
    if output is not None:
        _say(report.save_figure(loaded, output, "compare"), err=True)


@click.command()
@_results
@click.option("--kind", metavar="KIND", help="time (one result), latency, compare (several); default: by their number")
@click.option("-o", "--output", help="a name ending in .svg, .pdf or .png", **FIGURE)
def plot(results: Sequence[Path], kind: str | None, output: Path | None) -> None:
    """Draw a result over time, its latencies, or several results side by side.

    The figure goes to FILE, or to KIND.svg in the result's directory (several: in this one); its data beside it as CSV.
    """
    from zsim import report

    loaded = _load(results)
    kind = kind or ("time" if len(loaded) == 1 else "compare")
    folder = results[0] if len(loaded) == 1 and results[0].is_dir() else Path()
    _say(report.save_figure(loaded, output or folder / f"{kind}.svg", kind))


def _load(paths: Sequence[Path]) -> "list[Result]":
    from zsim.resultfiles import find_results
    from zsim.results import Result

    return [Result.load(found) for path in paths for found in find_results(path)]


def _say(paths: Sequence[Path], err: bool = False) -> None:
    for path in paths:
        click.echo(path, err=err)
