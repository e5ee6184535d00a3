"""Options that several commands share: the configuration from files and flags."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from zsim.config import Layer

NAMED = {
    "era": ("era", "KERNEL", "kernel whose behaviour the presets give", "eras"),
    "store": ("store", "NAME", "compressed store, or none", "stores"),
    "allocator": ("allocator", "NAME[@KERNEL]", "allocator of the store's pool", "allocators"),
    "compressor": ("compressor", "NAME", "codec", "compressors"),
    "writeback": ("writeback", "NAME", "who writes compressed pages back", "writeback"),
    "reclaim": ("reclaim.policy", "NAME", "which page leaves memory next", "reclaim"),
    "memory": ("memory.size", "SIZE", "RAM: 64M, or a share of the footprint: 50%", ""),
    "swap": ("swap.device", "NAME", "swap device", "devices"),
    "seed": ("seed", "N", "of every random draw", ""),
}
"""Option -> configuration key, what it takes, what it means, and the kind that `zsim list` knows its names by."""


def machine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a configuration; it gets them as one argument, `resolved` (a `Resolved`)."""

    @wraps(command)
    def with_resolved(config_file: Path | None, settings: Sequence[str], **options: Any) -> Any:
        from zsim.config import resolve

        layers = option_layers(config_file, settings, options)
        return command(resolved=resolve(*layers), **options)

    return _with_options(with_resolved)


def layer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same options, as `layers` of a configuration that has more to it."""

    @wraps(command)
    def with_layers(config_file: Path | None, settings: Sequence[str], **options: Any) -> Any:
        layers = option_layers(config_file, settings, options)
        return command(layers=layers, **options)

    return _with_options(with_layers)


def _with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, (_, metavar, meaning, kind) in reversed(NAMED.items()):
        listed = f" (zsim list {kind})" if kind else ""
        option = click.option(f"--{name}", metavar=metavar, help=meaning + listed, shell_complete=_completion(kind))
        command = option(command)
    option = click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="any key of the configuration")
    command = option(command)
    path = click.Path(path_type=Path)
    option = click.option("--config", "config_file", type=path, metavar="FILE", help="a TOML file of values")
    return option(command)


def option_layers(config_file: Path | None, settings: Sequence[str], options: dict[str, Any]) -> "list[Layer]":
    """File, --set, then the named options, which are taken out of `options`: each with where its values come from."""
    from zsim.config import load_toml

    layers: list[Layer] = [load_toml(config_file)] if config_file else []
    if settings:
        layers.append(("--set", dict(map(_setting, settings))))
    given = {name: options.pop(name) for name in NAMED}
    return layers + [(f"--{name}", {NAMED[name][0]: value}) for name, value in given.items() if value is not None]


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.UsageError(f"--set {text}: expected KEY=VALUE, such as zswap.max_pool_percent=30")
    return name.strip(), value.strip()


def _completion(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from zsim.catalog import names

        return [CompletionItem(name) for name in (names(kind) if kind else []) if name.startswith(incomplete)]

    return complete
