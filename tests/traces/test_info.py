"""zsim.traces.info, reuse and picture: what is said of a trace is so."""

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsim.contents import load_contents
from zsim.errors import UsageError
from zsim.traces import open_trace, reuse
from zsim.traces.generate import Pattern, generate
from zsim.traces.info import describe
from zsim.traces.picture import as_text, density, plot

SHIPPED = Path(__file__).parents[2] / "traces"


def lru_refaults(pages: list[int], memory: int) -> int:
    """Refaults of an LRU list, page by page."""
    held: OrderedDict[int, None] = OrderedDict()
    seen: set[int] = set()
    refaults = 0
    for page in pages:
        if page in held:
            held.move_to_end(page)
            continue
        refaults += page in seen
        seen.add(page)
        held[page] = None
        if len(held) > memory:
            held.popitem(last=False)
    return refaults


@given(st.lists(st.integers(0, 12), min_size=1, max_size=120), st.integers(1, 13))
@settings(max_examples=80, deadline=None)
def test_stack_distances_give_lru_faults(pages: list[int], memory: int) -> None:
    """The refaults that follow from stack distances are those of an LRU list, for any memory."""
    found = reuse.reuse(np.array(pages, np.uint32))
    assert found.faults(memory) == lru_refaults(pages, memory)
    assert (found.cold, found.rate) == (len(set(pages)), 1.0)
    assert found.reuses == len(pages) - found.cold


@given(st.permutations(list(range(40))))
@settings(max_examples=50, deadline=None)
def test_larger_before(order: list[int]) -> None:
    """Larger elements before each one are counted right."""
    expected = [sum(other > value for other in order[:i]) for i, value in enumerate(order)]
    assert reuse.larger_before(np.array(order)).tolist() == expected


def test_percentiles() -> None:
    """Percentiles are distances that occur."""
    found = reuse.reuse(np.array([0, 0, 1, 0, 2, 1, 3, 3], np.uint32))
    assert found.distances.tolist() == [0, 0, 1, 2]
    assert [found.percentile_pages(percent) for percent in (0, 50, 100)] == [0, 0, 2]
    assert reuse.reuse(np.arange(3, dtype=np.uint32)).percentile_pages(50) is None


def test_sampling_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of the pages gives LRU faults and distances within some per cent of the exact ones."""
    pages = generate(Pattern("zipf", pages=20_000, accesses=400_000, alpha=0.6)).tasks[0].accesses >> 1
    exact = reuse.reuse(pages)
    monkeypatch.setattr(reuse, "EXACT_ROWS", 80_000)
    sampled = reuse.reuse(pages)
    assert 0.15 < sampled.rate < 0.25
    for memory in (5000, 10_000, 15_000):
        assert sampled.faults(memory) == pytest.approx(exact.faults(memory), rel=0.06)
    assert sampled.percentile_pages(90) == pytest.approx(exact.percentile_pages(90), rel=0.06)


@pytest.mark.parametrize("name, refaults", [("gcc", (11251, 1110, 68)), ("sqlite", (18659, 2320, 38))])
def test_description_of_a_recording(name: str, refaults: tuple[int, ...]) -> None:
    """A shipped recording has about the LRU refaults its recorder counted (which took a remapped page for the same)."""
    trace = open_trace(SHIPPED / name)
    said = describe(trace, {name: load_contents(trace, name) for name in ("lz4", "zstd")})
    for row, expected in zip(said["reuse"]["lru"], refaults, strict=True):
        assert expected - trace.pages + trace.footprint_pages <= row["refaults"] <= expected
    assert said["compressibility"][0]["ratio"] == pytest.approx({"gcc": 3.65, "sqlite": 1.69}[name], abs=0.01)
    assert said["compressibility"][1]["ratio"] == pytest.approx({"gcc": 6.12, "sqlite": 2.36}[name], abs=0.01)
    assert sum(said["working_set_pages"]) > said["footprint_pages"]
    assert said["anon_pages"] + said["file_pages"] == trace.pages
    json.dumps(said)


def test_description_without_images() -> None:
    """A trace without images is described by the population it draws from."""
    trace = generate(Pattern("uniform", pages=5, accesses=7))
    said = describe(trace, {"lzo": load_contents(trace, "lzo")})
    assert said["images"] is None
    assert said["compressibility"][0]["drawn_share"] == 1.0
    assert len(said["working_set_pages"]) == 7


def test_picture_shows_where_pages_lie() -> None:
    """Phases climb through the picture as a staircase; every access is in one cell."""
    trace = generate(Pattern("phase", pages=64, accesses=4000, phases=4))
    assert density(trace, 4, 4).sum() == 4000
    text = as_text(trace, rows=4, columns=4).split("\n")
    assert [line.rstrip("%@#*") for line in text] == ["   ", "  ", " ", ""]


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_figure_is_the_same_every_time(tmp_path: Path, suffix: str) -> None:
    """A figure's bytes depend on the trace alone."""
    trace = generate(Pattern("loop", pages=5, accesses=50))
    plot(trace, tmp_path / f"a{suffix}")
    plot(trace, tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_figure_needs_a_known_suffix(tmp_path: Path) -> None:
    """Another suffix is refused before anything is drawn."""
    with pytest.raises(UsageError, match=r"expected \.svg, \.pdf, \.png"):
        plot(generate(Pattern("loop", pages=5, accesses=50)), tmp_path / "a.jpeg")
