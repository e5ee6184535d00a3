"""A key of the configuration: the field of a frozen dataclass that documents itself."""

from dataclasses import field
from typing import Any


def key(  # noqa: PLR0913
    default: Any,
    doc: str,
    unit: str = "",
    choices: tuple[str, ...] = (),
    at_least: int | None = None,
    at_most: int | None = None,
) -> Any:
    """A configuration value: its default, what it means and where the default is from, and what is allowed."""
    allowed = {"choices": choices, "min": at_least, "max": at_most}
    return field(default=default, metadata={"doc": doc, "unit": unit} | allowed)
