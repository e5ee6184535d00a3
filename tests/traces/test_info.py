"""zsim.traces.info and picture: what is said of a trace is so."""

import json
from pathlib import Path

import pytest

from zsim.contents import load_contents
from zsim.errors import UsageError
from zsim.traces import open_trace
from zsim.traces.generate import Pattern, generate
from zsim.traces.info import describe
from zsim.traces.picture import as_text, density, plot

SHIPPED = Path(__file__).parents[2] / "traces"


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
