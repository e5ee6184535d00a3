"""`zsim compare`, `zsim plot` and `zsim report`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from zsim.report import Runs

FILE = click.Path(path_type=Path)
FIGURE: Any = {"type": FILE, "metavar": "FILE"}


def _results(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--study", default="", metavar="NAME", help="one study of a folder with several")(command)
    return click.argument("results", nargs=-1, required=True, type=FILE, metavar="RESULT...")(command)


@click.command()
@_results
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="a metric to show; repeat for more")
@click.option("--all", "everything", is_flag=True, help="every metric, not only the telling ones")
@click.option("--baseline", multiple=True, metavar="AXIS=VALUE", help="compare with the runs that have this value")
@click.option("--csv", "form", flag_value="csv", help="print CSV")
@click.option("--json", "form", flag_value="json", help="print a JSON object")
@click.option("--markdown", "form", flag_value="markdown", help="print a Markdown table")
@click.option("-o", "--output", help="draw the ratios of results: .svg, .pdf or .png", **FIGURE)
def compare(  # noqa: PLR0913
    results: Sequence[Path],
    study: str,
    metrics: Sequence[str],
    everything: bool,
    baseline: Sequence[str],
    form: str | None,
    output: Path | None,
) -> None:
    """Compare results side by side; the first is the baseline. Of a study, every run with its study's baseline.

    RESULT is a result's directory, a folder with results below it, or a study's folder.
    """
    from zsim import report

    several, against = _gather(results, study), _pairs("--baseline", baseline)
    if several[0].is_study:
        tables = [report.study_table(runs, metrics, against, everything) for runs in several]
        click.echo(report.render(tables, form or "text"), nl=False)
    else:
        runs = several[0].led_by(against)
        click.echo(report.compare(runs.results, everything, metrics).render(form or "text"), nl=False)
    if output is not None:
        _say(report.save_figure(several[0].led_by(against), output, "compare"), err=True)


@click.command()
@_results
@click.option("--kind", default="", metavar="KIND", help="axis, pareto, heatmap, cdf, evictions, time, compare")
@click.option("--x", default="", metavar="AXIS", help="the axis to draw against (pareto: what is saved)")
@click.option("--y", multiple=True, metavar="METRIC", help="what is drawn; repeat for more panels")
@click.option("--series", multiple=True, metavar="AXIS", help="the axis whose values are lines (heatmap: rows)")
@click.option("--where", multiple=True, metavar="AXIS=VALUE[,VALUE]", help="only the runs with this value")
@click.option("--title", default="", help="above the figure")
@click.option("--format", "form", default="svg", type=click.Choice(["svg", "pdf", "png"]), help="where -o names none")
@click.option("-o", "--output", help="a name ending in .svg, .pdf or .png", **FIGURE)
def plot(
    results: Sequence[Path], study: str, kind: str, where: Sequence[str], form: str, output: Path | None, **choices: Any
) -> None:
    """Draw a study, a result over time, or several results side by side.

    Without --kind a study draws the figures its file asks for into figures/ of its folder; anything else goes to FILE,
    or to KIND.svg in the result's or study's folder (several results: in this one). The data goes beside it as CSV.
    """
    from zsim import report

    several = _gather(results, study)
    choices = {name: value for name, value in choices.items() if value}
    choices |= {"where": _lists(_pairs("--where", where))} if where else {}
    folder = results[0] if len(results) == 1 and results[0].is_dir() and _is_one_place(several) else Path()
    if several[0].is_study and not kind and not choices and output is None:
        _say(report.save_all(several, folder / "figures", form))
        return
    runs = report.choose(several, study)
    wanted = report.wanted_of(runs, kind, **choices)
    _say(report.save(runs, wanted, output or folder / f"{wanted.kind}.{form}"))


@click.command(name="report")
@_results
@click.option("-o", "--output", help="the page; default: report.html in the study's folder", **FIGURE)
@click.option("--title", default="", help="of the page")
def report_(results: Sequence[Path], study: str, output: Path | None, title: str) -> None:
    """Write a page of a study, or of results: texts, figures, tables, configuration.

    FILE.html is one self-contained page. FILE.md is Markdown, with figures/ and tables/ in the study's folder; where it
    exists, only what stands between the lines <!-- study NAME --> and <!-- end --> is replaced.
    """
    from zsim import report

    several = _gather(results, study)
    folder = results[0] if len(results) == 1 and results[0].is_dir() else Path()
    path = output or folder / "report.html"
    title = title or (folder.resolve().name if len(several) > 1 else "")
    if path.suffix.lower() == ".md":
        _say(report.write_markdown(several, path, folder, title))
    else:
        _say([report.write_report(several, path, title)])


def _gather(paths: Sequence[Path], study: str) -> "list[Runs]":
    from zsim import report

    several = report.gather_paths(paths)
    return [report.choose(several, study)] if study else several


def _is_one_place(several: "list[Runs]") -> bool:
    return several[0].is_study or len(several[0].runs) == 1


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """AXIS=VALUE as given on the command line."""
    pairs = [text.partition("=") for text in given]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise click.UsageError(f"{option} {name}{equals}{value}: expected AXIS=VALUE, such as allocator=zbud")
    return {name: value for name, _, value in pairs}


def _lists(pairs: dict[str, str]) -> dict[str, list[str]]:
    return {name: value.split(",") for name, value in pairs.items()}


def _say(paths: Sequence[Path], err: bool = False) -> None:
    for path in paths:
        click.echo(path, err=err)
