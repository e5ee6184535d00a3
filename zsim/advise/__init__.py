"""Which configuration for a workload: a small staged study, and what follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from zsim.advise.candidates import KEPT, PLAIN, POOL_PERCENT, Candidate, first_stage, pool_stage, writeback_stage
from zsim.config import Config, resolve
from zsim.results import Result
from zsim.traces import Trace
from zsim.units import PAGE_SIZE, parse_bytes

Run = Callable[[Sequence[Config]], list[Result]]
"""Replays the advised trace on each configuration; results in the same order."""

SIZES = 6
"""Memory sizes of a round of the search for the smallest that will do."""
ROUNDS = 2
LEAST_PAGES = 64
"""The kernel's own watermarks leave nothing of less."""
WORTH = 0.03
"""A setting is better only if it takes this share less of time or memory: less is within what the model can tell."""


@dataclass(frozen=True)
class Tried:
    """A candidate at one size of memory (bytes), and what came out."""

    candidate: Candidate
    config: Config
    memory_bytes: int
    result: Result

    @property
    def slowdown(self) -> float | None:
        """None where memory ran out."""
        value = self.result.metrics["slowdown"]
        return None if value is None else float(value)

    @property
    def gained_pages(self) -> int:
        """Pages that compression made room for: stored less the frames they took, at the pool's peak."""
        count = self.result.metrics
        return max(int(count["stored_pages_peak"] or 0) - int(count["pool_pages_peak"] or 0), 0)


@dataclass
class Advice:
    """What was tried, what is best, and how little memory does.

    limit     the slowdown allowed; sizes are searched for it
    asked     the limit was asked for: what needs the least memory is best, else what is fastest
    tried     every candidate at the memory asked for
    by_size   candidate's name -> what was tried at other sizes, ascending
    """

    trace: Trace
    memory_bytes: int
    limit: float
    asked: bool
    tried: list[Tried]
    by_size: dict[str, list[Tried]] = field(default_factory=dict)

    @property
    def plain(self) -> Tried:
        """Swap without compression."""
        return next(t for t in self.tried if t.candidate is PLAIN)

    @property
    def best(self) -> Tried:
        """What to use; plain swap unless something else is worth the trouble."""
        return self._leanest() if self.asked else self._fastest()

    def _fastest(self) -> Tried:
        first, plain = ranked(self.tried)[0], self.plain.slowdown
        if plain is None or (first.slowdown or plain) <= plain * (1 - WORTH):
            return first
        return self.plain

    def _leanest(self) -> Tried:
        """What stays within the limit in the least memory; nothing does: what is fastest."""
        sizes = {name: self.smallest_bytes(name) for name in self.by_size}
        within = {name: size for name, size in sizes.items() if size is not None}
        if not within:
            return self._fastest()
        name = min(within, key=lambda name: within[name])
        plain = within.get(PLAIN.name)
        if plain is not None and within[name] > plain * (1 - WORTH):
            return self.plain
        return next(tried for tried in self.tried if tried.candidate.name == name)

    def front(self) -> list[Tried]:
        """Those that no other beats in both pages gained and slowdown, fastest first."""
        found: list[Tried] = []
        for tried in ranked(self.tried):
            if tried.slowdown is not None and all(tried.gained_pages > other.gained_pages for other in found):
                found.append(tried)
        return found

    def smallest_bytes(self, name: str) -> int | None:
        """The least memory from which on every size tried stays within the limit; None where none does."""
        found = None
        for tried in reversed(self.by_size.get(name, [])):
            if tried.slowdown is None or tried.slowdown > self.limit:
                break
            found = tried.memory_bytes
        return found


def ranked(tried: Sequence[Tried]) -> list[Tried]:
    """Fastest first; what ran out of memory last."""
    return sorted(tried, key=lambda t: (t.slowdown is None, t.slowdown or 0.0, t.result.metrics["pool_pages_peak"]))


