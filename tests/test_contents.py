"""zsim.contents and imagesizes: what pages hold, what that comes to, and that it is the same every time."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from zsim.compressors.lz4 import Lz4
from zsim.compressors.population import Population
from zsim.contents import Contents, load_contents
from zsim.errors import TraceError, UsageError
from zsim.traces import Trace, open_trace
from zsim.traces.generate import Pattern, generate

SHIPPED = Path(__file__).parents[1] / "traces"


@pytest.fixture(scope="module")
def sqlite() -> Trace:
    """The recording all of whose images are there."""
    return open_trace(SHIPPED / "sqlite")


@pytest.fixture(scope="module")
def gcc() -> Trace:
    """The recording with the images of one page in four."""
    return open_trace(SHIPPED / "gcc")


def images_of(contents: Contents) -> np.ndarray:
    """The sizes of the images."""
    return np.array(contents.size_bytes[: contents.images])


def test_sizes_are_the_recorded_ones(sqlite: Trace) -> None:
    """Every image compressed now has the size that was recorded."""
    assert sqlite.images is not None
    contents = load_contents(sqlite, "lz4")
    assert (images_of(contents) != sqlite.images.sizes_bytes["lz4"]).sum() == 0
    assert not any(contents.drawn[: contents.images])


def test_zstd_is_set_as_in_the_kernel(sqlite: Trace) -> None:
    """The recorder let the library fit its tables to the page: 14 bytes off on average (docs/compressors.md)."""
    assert sqlite.images is not None
    error = images_of(load_contents(sqlite, "zstd")) - sqlite.images.sizes_bytes["zstd"]
    assert 10 < np.abs(error).mean() < 18 and np.abs(error).max() < 300


def test_sizes_of_the_kernel(sqlite: Trace) -> None:
    """Every image takes the kernel's size of a page like it under lz4; the mean stays."""
    own, kernels = (load_contents(sqlite, "zstd", sizes=sizes) for sizes in ("library", "kernel"))
    assert all(kernels.drawn[: kernels.images]) and not any(own.drawn[: own.images])
    assert set(images_of(kernels).tolist()) <= set(Population().sizes_bytes("zstd").tolist())
    assert images_of(kernels).mean() == pytest.approx(images_of(own).mean(), rel=0.1)


def test_recorded_sizes_stand_in_for_missing_images(gcc: Trace) -> None:
    """Where an image is not there, its recorded size is used at the codec's default level."""
    assert gcc.images is not None
    varied = gcc.images.same_filled == 0
    missing = varied & (gcc.images.slots < 0)
    found = images_of(load_contents(gcc, "zstd"))
    assert (found[missing] == gcc.images.sizes_bytes["zstd"][missing]).all()
    assert 0 < found[~varied].min() < 40


def test_neither_image_nor_size_draws_a_similar_page(gcc: Trace) -> None:
    """Under a codec or level that was not recorded, missing images take the size of a page like them under lz4."""
    assert gcc.images is not None
    missing = (gcc.images.slots < 0) & (gcc.images.same_filled == 0)
    for codec, level in (("deflate", 0), ("zstd", 1), ("lzo", 0)):
        contents = load_contents(gcc, codec, level)
        drawn = np.frombuffer(contents.drawn, np.uint8)[: contents.images]
        assert (drawn[missing] == 1).all()
        assert contents.drawn_share > 0.5
    lzo = images_of(contents)[missing]
    assert np.corrcoef(lzo, gcc.images.sizes_bytes["lz4"][missing])[0, 1] > 0.95
    assert set(lzo.tolist()) <= set(Population().sizes_bytes("lzo").tolist())


def test_content_of_a_page(sqlite: Trace) -> None:
    """A page with images holds the one its log names; one without draws from the population by version."""
    assert sqlite.content is not None
    contents = load_contents(sqlite, "lz4")
    starts = np.asarray(sqlite.content.starts, np.int64)
    logged = int(np.flatnonzero(np.diff(starts))[0])
    bare = int(np.flatnonzero(np.diff(starts) == 0)[0])
    for row in (0, 1000, 200_000):
        assert contents.of(logged, row, 5) == sqlite.content.at(logged, row) < contents.images
    drawn = {contents.of(bare, 0, version) for version in range(50)}
    assert len(drawn) > 45
    assert min(drawn) >= contents.images
    assert max(drawn) < len(contents.size_bytes) == len(contents.same_filled) == len(contents.zero_filled)


def test_same_size_whatever_was_asked_before(sqlite: Trace) -> None:
    """Sizes and draws do not depend on the order of calls, only on the seed."""
    one, other = load_contents(sqlite, "lzo"), load_contents(sqlite, "lzo")
    keys = [(page, 10, version) for page in range(0, sqlite.pages, 7) for version in range(3)]
    assert [one.of(*key) for key in keys] == [other.of(*key) for key in reversed(keys)][::-1]
    assert one.size_bytes == other.size_bytes
    changed = load_contents(sqlite, "lzo", seed=2)
    assert changed.size_bytes != one.size_bytes
    assert [changed.of(*key) for key in keys] != [one.of(*key) for key in keys]


