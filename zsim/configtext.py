"""A configuration as TOML with comments: the resolved one with its origins, and the reference of every key."""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any

from zsim.config import Config, Resolved, config_keys
from zsim.devices import DEVICES

WIDTH = 100
REFERENCE_HEAD = """\
# Every key of a configuration with its default, its unit and where the default is from.
# Written by `zsim config show --reference`; copy the lines you want to change into a file of your own and give it
# with --config. An era (era = "3.11") sets other defaults for some keys: `zsim config show --era 3.11`.
"""


def resolved_toml(resolved: Resolved) -> str:
    """Every value with where it came from; loads as the same configuration."""
    keys, values = config_keys(), resolved.config
    lines: list[str] = []
    for section, names in _sections():
        lines += _heading(section)
        lines += _aligned([(_assignment(name, _get(values, name)), _origin(resolved, name, keys)) for name in names])
    if values.device:
        lines += [*_heading("device"), *(_assignment(name, value) for name, value in values.device.items())]
    return "\n".join(lines) + "\n"


def reference_toml() -> str:
    """Every key with its default and documentation: what configs/reference.toml holds."""
    keys = config_keys()
    lines = [REFERENCE_HEAD.rstrip()]
    for section, names in _sections():
        lines += _heading(section) or [""]
        for name in names:
            lines += [*_comment(_doc(keys[name])), _assignment(name, keys[name].default), ""]
        lines.pop()
    return "\n".join([*lines, *_device_reference()]) + "\n"


def _sections() -> Iterator[tuple[str, list[str]]]:
    """("" or the table's name, dotted keys in it), the keys outside tables first, as TOML wants it."""
    keys = list(config_keys())
    yield "", [name for name in keys if "." not in name]
    for top in fields(Config):
        if is_dataclass(top.default):
            yield top.name, [name for name in keys if name.startswith(top.name + ".")]


def _heading(section: str) -> list[str]:
    if not section:
        return []
    about = next(type(top.default).__doc__ for top in fields(Config) if top.name == section)
    return ["", f"[{section}]"] if section == "device" else ["", f"# {about}", f"[{section}]"]


def _get(config: Config, name: str) -> Any:
    section, _, key = name.rpartition(".")
    return getattr(getattr(config, section) if section else config, key)


def _origin(resolved: Resolved, name: str, keys: dict[str, Field[Any]]) -> str:
    unit = keys[name].metadata["unit"]
    return ", ".join(text for text in (unit, resolved.origins[name]) if text)


def _doc(spec: Field[Any]) -> str:
    doc, unit, choices = (spec.metadata[what] for what in ("doc", "unit", "choices"))
    notes = [f"unit: {unit}"] if unit else []
    notes += [f"one of: {', '.join(choices)}"] if choices else []
    return f"{doc} ({'; '.join(notes)})" if notes else str(doc)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")


def _assignment(name: str, value: Any) -> str:
    """A line of TOML: numbers and booleans as in JSON, text as a basic string, whose escapes are those of JSON."""
    return f"{name.rpartition('.')[2]} = {json.dumps(value, ensure_ascii=False)}"


def _aligned(entries: list[tuple[str, str]]) -> list[str]:
    width = max(len(line) for line, _ in entries)
    return [f"{line:<{width}}  # {origin}" for line, origin in entries]


def _device_reference() -> list[str]:
    """What each device can be told: as comments, for they belong to whichever device `swap.device` names."""
    about = "# Settings of the swap device that swap.device names; what each device takes, and its own values:"
    lines = ["", "[device]", about]
    for name, device in DEVICES.items():
        settings = ", ".join(f"{key} = {value}" for key, value in device.settings().items())
        lines.append(f"# {name}: {settings}" if settings else f"# {name}: no settings")
    return lines
