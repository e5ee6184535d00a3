"""`zsim replay`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zsim.cli.options import machine_options
from zsim.cli.watch import Watch

if TYPE_CHECKING:
    from zsim.config import Resolved


@click.command()
@click.argument("trace")
@machine_options
@click.option("--engine", default="fast", metavar="NAME", help="fast, or reference: access by access, equal results")
@click.option("--check", is_flag=True, help="audit the whole machine now and then and at the end")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="the result's directory")
@click.option("--json", "as_json", is_flag=True, help="print a JSON object")
@click.option("-q", "--quiet", is_flag=True, help="no progress, no warnings")
def replay(  # noqa: PLR0913
    trace: str, resolved: "Resolved", engine: str, check: bool, output: Path | None, as_json: bool, quiet: bool
) -> None:
    """Replay a recorded trace on a machine with compressed swap, and say what happened.

    TRACE is any file of a recording, its bare name, or - for a CSV on stdin. The result goes to
    results/<trace>-<store>-<allocator>-<digest8>/ unless -o names another directory.
    """
    with Watch(hidden=quiet or not sys.stderr.isatty()) as watch:
        from zsim import run
        from zsim.resultfiles import check_directory
        from zsim.results import as_text
        from zsim.table import table, warnings
        from zsim.traces import open_trace

        run.check_config(resolved.config)
        opened = open_trace(trace)
        directory = output or run.default_directory(opened, resolved.config)
        check_directory(directory, run.digest_of(opened, resolved.config))
        result = run.replay(opened, resolved.config, check=check, engine=engine, progress=watch)
    result.run["origins"] = resolved.origins
    try:
        result.save(directory)
    finally:  # a result that cannot be saved is still worth reading
        click.echo(as_text(result.to_json()) if as_json else table(result), nl=False)
    if not quiet:
        for line in (*(f"warning: {warning}" for warning in warnings(result)), f"result in {directory}"):
            click.echo(line, err=True)
