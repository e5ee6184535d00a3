"""Everything that can be chosen by name, by kind, with a line on each: what `zsim list` prints."""

from collections.abc import Callable
from typing import Any, NamedTuple

from zsim.allocators import ALLOCATORS
from zsim.compressors import COMPRESSORS
from zsim.devices import DEVICES
from zsim.eras import ERAS, SUMMARIES
from zsim.errors import UsageError
from zsim.metrics import METRICS
from zsim.reclaim import RECLAIM
from zsim.registry import Registry, suggestion
from zsim.stores import STORES
from zsim.traces import READERS
from zsim.units import format_ns
from zsim.writeback import WRITEBACK


class Listed(NamedTuple):
    """One name of one kind: what it is, and figures or capabilities worth knowing before choosing it."""

    kind: str
    name: str
    summary: str
    details: str = ""


REGISTRIES = {
    "allocators": ALLOCATORS,
    "compressors": COMPRESSORS,
    "stores": STORES,
    "writeback": WRITEBACK,
    "devices": DEVICES,
    "reclaim": RECLAIM,
    "formats": READERS,
}
KINDS = [*REGISTRIES, "eras", "metrics"]


def names(kind: str) -> list[str]:
    """The names of a kind; a `UsageError` for an unknown kind."""
    if kind in REGISTRIES:
        return REGISTRIES[kind].names()
    if kind not in KINDS:
        raise UsageError(f"unknown kind {kind!r}{suggestion(kind, KINDS)}")
    return list(ERAS if kind == "eras" else METRICS)


def catalog(kind: str) -> list[Listed]:
    """What there is of a kind, in the order of its registry."""
    if kind == "eras":
        return [_era(name) for name in ERAS]
    if kind == "metrics":
        return [_metric(name) for name in METRICS]
    known = names(kind)
    return [_implementation(kind, name, REGISTRIES[kind]) for name in known]


def _implementation(kind: str, name: str, registry: Registry) -> Listed:
    """The first line of its docstring. A plug-in that does not load is shown as such and does no harm."""
    try:
        what = registry.load(name)
    except Exception as error:  # whatever a third party's module may raise
        return Listed(kind, name, f"cannot be loaded: {error}")
    summary = (what.__doc__ or "").strip().partition("\n")[0]
    describe = _DETAILS.get(kind)
    return Listed(kind, name, summary, describe(what) if describe else "")


def _allocator(what: Any) -> str:
    """The kernels that had it, how many objects share a page, and what it can do, in which of them."""
    able = (("evicts", what.can_reclaim, "evicts_in"), ("compacts", what.can_compact, "compacts_in"))
    abilities = [" ".join([word, getattr(what, since, "")]).rstrip() for word, can, since in able if can]
    return "; ".join([f"Linux {what.kernels}", what.pages_per_object, *abilities])


def _compressor(what: Any) -> str:
    levels = f", levels {what.levels[0]}..{what.levels[-1]}" if len(what.levels) > 1 else ""
    source = "" if len(what.levels) else ", sizes as the kernel measured"
    return f"{format_ns(what.compress_ns)} to compress, {format_ns(what.decompress_ns)} back{levels}{source}"


def _device(what: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in what.settings().items())


_DETAILS: dict[str, Callable[[Any], str]] = {"allocators": _allocator, "compressors": _compressor, "devices": _device}


def _era(name: str) -> Listed:
    preset = ERAS[name]
    choices = [f"{key} {preset[key]}" for key in ("allocator", "writeback")]
    return Listed("eras", name, SUMMARIES[name], ", ".join([*choices, f"{len(preset)} values"]))


def _metric(name: str) -> Listed:
    metric = METRICS[name]
    better = f"{metric.better} is better" if metric.better else ""
    return Listed("metrics", name, metric.meaning, ", ".join(text for text in (metric.unit, better) if text))
