"""Made-up traces with a known behaviour, repeatable from their seed; contents are drawn from the population."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from zsim.errors import UsageError
from zsim.registry import suggestion
from zsim.traces.build import build
from zsim.traces.columns import Columns, Table
from zsim.traces.trace import Trace

FIRST_PAGE = 0x1000
ROWS = 1 << 19
"""Rows drawn at a time: part of what a seed means, so never to be changed."""
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pattern:
    """What is generated.

    kind          loop, zipf, uniform, phase or hotcold
    write_share   of the accesses, drawn independently
    alpha         zipf: the page of rank r is accessed in proportion to r**-alpha
    phases        phase: disjoint working sets, one after the other
    hot_pages, hot_accesses  hotcold: this share of the pages gets this share of the accesses
    interval_ns   time between two accesses; 0: a trace without times
    """

    kind: str
    pages: int = 10_000
    accesses: int = 1_000_000
    write_share: float = 0.3
    alpha: float = 1.0
    phases: int = 4
    hot_pages: float = 0.1
    hot_accesses: float = 0.9
    interval_ns: int = 0
    seed: int = 1


def generate(pattern: Pattern) -> Trace:
    """The trace of a pattern, in memory."""
    return build(table(pattern), pattern.kind)


def table(pattern: Pattern) -> Table:
    """The rows of a pattern, ready to be written; a `UsageError` for an unknown kind or an impossible figure."""
    _check(pattern)
    said = {key: value for key, value in asdict(pattern).items() if key in ("pages", "seed", *OWN[pattern.kind])}
    return Table(_runs(pattern), {"generated": pattern.kind, **said})


def _check(pattern: Pattern) -> None:
    if pattern.kind not in KINDS:
        raise UsageError(f"unknown pattern {pattern.kind!r}{suggestion(pattern.kind, list(KINDS))}")
    for name in ("pages", "accesses", "phases"):
        if getattr(pattern, name) < 1:
            raise UsageError(f"{name} of {getattr(pattern, name)}; expected at least 1")
    for name in ("write_share", "hot_pages", "hot_accesses"):
        if not 0 <= getattr(pattern, name) <= 1:
            raise UsageError(f"{name} of {getattr(pattern, name)}; expected a share between 0 and 1")
    if pattern.alpha < 0 or pattern.interval_ns < 0:
        raise UsageError("alpha and interval_ns cannot be negative")
    if pattern.kind == "phase" and pattern.phases > pattern.pages:
        raise UsageError(f"{pattern.phases} phases of {pattern.pages} pages; expected at least a page for each")


def _runs(pattern: Pattern) -> Iterator[Columns]:
    rng = np.random.default_rng(pattern.seed)
    draw = KINDS[pattern.kind](pattern, rng)
    for start in range(0, pattern.accesses, ROWS):
        rows = np.arange(start, min(start + ROWS, pattern.accesses))
        offsets = draw(rows)
        yield Columns(
            page=(offsets + FIRST_PAGE).astype(np.uint64),
            write=(rng.random(len(rows)) < pattern.write_share).astype(np.uint8),
            time_ns=rows * pattern.interval_ns if pattern.interval_ns else None,
        )


def _loop(pattern: Pattern, rng: np.random.Generator) -> Callable[[Offsets], Offsets]:
    """From the first page to the last, again and again: what LRU is worst at."""
    return lambda rows: rows % pattern.pages


def _uniform(pattern: Pattern, rng: np.random.Generator) -> Callable[[Offsets], Offsets]:
    """Every page equally likely."""
    return lambda rows: rng.integers(0, pattern.pages, len(rows))


def _zipf(pattern: Pattern, rng: np.random.Generator) -> Callable[[Offsets], Offsets]:
    """A few pages very often, most seldom; which is which is drawn, so that hot pages are no neighbours."""
    weights = np.cumsum(np.arange(1, pattern.pages + 1) ** -float(pattern.alpha))
    place = rng.permutation(pattern.pages)
    return lambda rows: place[np.searchsorted(weights, rng.random(len(rows)) * weights[-1], "right")]


def _phase(pattern: Pattern, rng: np.random.Generator) -> Callable[[Offsets], Offsets]:
    """One working set after the other, none of them used again."""
    edges = np.linspace(0, pattern.pages, pattern.phases + 1).astype(np.int64)

    def draw(rows: Offsets) -> Offsets:
        phase = rows * pattern.phases // pattern.accesses
        return edges[phase] + (rng.random(len(rows)) * (edges[phase + 1] - edges[phase])).astype(np.int64)

    return draw


def _hotcold(pattern: Pattern, rng: np.random.Generator) -> Callable[[Offsets], Offsets]:
    """A hot part and a cold one, each uniform in itself."""
    hot = min(max(round(pattern.pages * pattern.hot_pages), 1), pattern.pages)

    def draw(rows: Offsets) -> Offsets:
        is_hot = (rng.random(len(rows)) < pattern.hot_accesses) | (hot == pattern.pages)
        return np.where(
            is_hot, rng.integers(0, hot, len(rows)), rng.integers(min(hot, pattern.pages - 1), pattern.pages, len(rows))
        )

    return draw


OWN = {"loop": [], "uniform": [], "zipf": ["alpha"], "phase": ["phases"], "hotcold": ["hot_pages", "hot_accesses"]}
KINDS = {"loop": _loop, "zipf": _zipf, "uniform": _uniform, "phase": _phase, "hotcold": _hotcold}
