"""Kernel against zsim, judged: the bars, what is left out of them, and how far the kernel repeats itself."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import NamedTuple

import numpy as np

from zsim.errors import TraceError
from zsim.validation.cases import MAJOR_STORE, Bytes, Case
from zsim.validation.replay import Replayed

PERCENT = 0.01
COUNTERS = ("zswpin", "zswpout", "pswpin", "pswpout")
ENOUGH = 10
"""Judged cases of a set from which on its median and its nine in ten are judged."""


class Bars(NamedTuple):
    """What a set of cases is held to: shares of the kernel's figure; None: nothing is asked.

    faults are of all pages; of a trace with files, of either kind of page. With MGLRU `mglru`, if any, stands for it.
    """

    faults: float
    median: float | None = None
    nine_in_ten: float | None = None
    same: float | None = None
    same_median: float | None = None
    counters: float | None = None
    counters_pages: int = 30
    pool: float | None = None
    free_pages: int | None = None
    mglru: float | None = None


BARS = {
    "zswap": Bars(0.05, 0.006, 0.02, same=0.92, same_median=0.98, counters=0.03, pool=0.01),
    "zswap-machine": Bars(0.04, 0.01, free_pages=30),
    "zswap-file": Bars(0.05, mglru=0.15),
}


class Repeat(NamedTuple):
    """The kernel against itself: most difference in faults, least share of equal outcomes, of any two runs."""

    faults: float
    same: float


@dataclass(frozen=True)
class Comparison:
    """One case, judged.

    error     zsim's faults over the kernel's, less 1
    repeat    None where the kernel was run once
    reported  why the case is not held to the bars, empty if it is
    misses    what it should meet and does not
    """

    replayed: Replayed
    repeat: Repeat | None
    reported: str
    misses: list[str]

    @property
    def case(self) -> Case:
        """What was compared."""
        return self.replayed.case

    @property
    def error(self) -> float:
        """Of the faults after the fill."""
        return error_of(self.replayed, "faults")

    @property
    def worst_error(self) -> float:
        """Of what is judged: all faults, or those of anonymous and of file pages, whichever is farther off."""
        errors = [error_of(self.replayed, name) for name in _fault_figures(self.replayed)]
        return max(errors, key=abs)

    @property
    def verdict(self) -> str:
        """One of "ok", "reported: why", "misses what, what"."""
        if self.reported:
            return f"reported: {self.reported}"
        return f"misses {', '.join(self.misses)}" if self.misses else "ok"


def error_of(replayed: Replayed, name: str) -> float:
    """How far a figure of zsim's is from the kernel's, as a share of it."""
    kernel, zsim = replayed.kernel[name], replayed.zsim[name]
    return (zsim - kernel) / kernel if kernel else float(zsim > 0)


def compare(replayed: Replayed, cases: Iterable[Case] = ()) -> Comparison:
    """Judge one case; `cases` are those among which its repeats are looked for."""
    reported = why_reported(replayed.case) if replayed.outcome == "done" else ""
    misses = [] if reported else list(_misses(replayed))
    if replayed.outcome != "done":
        misses.insert(0, "the end: out of memory")
    return Comparison(replayed, repeat_of(replayed.case, cases), reported, misses)


def why_reported(case: Case) -> str:
    """Why a case is shown and not judged; empty where it is judged."""
    if case.set == "zswap":
        return ""
    stale = case.kernel >= (6, 12) and not case.is_mglru and not case.config.get("flush_every")
    if case.set == "zswap-file":
        return "stale statistics" if stale else ""
    if case.has_shrinker:
        return "shrinker"
    if case.config.get("watermark_boost_factor") and case.is_machine:
        return "boost"
    return "stale statistics" if stale else ""


def counters_judged(case: Case) -> bool:
    """Not where a worker's turn decides: 6.12 with a limit of 1 or 2 %, or a shrinker."""
    return not case.has_shrinker and (case.kernel < (6, 12) or case.config.get("max_pool_percent", 20) > 2)


