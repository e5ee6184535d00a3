"""`zsim advise`."""

import sys
from pathlib import Path

import click

from zsim.cli.watch import Watch


@click.command()
@click.argument("trace")
@click.option(
    "--memory", default="50%", metavar="SIZE", show_default=True, help="RAM: 64M, or a share of the footprint"
)
@click.option("--swap", default="nvme", metavar="NAME", show_default=True, help="swap device (zsim list devices)")
@click.option(
    "--era", default="6.12", metavar="KERNEL", show_default=True, help="kernel that it is for (zsim list eras)"
)
@click.option("--max-slowdown", metavar="SHARE", help="allowed, such as 5%; default: what plain swap takes at --memory")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="any other key of the configuration")
@click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="processes; default: one a core")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="draw it: .svg, .pdf or .png")
@click.option("--json", "as_json", is_flag=True, help="print a JSON object")
@click.option("-q", "--quiet", is_flag=True, help="no progress")
def advise(  # noqa: PLR0913
    trace: str, memory: str, swap: str, era: str, max_slowdown: str | None, settings: tuple[str, ...],
    jobs: int | None, output: Path | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Which configuration of compressed memory suits a workload, what it saves and what it costs.

    TRACE is any file of a recording or its bare name. A few dozen replays are made: allocators, compressors, pool
    limits and writeback at the memory given, then the best at other sizes.
    """
    with Watch(hidden=quiet or not sys.stderr.isatty()) as watch:
        from zsim.advise.run import advise_on
        from zsim.style import form_of

        if output is not None:
            form_of(output)
        values = {"swap.device": swap, "era": era} | dict(map(_setting, settings))
        advice = advise_on(trace, values, memory, _share(max_slowdown), jobs, watch)
    from zsim.advise import text
    from zsim.results import as_text

    click.echo(as_text(text.as_json(advice)) if as_json else text.text(advice), nl=False)
    if output is not None:
        from zsim.advise import figure

        for path in figure.save(advice, output):
            click.echo(path, err=True)


def _setting(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _share(text: str | None) -> float | None:
    """1.05 of "5%" or "0.05"."""
    if text is None:
        return None
    number = text.strip().removesuffix("%")
    try:
        share = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = -1.0
    if share < 0:
        raise click.UsageError(f"--max-slowdown {text}: expected a share such as 5% or 0.05")
    return 1 + share
