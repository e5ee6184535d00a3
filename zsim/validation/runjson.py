"""What run.json says of a guest, key by key (docs/recording-kernel-runs.md): read, or refused by name."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from zsim.eras import ERAS
from zsim.kernels import parse_kernel

ON, OFF = ("y", "1", "true"), ("n", "0", "false")
OLDEST = min(map(parse_kernel, ERAS))
LARGEST = (1 << 48) - 1
"""No address is above."""
LARGEST_ORDER = 10
ZONE = ("managed", "free", "min", "low", "high")


def version(value: Any) -> str:
    """ "6.1" of "6.1" or of what uname -r says, "6.1.0-56-amd64"."""
    found = re.match(r"\d+\.\d+(?![\d])", str(value))
    if not found or parse_kernel(found[0]) < OLDEST:
        raise ValueError(f"{value!r} is not a kernel version from {'.'.join(map(str, OLDEST))} on")
    return found[0]


def count(value: Any) -> int:
    """A number from 0 on, also as sysfs has it, in text."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    if not re.fullmatch(r"\d+|0x[0-9a-fA-F]+", text):
        raise ValueError(f"{value!r} is not a whole number")
    number = int(text, 16 if text.startswith("0x") else 10)
    if number > LARGEST:
        raise ValueError(f"{number} is too large")
    return number


def order(value: Any) -> int:
    """page-cluster: log2 of the pages that are read together."""
    number = count(value)
    if number > LARGEST_ORDER:
        raise ValueError(f"{number} is above {LARGEST_ORDER}")
    return number


def switch(value: Any) -> bool:
    """True, 1, "Y" and the like, or their contrary."""
    text = str(value).strip().lower()
    if text not in ON + OFF:
        raise ValueError(f"{value!r} is neither Y nor N")
    return text in ON


def features(value: Any) -> int:
    """lru_gen/enabled: a number in base 16, or Y for all of them."""
    text = str(value).strip().lower()
    return 7 * switch(text) if text in ("y", "n", "true", "false") else count(text if text[:2] == "0x" else f"0x{text}")


def limit(value: Any) -> int | str:
    """Bytes, or "nolimit" for a cgroup that has none."""
    if value in ("nolimit", "unlimited", "max"):
        return "nolimit"
    number = count(value)
    if not number:
        raise ValueError("no memory at all")
    return number


def mode(value: Any) -> str:
    """What limits the memory, and whether files are mapped."""
    if value not in ("memcg", "machine", "memcg+file"):
        raise ValueError(f"{value!r} is none of memcg, machine, memcg+file")
    return str(value)


def zones(value: Any) -> dict[str, dict[str, Any]]:
    """Pages of each zone, and its protection against each other one."""
    if not isinstance(value, dict) or not value or not all(isinstance(zone, dict) for zone in value.values()):
        raise ValueError("expected an object a zone")
    return {name: _zone(name, zone) for name, zone in value.items()}


def _zone(name: str, zone: Mapping[str, Any]) -> dict[str, Any]:
    missing = [key for key in ZONE if zone.get(key) is None]
    if missing:
        raise ValueError(f"{name} has no {missing[0]}")
    protection = zone.get("protection") or [0]
    if not isinstance(protection, list):
        raise ValueError(f"{name}: protection is not a list")
    return {key: count(zone[key]) for key in ZONE} | {"protection": [count(pages) for pages in protection]}


def text(value: Any) -> str:
    """A name."""
    if not isinstance(value, str) or not value or "/" in value:
        raise ValueError(f"{value!r} is not a name")
    return value


def parameters(value: Any) -> dict[str, bool]:
    """Of zswap's module parameters that which no other key has."""
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    key = "same_filled_pages_enabled"
    return {key: switch(value[key])} if value.get(key) is not None else {}


KEYS: dict[str, Callable[[Any], Any]] = {
    "kernel": version,
    "mode": mode,
    "trace": text,
    "zswap": switch,
    "zpool": text,
    "compressor": text,
    "shrinker": switch,
    "zswap_params": parameters,
    "lru_gen": features,
    "lru_gen_state": features,
    "memory_max": limit,
    "cgroup": limit,
    "page_cluster": order,
    "zones": zones,
    "file_rw": switch,
    "madvise_random": switch,
    "swap_rotational": switch,
    "vma_ra_enabled": switch,
} | dict.fromkeys(
    (
        "max_pool_percent", "accept_threshold_percent", "swappiness", "totalram_pages",
        "managed_pages", "swap_pages", "every", "flush_every", "tlb_entries", "address", "file_from",
        "free_pages_before", "pcp_free_before", "watermark_boost_factor",
    ),
    count,
)  # fmt: skip
"""How each key is read; others are nobody's business here. null is as good as not there."""


def guest(config: Any) -> dict[str, Any]:
    """The keys that are there, each as what it stands for; a `ValueError` that names one that is wrong or missing."""
    if not isinstance(config, dict):
        raise ValueError("config is not an object")
    read: dict[str, Any] = {}
    for name, value in config.items():
        if value is not None and name in KEYS:
            try:
                read[name] = KEYS[name](value)
            except ValueError as error:
                raise ValueError(f"config.{name}: {error}") from None
    missing = [name for name in _required(read) if name not in read]
    if missing:
        raise ValueError(f"no config.{missing[0]}")
    limits = [read.get("memory_max"), read.get("cgroup")]
    if read.get("mode") != "machine" and not any(isinstance(bytes_, int) for bytes_ in limits):
        raise ValueError("no bytes in config.memory_max, nor in config.cgroup")
    return read


def _required(read: Mapping[str, Any]) -> list[str]:
    names = ["kernel", "trace", "zswap"]
    if read.get("zswap"):
        names += ["zpool", "compressor"]
    if read.get("mode") == "machine":
        return [*names, "managed_pages", "free_pages_before", "zones"]
    return [*names, "totalram_pages", *(["file_from"] if read.get("mode") == "memcg+file" else [])]
