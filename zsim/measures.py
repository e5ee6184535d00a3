"""What a column or an axis can show of a run: every metric, every latency figure, and what follows from them."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple

from zsim.errors import UsageError
from zsim.histogram import PERCENTS
from zsim.machine import LATENCIES
from zsim.metrics import METRICS
from zsim.results import Number, Result
from zsim.units import PAGE_SIZE, pages_for, parse_bytes

FIGURES = ("count", "mean", *PERCENTS, "max")
"""What a result tells of each latency."""


class Measure(NamedTuple):
    """A number per run: `better` is "lower", "higher" or "" (neither)."""

    name: str
    unit: str
    better: str
    meaning: str
    of: Callable[[Result], Number]

    @property
    def label(self) -> str:
        """What an axis calls it: a metric by its own name, a latency and what is worked out here in words."""
        if self.name.startswith("latency_ns."):
            return " ".join(self.name.split(".")[1:])
        return self.name.removesuffix("_pages").replace("_", " ") if self.name in DERIVED else self.name


def _gained(result: Result) -> Number:
    stored, pool = result.metrics.get("stored_pages_peak"), result.metrics.get("pool_pages_peak")
    return None if stored is None or pool is None else stored - pool


def _peak_ratio(result: Result) -> Number:
    stored, pool = result.metrics.get("stored_pages_peak"), result.metrics.get("pool_pages_peak")
    return stored / pool if stored and pool else None


def ram_pages(result: Result) -> int:
    """The RAM (or the cgroup's limit) of a run."""
    footprint_pages = result.trace["footprint_pages"]
    return pages_for(parse_bytes(str(result.config["memory"]["size"]), footprint_pages * PAGE_SIZE))


def _spared(result: Result) -> Number:
    return int(result.trace["footprint_pages"]) - ram_pages(result)


DERIVED = {
    measure.name: measure
    for measure in [
        Measure(
            "memory_gained_pages", "pages", "higher",
            "most pages the store held less most frames its pool held: the RAM that compression adds", _gained,
        ),
        Measure(
            "memory_spared_pages", "pages", "higher",
            "footprint of the trace less the RAM of the machine (memcg: the limit): what the program runs without",
            _spared,
        ),
        Measure(
            "peak_ratio", "pages/frame", "higher",
            "most pages the store held / most frames its pool held: what compression yields when it matters",
            _peak_ratio,
        ),
    ]
}  # fmt: skip


def measure(name: str) -> Measure:
    """A metric, `latency_ns.KIND.FIGURE`, or one of DERIVED; a `UsageError` with a suggestion for another name."""
    if name in METRICS:
        return Measure(*METRICS[name], lambda result: result.metrics.get(name))
    if name in DERIVED:
        return DERIVED[name]
    if name.startswith("latency_ns."):
        return _latency(name)
    near = get_close_matches(name, [*METRICS, *DERIVED], n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise UsageError(
        f"no metric {name!r}{hint} (known: those of `zsim list metrics`, {', '.join(DERIVED)}, latency_ns.*)"
    )


def _latency(name: str) -> Measure:
    _, kind, figure, *rest = [*name.split("."), "", ""]
    if kind not in LATENCIES or figure not in FIGURES or any(rest):
        raise UsageError(
            f"no latency {name!r}; write latency_ns.KIND.FIGURE, with KIND one of {', '.join(LATENCIES)} and FIGURE "
            f"one of {', '.join(FIGURES)}"
        )
    unit, better = ("", "") if figure == "count" else ("ns", "lower")
    meaning = f"{figure} of the latencies of {kind}"
    return Measure(name, unit, better, meaning, lambda result: result.latency_ns.get(kind, {}).get(figure))
