"""What to call results that are shown together: by what sets them apart."""

from collections.abc import Sequence
from typing import Any

from zsim.config import config_keys
from zsim.results import Result, flat

PARTS_MAX = 3
"""With more differences than this a label would be no shorter than the configuration."""

BARE = (
    "trace", "store", "allocator", "compressor", "writeback", "reclaim.policy", "swap.device", "memory.size",
    "memory.mode",
)  # fmt: skip
"""Keys whose values speak for themselves."""

OF_ERA = ("allocator", "writeback")
"""Of these, what an era chooses."""


def differences(results: Sequence[Result]) -> dict[str, list[Any]]:
    """Dotted keys (and `trace`) that are not the same in all results, with the value of each."""
    flats = [{"trace": result.trace["name"]} | flat(result.config) for result in results]
    keys = dict.fromkeys(key for values in flats for key in values if not key.startswith("check."))
    columns = {key: [values.get(key) for values in flats] for key in keys}
    return {key: values for key, values in columns.items() if any(value != values[0] for value in values)}


def labels(results: Sequence[Result]) -> list[str]:
    """A short, distinct name for each result."""
    differ = telling_differences(results)
    names = [
        ", ".join(value_text(key, values[i]) for key, values in differ.items() if applies(key, values[i], results[i]))
        for i in range(len(results))
    ]
    if len(differ) > PARTS_MAX or not all(names):
        names = [_short(result) for result in results]
    repeated = {name for name in names if names.count(name) > 1}
    return [f"{name} #{number}" if name in repeated else name for number, name in enumerate(names, 1)]


def telling_differences(results: Sequence[Result]) -> dict[str, list[Any]]:
    """`differences` without what follows from another choice: an era's values, a device's settings."""
    differ = differences(results)
    if "era" in differ:
        return {"era": differ["era"]} | {key: differ[key] for key in BARE if key in differ and key not in OF_ERA}
    if "swap.device" in differ:
        return {key: values for key, values in differ.items() if not key.startswith("device.")}
    return differ


def applies(key: str, value: Any, result: Result) -> bool:
    """What a pool is made of says nothing where there is none."""
    return value is not None and not (result.config["store"] == "none" and key in ("allocator", "compressor"))


def value_text(key: str, value: Any) -> str:
    """A key's value as part of a label, with the key where the value alone would say little."""
    alone = key in BARE or key not in config_keys()  # an axis that a study named has names for values
    return text_of(value) if alone else f"{key.rpartition('.')[2]} {text_of(value)}"


def text_of(value: Any) -> str:
    """A value as people write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _short(result: Result) -> str:
    store, allocator = result.config["store"], result.config["allocator"]
    return f"{result.trace['name']}-{store if store == 'none' else f'{store}-{allocator}'}-{result.digest[:8]}"
