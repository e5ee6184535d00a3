"""The advice: which settings are tried, which is best, how little memory will do, and what is said of it."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.results import busy_result, busy_trace
from zsim.advise import Advice, advise, ranked, runs_at_most
from zsim.advise.candidates import PLAIN, allocators_of, first_stage, pool_stage, writeback_stage, zswap
from zsim.advise.figure import save
from zsim.advise.text import as_json, text
from zsim.config import Config
from zsim.results import Result
from zsim.units import PAGE_SIZE

FOOTPRINT = busy_trace().footprint_pages * PAGE_SIZE


def run(configs: Sequence[Config]) -> list[Result]:
    """In place of replays: the less memory, the slower; compression gains a third of its pool, or half with zstd."""
    return [_made_up(config) for config in configs]


def _made_up(config: Config) -> Result:
    pages = int(config.memory.size) // PAGE_SIZE
    pool = 0 if config.store == "none" else pages * config.zswap.max_pool_percent // 100
    gain = pool // (2 if config.compressor == "zstd" else 3)
    result = busy_result()
    result.metrics |= {"pool_pages_peak": pool, "stored_pages_peak": pool + gain}
    result.metrics["slowdown"] = 1 + max(busy_trace().footprint_pages - pages - gain, 0) / 10 + pool / 1000
    return result


@cache
def advised(max_slowdown: float | None = None) -> Advice:
    """An advice on them."""
    return advise(busy_trace(), {"era": "6.12"}, "70%", run, max_slowdown)


@pytest.mark.parametrize(
    ("era", "allocators"),
    [("3.11", ("zbud",)), ("6.1", ("zbud", "z3fold", "zsmalloc")), ("6.12", ("zbud", "z3fold", "zsmalloc")),
     ("6.19", ("zsmalloc",)), ("2013", ("zsmalloc",))],
)  # fmt: skip
def test_a_kernel_offers_its_allocators(era: str, allocators: tuple[str, ...]) -> None:
    """zbud was the first, z3fold came with 4.8, both left after 6.14."""
    assert allocators_of(era) == allocators


def test_stages_start_from_what_was_best() -> None:
    """Other limits for the pools handed on, the shrinker where the kernel has one; plain swap has neither."""
    best = [zswap("zbud", "lz4", 20), PLAIN]
    assert {c.value("zswap.max_pool_percent") for c in pool_stage(best)} == {10, 35, 50}
    assert [c.name for c in writeback_stage(best, "6.12")] == ["zswap, zbud, lz4, 20 %, shrinker"]
    assert writeback_stage(best, "6.1") == []
    assert len({c.name for c in first_stage("6.12")}) == len(first_stage("6.12"))


def test_best_is_the_fastest() -> None:
    """Compression wins, and nothing tried is faster than what is recommended."""
    advice = advised()
    assert advice.best.candidate is not PLAIN
    assert advice.best.slowdown == min(t.slowdown for t in advice.tried if t.slowdown is not None)
    assert advice.limit == advice.plain.slowdown
    assert sum(map(len, advice.by_size.values())) + len(advice.tried) <= runs_at_most({"era": "6.12"}) + 3


def test_the_front_is_beaten_by_none() -> None:
    """For each setting one of the front is as good in both."""
    advice = advised()
    front = advice.front()
    slowdowns = [t.slowdown or 0 for t in front]
    assert slowdowns == sorted(slowdowns)
    for tried in advice.tried:
        if tried.slowdown is not None:
            assert any((f.slowdown or 0) <= tried.slowdown and f.gained_pages >= tried.gained_pages for f in front)


def test_the_least_memory_keeps_within_the_limit() -> None:
    """From the size named on every size tried does, and the next smaller one does not."""
    advice = advised(max_slowdown=3.0)
    assert advice.limit == 3.0 and len(advice.by_size) == 3
    for name, tried_at in advice.by_size.items():
        sizes = [t.memory_bytes for t in tried_at]
        assert sizes == sorted(set(sizes)) and sizes[-1] > FOOTPRINT
        least = advice.smallest_bytes(name)
        assert least is not None
        assert all(t.slowdown is not None and t.slowdown <= 3 for t in tried_at if t.memory_bytes >= least)
        below = [t for t in tried_at if t.memory_bytes < least]
        assert not below or below[-1].slowdown is None or below[-1].slowdown > 3
    chosen = advice.smallest_bytes(advice.best.candidate.name)
    assert chosen == min(size for name in advice.by_size if (size := advice.smallest_bytes(name)))


def test_what_is_said_agrees_with_what_was_found(tmp_path: Path) -> None:
    """The words name the best setting and its lines; the data beside the figure is the same object."""
    advice = advised()
    said = text(advice)
    best = advice.best
    assert f"recommended  {best.candidate.name}" in said and f"{best.slowdown:.3g} times as long" in said
    assert ranked(advice.tried)[0].candidate.name in said
    for line in as_json(advice)["shell"]:
        assert f"  {line}\n" in said
    figure, data = save(advice, tmp_path / "advice.svg")
    assert json.loads(data.read_text())["best"] == best.candidate.name
    assert figure.read_bytes() == save(advice, tmp_path / "again.svg")[0].read_bytes()