def advise(trace: Trace, settings: dict[str, Any], memory: str, run: Run, max_slowdown: float | None = None) -> Advice:
    """Try what is worth trying on `trace` and search for the least memory that does.

    settings      configuration values that all runs share (era, swap device ...)
    memory        bytes, units, or a share of the footprint
    max_slowdown  allowed, as runtime over runtime with memory in plenty; None: what plain swap takes at `memory`
    """
    study = _Study(trace, settings, run)
    memory_bytes = parse_bytes(memory, trace.footprint_pages * PAGE_SIZE)
    era = str(settings.get("era", Config.era))
    tried = study.at(memory_bytes, first_stage(era))
    for stage in (pool_stage, lambda best: writeback_stage(best, era)):
        tried += study.at(memory_bytes, stage([t.candidate for t in ranked(_pools(tried))[:KEPT]]))
    plain = next(t for t in tried if t.candidate is PLAIN).slowdown
    advice = Advice(trace, memory_bytes, max_slowdown or plain or 1.0, max_slowdown is not None, tried)
    others = [t.candidate for t in ranked(tried) if t.candidate is not PLAIN]
    for candidate in [PLAIN, *others[:KEPT]]:
        advice.by_size[candidate.name] = study.sizes(candidate, memory_bytes, advice.limit)
    return advice


def runs_at_most(settings: dict[str, Any]) -> int:
    """Replays that an advice may take: the stages, then three settings at other sizes."""
    stages = len(first_stage(str(settings.get("era", Config.era)))) + KEPT * len(POOL_PERCENT)
    return stages + (1 + KEPT) * ROUNDS * (SIZES + 1)


def _pools(tried: Sequence[Tried]) -> list[Tried]:
    return [t for t in tried if t.candidate.value("store") == "zswap"]


@dataclass
class _Study:
    trace: Trace
    settings: dict[str, Any]
    run: Run
    done: dict[tuple[str, int], Tried] = field(default_factory=dict)

    def at(self, memory_bytes: int, candidates: Sequence[Candidate]) -> list[Tried]:
        return self._tried([(candidate, memory_bytes) for candidate in candidates])

    def sizes(self, candidate: Candidate, memory_bytes: int, limit: float) -> list[Tried]:
        """The candidate from the least memory the trace is valid for up to what holds it all, closer near the limit."""
        low = self.least_bytes()
        high = (self.trace.footprint_pages + LEAST_PAGES) * PAGE_SIZE
        known = [t for t in self.done.values() if t.candidate == candidate]
        for _ in range(ROUNDS):
            step = (high - low) / (SIZES + 1)
            sizes = {_whole_pages(low + step * i) for i in range(SIZES + 2)} | {memory_bytes}
            self._tried([(candidate, size) for size in sorted(sizes)])
            known = sorted(
                (t for t in self.done.values() if t.candidate == candidate), key=lambda tried: tried.memory_bytes
            )
            low, high = _around(known, limit)
        return known

    def least_bytes(self) -> int:
        """Below this the recording does not tell what happens."""
        least = self.trace.header.get("min_memory_pages") or self.trace.footprint_pages // 8
        return max(int(least), LEAST_PAGES) * PAGE_SIZE

    def _tried(self, wanted: Sequence[tuple[Candidate, int]]) -> list[Tried]:
        new = [pair for pair in wanted if (pair[0].name, pair[1]) not in self.done]
        configs = [self._config(*pair) for pair in new]
        for (candidate, size), config, result in zip(new, configs, self.run(configs), strict=True):
            self.done[candidate.name, size] = Tried(candidate, config, size, result)
        return [self.done[candidate.name, size] for candidate, size in wanted]

    def _config(self, candidate: Candidate, memory_bytes: int) -> Config:
        values = self.settings | dict(candidate.settings) | {"memory.size": str(memory_bytes)}
        return resolve(("advise", values)).config


def _whole_pages(size: float) -> int:
    return int(size) // PAGE_SIZE * PAGE_SIZE


def _around(known: Sequence[Tried], limit: float) -> tuple[int, int]:
    """The sizes between which the limit is crossed for the last time."""
    low, high = known[0].memory_bytes, known[-1].memory_bytes
    for tried in reversed(known):
        if tried.slowdown is None or tried.slowdown > limit:
            return tried.memory_bytes, high
        high = tried.memory_bytes
    return low, high
