"""Name -> implementation, one mechanism for every kind: built-ins imported when asked for, plug-ins by entry point."""

import difflib
import os
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from zsim.errors import UsageError


class Registry:
    """The implementations of one kind ("allocator", "device", ...), by name.

    `builtin` maps a name to "module:attribute"; nothing is imported before it is asked for. A third-party package
    adds a name through the entry-point group `zsim.<plural kind>`; `ZSIM_DISABLE_PLUGINS=1` switches those off.
    """

    def __init__(self, kind: str, builtin: dict[str, str], plural: str = "") -> None:
        self.kind = kind
        self.plural = plural or kind + "s"
        self.builtin = builtin

    def names(self) -> list[str]:
        """Every name that can be loaded, built-in ones first."""
        return [*self.builtin, *(name for name in self._plugins() if name not in self.builtin)]

    def load(self, name: str) -> Any:
        """The implementation called `name`; a `UsageError` with a suggestion where there is none."""
        target = self.builtin.get(name)
        if target is not None:
            module, attribute = target.split(":")
            return getattr(import_module(module), attribute)
        plugin = self._plugins().get(name)
        if plugin is None:
            raise UsageError(f"unknown {self.kind} {name!r}{suggestion(name, self.names())}")
        return plugin.load()

    def items(self) -> Iterator[tuple[str, Any]]:
        """Every name with its loaded implementation."""
        return ((name, self.load(name)) for name in self.names())

    def _plugins(self) -> dict[str, Any]:
        if os.environ.get("ZSIM_DISABLE_PLUGINS"):
            return {}
        return {point.name: point for point in entry_points(group=f"zsim.{self.plural}")}


def suggestion(name: str, known: list[str]) -> str:
    """The tail of an unknown-name message: the nearest known name, then all of them."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{hint} (known: {', '.join(known)})"
