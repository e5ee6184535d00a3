"""`zsim sweep`."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zsim.cli.options import layer_options
from zsim.cli.stop import Stop

if TYPE_CHECKING:
    from zsim.batch import Batch
    from zsim.config import Layer
    from zsim.executors import Pool


class Shard(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic since click 8.2
    """K/N: part K of N."""

    name = "k/n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """(k, n), 1 <= k <= n."""
        part, _, parts = str(value).partition("/")
        if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
            self.fail(f"{value!r} is not a part such as 1/3, 2/3 or 3/3", param, ctx)
        return int(part), int(parts)


@click.command(epilog="Exit status: 0 all runs are done, 1 a run failed, 2 bad input, 130 or 143 stopped by a signal.")
@click.argument("study", type=click.Path(path_type=Path))
@layer_options
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="folder of the results")
@click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="processes  [default: one a processor]")
@click.option("--dask", metavar="ADDRESS", help="run on the Dask cluster of this scheduler")
@click.option("--shard", type=Shard(), default="1/1", metavar="K/N", help="only part K of N of the runs")
@click.option("--fail-fast", is_flag=True, help="stop at the first run that fails")
@click.option("-n", "--dry-run", is_flag=True, help="say what would run and why, and run nothing")
@click.option("--json", "as_json", is_flag=True, help="print a JSON object")
@click.option("-q", "--quiet", is_flag=True, help="no progress, no warnings")
def sweep(  # noqa: PLR0913
    study: Path,
    layers: "list[Layer]",
    output: Path | None,
    jobs: int | None,
    dask: str | None,
    shard: tuple[int, int],
    fail_fast: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run all configurations of a study, as many at a time as there are processors.

    STUDY is a TOML file (docs/sweeps.md), or a folder of them. The results go to results/<name of STUDY>/. Runs that
    are done are not run again: a sweep that was stopped, or killed, goes on when it is started again. Options such as
    --memory or --set are above the study's [base] and below its axes.
    """
    from zsim.results import as_text
    from zsim.sweeptable import results_text, why_text

    stop, batch = Stop(), None
    try:
        with stop:
            batch = _batch(study, layers, output, shard, quiet)
            stop.check()
            if not dry_run:
                _execute(batch, jobs, dask, stop, fail_fast, quiet)
    except KeyboardInterrupt:
        done = f"; {_progress(batch)}, the same command goes on from there" if batch else ""
        click.echo(f"zsim: stopped{done}", err=True)
        sys.exit(stop.status)
    if dry_run:
        click.echo(as_text(batch.why_json()) if as_json else why_text(batch), nl=False)
        return
    click.echo(as_text(batch.to_json()) if as_json else results_text(batch), nl=False)
    if batch.failed:
        click.echo(f"zsim: {batch.failed} failed; {_progress(batch)}, the next sweep tries the others again", err=True)
        sys.exit(1)
    if not quiet:
        click.echo(f"{_progress(batch)}, in {batch.folder}", err=True)


def _batch(study: Path, layers: "list[Layer]", output: Path | None, shard: tuple[int, int], quiet: bool) -> "Batch":
    from zsim.batch import Batch, default_folder
    from zsim.study import load_plans

    folder = output or default_folder(study)
    plans = load_plans(study, folder, layers)
    for warning in (warning for plan in plans for warning in plan.warnings):
        if not quiet:
            click.echo(f"warning: {warning}", err=True)
    return Batch(plans, folder, shard)


def _execute(batch: "Batch", jobs: int | None, dask: str | None, stop: Stop, fail_fast: bool, quiet: bool) -> None:
    """Run what is to be run, with a bar where stderr is a terminal."""
    look: Any = {"length": len(batch.todo), "label": "sweep", "show_pos": True, "item_show_func": _running}
    with (
        _pool(batch, jobs, dask) as pool,
        closing(batch.execute(pool)) as running,
        click.progressbar(**look, file=sys.stderr, hidden=quiet or not sys.stderr.isatty()) as bar,
    ):
        for ended in running:
            stop.check()
            bar.update(1, batch)
            if fail_fast and ended.outcome == "failed":
                return


def _running(batch: "Batch | None") -> str | None:
    return None if batch is None else f"{batch.running} running"


@contextmanager
def _pool(batch: "Batch", jobs: int | None, dask: str | None) -> "Iterator[Pool]":
    from zsim.executors import Given, Processes, dask_executor, processors

    if dask is None:
        yield Processes(min(jobs or processors(), len(batch.todo) or 1))
    else:
        with dask_executor(dask) as executor:
            yield Given(executor)


def _progress(batch: "Batch") -> str:
    return f"{batch.done} of {len(batch.runs)} runs are done"