def _misses(replayed: Replayed) -> Iterable[str]:
    bars, case = BARS[replayed.case.set], replayed.case
    for name in _fault_figures(replayed):
        error = error_of(replayed, name)
        if abs(error) > (bars.mglru or bars.faults if case.is_mglru else bars.faults):
            yield f"{name} {error:+.1%} ({replayed.kernel[name]} > {replayed.zsim[name]})"
    if bars.same and replayed.same_outcome < bars.same:
        yield f"same outcome {replayed.same_outcome:.1%}"
    if bars.counters and counters_judged(case):
        yield from _counter_misses(replayed, bars.counters, bars.counters_pages, bars.pool or 0)
    if bars.free_pages and "free_pages" in replayed.kernel:
        away = replayed.zsim["free_pages"] - replayed.kernel["free_pages"]
        if abs(away) > bars.free_pages:
            yield f"free pages {away:+}"


def _fault_figures(replayed: Replayed) -> tuple[str, ...]:
    return ("anon_faults", "file_faults") if "anon_faults" in replayed.kernel else ("faults",)


def _counter_misses(replayed: Replayed, share: float, pages: int, pool: float) -> Iterable[str]:
    kernel, zsim = replayed.kernel, replayed.zsim
    for name in COUNTERS:
        if abs(zsim[name] - kernel[name]) > max(share * kernel[name], pages):
            yield f"{name} {error_of(replayed, name):+.1%}"
    if abs(zsim["pool_pages"] - kernel["pool_pages"]) > pool * kernel["pool_pages"]:
        yield f"pool pages {error_of(replayed, 'pool_pages'):+.1%}"


# How far the kernel repeats itself.


def base_name(name: str) -> str:
    """What a run and its repeats have in common."""
    return re.sub(r"-(again|third)(?=-|$)", "", name)


def repeat_of(case: Case, cases: Iterable[Case]) -> Repeat | None:
    """The spread of the kernel's own runs of one case, as far as they can be read and are as long."""
    runs = [other for other in cases if other.set == case.set and base_name(other.name) == base_name(case.name)]
    after = [outcomes for run in runs if len(outcomes := _after_fill(run)) == case.accesses_after_fill]
    if len(after) < 2:
        return None
    faults = [int((outcomes >= MAJOR_STORE).sum()) for outcomes in after]
    same = min(float((one == other).mean()) for one, other in combinations(after, 2))
    return Repeat((max(faults) - min(faults)) / max(min(faults), 1), same)


def _after_fill(run: Case) -> Bytes:
    try:
        return run.outcomes()[-run.accesses_after_fill :]
    except TraceError:
        return np.empty(0, np.uint8)


# A whole set.


@dataclass(frozen=True)
class Summary:
    """A set of cases against the bars that are about all of them."""

    set: str
    judged: int
    reported: int
    median: float
    nine_in_ten: float
    worst: float
    same_median: float
    same_least: float
    missing_cases: int
    misses: list[str]


def summaries(comparisons: Sequence[Comparison]) -> list[Summary]:
    """One a set that has judged cases."""
    sets = dict.fromkeys(comparison.case.set for comparison in comparisons)
    return [_summary(name, [each for each in comparisons if each.case.set == name]) for name in sets]


def _summary(name: str, comparisons: Sequence[Comparison]) -> Summary:
    judged = [each for each in comparisons if not each.reported]
    errors = sorted(abs(each.worst_error) for each in judged) or [0.0]
    same = sorted(each.replayed.same_outcome for each in judged) or [1.0]
    nine_in_ten = errors[max(-(-len(errors) * 9 // 10) - 1, 0)]
    bars, misses = BARS[name], []
    if len(judged) >= ENOUGH:
        held = (("median", median(errors), bars.median), ("nine in ten", nine_in_ten, bars.nine_in_ten))
        for what, value, most in held:
            if most is not None and value > most:
                misses.append(f"{what} {value:.2%} above {most:.1%}")
        if bars.same_median and median(same) < bars.same_median:
            misses.append(f"same outcome {median(same):.1%} below {bars.same_median:.0%}")
    return Summary(
        name, len(judged), len(comparisons) - len(judged), median(errors), nine_in_ten, errors[-1],
        median(same), same[0], sum(bool(each.misses) for each in judged), misses,
    )  # fmt: skip


def all_met(comparisons: Sequence[Comparison]) -> bool:
    """Whether no judged case, and no set, misses anything."""
    return not any(each.misses for each in comparisons) and not any(each.misses for each in summaries(comparisons))