def test_draws_are_spread_over_the_population() -> None:
    """Pages and versions draw all of the population about equally often."""
    trace = generate(Pattern("loop", pages=2000, accesses=2000))
    contents = load_contents(trace, "lz4")
    assert (contents.images, contents.drawn_share) == (0, 1.0)
    times = Counter(contents.of(page, 0, version) for page in range(2000) for version in range(41))
    assert len(times) == 4100
    chi_squared = sum((count - 20) ** 2 / 20 for count in times.values())
    assert abs(chi_squared - 4100) < 5 * (2 * 4100) ** 0.5


def test_draws_follow_the_page_not_its_place_in_the_trace() -> None:
    """The same page of the same task draws the same, wherever it stands in the trace."""
    one = generate(Pattern("loop", pages=50, accesses=50))
    other = generate(Pattern("uniform", pages=50, accesses=2000))
    a, b = load_contents(one, "lz4"), load_contents(other, "lz4")
    place = {number: page for page, number in enumerate(other.numbers.tolist())}
    for page, number in enumerate(one.numbers.tolist()):
        assert a.of(page, 0, 1) == b.of(place[number], 0, 1)


def test_images_named_but_not_there(tmp_path: Path) -> None:
    """Without images, the same content id draws the same page wherever it is named."""
    path = tmp_path / "t.csv"
    path.write_text("page,op,content\n1,W,77\n2,W,77\n2,W,78\n3,R,\n")
    contents = load_contents(open_trace(path), "zstd")
    assert contents.of(0, 0, 1) == contents.of(1, 1, 1) >= contents.images == 0
    assert contents.of(1, 2, 2) != contents.of(1, 1, 1)
    assert contents.drawn_share == 1.0


def test_flags_of_drawn_pages() -> None:
    """Same-filled and zero pages of the population are marked as such."""
    contents = load_contents(generate(Pattern("loop", pages=5, accesses=5)), "lz4")
    assert (sum(contents.same_filled), sum(contents.zero_filled)) == (9, 1)


def test_kernel_chooses_the_columns() -> None:
    """Sizes of drawn pages are those of the kernel asked for."""
    trace = generate(Pattern("loop", pages=5, accesses=5))
    assert load_contents(trace, "zstd").size_bytes == Population("6.1").sizes_bytes("zstd").tolist()
    assert load_contents(trace, "zstd", kernel="6.12").size_bytes == Population("6.12").sizes_bytes("zstd").tolist()


def test_sizes_are_computed_once(sqlite: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second loading takes the sizes from the cache and compresses no page; a damaged cache is not used."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = load_contents(sqlite, "lz4").size_bytes
    kept = next((tmp_path / "zsim").iterdir())
    counted = []
    real = Lz4.size_bytes
    monkeypatch.setattr(Lz4, "size_bytes", lambda self, page, level: counted.append(1) or real(self, page, level))
    assert load_contents(sqlite, "lz4").size_bytes == first
    assert len(counted) <= 1  # the page of zeros that stands for same-filled images
    kept.write_bytes(kept.read_bytes()[:-8])
    assert load_contents(sqlite, "lz4").size_bytes == first
    assert len(counted) > 14_000


def test_version_of_the_library_is_part_of_the_key(
    sqlite: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes kept from another version of the codec's library are not used."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load_contents(sqlite, "lz4")
    monkeypatch.setattr(Lz4, "version", "liblz4-9")
    load_contents(sqlite, "lz4")
    assert len(list((tmp_path / "zsim").iterdir())) == 2


def test_truncated_page_file(tmp_path: Path) -> None:
    """A page file cut short is refused, and no sizes of it are kept."""
    for suffix in ("trace.parquet", "images.parquet", "pages.zst"):
        shutil.copy(SHIPPED / f"sort.{suffix}", tmp_path)
    path = tmp_path / "sort.pages.zst"
    path.write_bytes(path.read_bytes()[:500_000])
    for _ in range(2):
        with pytest.raises(TraceError, match=r"sort\.pages\.zst: .*truncated"):
            load_contents(open_trace(tmp_path / "sort"), "lz4")


@pytest.mark.parametrize("codec, level", [("zstd", 20), ("lz4", 2), ("lzo", 1), ("deflate", -1)])
def test_levels_that_a_codec_does_not_have(sqlite: Trace, codec: str, level: int) -> None:
    """A level out of range is a usage error that names the range."""
    with pytest.raises(UsageError, match=f"{codec} has no level {level}; expected"):
        load_contents(sqlite, codec, level)


def test_unknown_compressor(sqlite: Trace) -> None:
    """A codec that is not there is a usage error with a suggestion."""
    with pytest.raises(UsageError, match="did you mean 'zstd'"):
        load_contents(sqlite, "zst")
