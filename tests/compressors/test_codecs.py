"""zsim.compressors: every codec, held to its interface and to the sizes that the kernel measured."""

import csv
import random
from importlib.resources import files

import pytest

from zsim.compressors import COMPRESSORS, Compressor
from zsim.errors import UsageError
from zsim.units import PAGE_SIZE

NAMES = list(COMPRESSORS.builtin)
TEXT = (b"The size of a page under a codec is a matter of what the page holds. " * 60)[:PAGE_SIZE]
NOISE = random.Random(1).randbytes(PAGE_SIZE)


@pytest.mark.parametrize("name", NAMES)
def test_interface(name: str) -> None:
    """Each codec has a name, costs in integer ns, and a default among its levels."""
    codec: Compressor = COMPRESSORS.load(name)()
    assert codec.name == name
    assert isinstance(codec.compress_ns, int) and isinstance(codec.decompress_ns, int)
    assert codec.decompress_ns < codec.compress_ns
    assert codec.version
    assert not codec.levels or codec.default_level in codec.levels


@pytest.mark.parametrize("name", ["lz4", "lz4hc", "zstd", "deflate"])
def test_sizes(name: str) -> None:
    """Text shrinks, noise does not fit a page, zeros nearly vanish, and no level is larger than the lowest."""
    codec: Compressor = COMPRESSORS.load(name)()
    first, last = codec.levels[0], codec.levels[-1]
    assert codec.size_bytes(bytes(PAGE_SIZE), first) < 40 < codec.size_bytes(TEXT, first) < 400
    assert codec.size_bytes(NOISE, first) > PAGE_SIZE
    assert codec.size_bytes(TEXT, last) <= codec.size_bytes(TEXT, first)


@pytest.mark.parametrize("name", ["lzo", "lzo-rle"])
def test_lzo_has_population_sizes_only(name: str) -> None:
    """Without a Python codec the error says where sizes come from."""
    codec: Compressor = COMPRESSORS.load(name)()
    assert not codec.levels
    with pytest.raises(UsageError, match=f"{name} has no Python codec; its sizes come from the population"):
        codec.size_bytes(TEXT, 0)


def test_zeros_and_noise_are_near_the_kernels_sizes() -> None:
    """A zero page and pages that do not fit come to within a few bytes of what the kernel measured."""
    with files("zsim.compressors").joinpath("population.csv").open() as file:
        rows = list(csv.DictReader(file))
    zero = next(row for row in rows if row["zero"] == "1")
    for name in ("lz4", "lz4hc", "zstd", "deflate"):
        codec: Compressor = COMPRESSORS.load(name)()
        measured = int(zero[f"kernel-6.12 {name}"])
        assert abs(codec.size_bytes(bytes(PAGE_SIZE), codec.default_level) - measured) <= 10
        largest = max(int(row[f"kernel-6.12 {name}"]) for row in rows)
        assert abs(codec.size_bytes(NOISE, codec.default_level) - largest) <= 50
