"""`zsim list`, `zsim config show` and `zsim config check`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zsim.cli.options import machine_options

if TYPE_CHECKING:
    from zsim.catalog import Listed
    from zsim.config import Resolved


@click.command("list")
@click.argument("kind", required=False)
@click.option("--json", "as_json", is_flag=True, help="print a JSON object")
def list_(kind: str | None, as_json: bool) -> None:
    """List what can be chosen by name, a line each.

    KIND is one of allocators, compressors, stores, writeback, devices, reclaim, formats, eras, metrics; without it,
    all but the metrics are listed.
    """
    from zsim.catalog import KINDS, catalog
    from zsim.results import as_text

    if kind and kind not in KINDS and f"{kind}s" in KINDS:
        kind += "s"
    kinds = [kind] if kind else [known for known in KINDS if known != "metrics"]
    listed = {name: catalog(name) for name in kinds}
    if as_json:
        entries = [entry._asdict() for rows in listed.values() for entry in rows]
        click.echo(as_text({"schema": 1, "names": entries}), nl=False)
        return
    for number, (name, rows) in enumerate(listed.items()):
        if not kind:
            click.echo(("\n" if number else "") + name)
        _print(rows, "" if kind else "  ")


def _print(rows: "list[Listed]", indent: str) -> None:
    width = max(len(row.name) for row in rows)
    for row in rows:
        details = f" [{row.details}]" if row.details else ""
        click.echo(f"{indent}{row.name:<{width}}  {row.summary}{details}")


@click.group()
def config() -> None:
    """Show or check a configuration."""


@config.command()
@machine_options
@click.option("--json", "as_json", is_flag=True, help="print a JSON object")
@click.option("--reference", is_flag=True, help="print every key with its default, unit and documentation")
def show(resolved: "Resolved", as_json: bool, reference: bool) -> None:
    """Print every value of a configuration as TOML, and where it came from: default, era, file, option."""
    from zsim.configtext import reference_toml, resolved_toml
    from zsim.results import as_text
    from zsim.run import check_config, config_values

    if reference:
        click.echo(reference_toml(), nl=False)
        return
    check_config(resolved.config)
    if as_json:
        values = config_values(resolved.config)
        click.echo(as_text({"schema": 1, "config": values, "origins": resolved.origins}), nl=False)
    else:
        click.echo(resolved_toml(resolved), nl=False)


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a TOML file: every key known, every value allowed, every name registered."""
    from zsim.config import load_toml, resolve
    from zsim.run import check_config

    resolved = resolve(load_toml(file))
    check_config(resolved.config)
    changed = sum(origin == str(file) for origin in resolved.origins.values()) + len(resolved.config.device)
    click.echo(f"{file}: {changed} values set, all valid")
