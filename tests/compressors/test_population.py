"""zsim.compressors.population: the measured pages that others are drawn from."""

import numpy as np
import pytest

from zsim.compressors import COMPRESSORS
from zsim.compressors.population import SIMILAR, Population
from zsim.errors import UsageError


def test_every_codec_has_sizes() -> None:
    """All 4,100 pages have a size under each codec on both kernels, none larger than a page and its overhead."""
    for kernel in ("3.11", "6.1", "6.12", "6.19"):
        population = Population(kernel)
        assert population.count == 4100
        for name in COMPRESSORS.builtin:
            sizes = population.sizes_bytes(name)
            assert len(sizes) == 4100
            assert 15 < sizes.min() < 60 and 4096 < sizes.max() < 4200


def test_kernels_have_their_own_columns() -> None:
    """zstd changed between 6.1 and 6.12; older kernels are taken for 6.1, newer ones for 6.12."""
    assert (Population("6.1").sizes_bytes("zstd") != Population("6.12").sizes_bytes("zstd")).any()
    assert (Population("2013").sizes_bytes("zstd") == Population("6.1").sizes_bytes("zstd")).all()
    assert Population("6.19").kernel == "6.12"


def test_first_row() -> None:
    """The sizes are those of the table."""
    measured = {"lzo": 1802, "lzo-rle": 1812, "lz4": 1870, "lz4hc": 1682, "zstd": 1433, "deflate": 1339}
    assert {name: int(Population().sizes_bytes(name)[0]) for name in measured} == measured


def test_flags() -> None:
    """Nine pages are same-filled, one of them zero."""
    population = Population()
    assert (population.same_filled.sum(), population.zero_filled.sum()) == (9, 1)


def test_similar_pages_are_similar() -> None:
    """The pages drawn for an lz4 size are those nearest to it, all of them equally likely, none same-filled."""
    population = Population()
    lz4 = population.sizes_bytes("lz4")
    wanted = np.repeat([20, 900, 1750, 4114, 9000], 200)
    rows = population.similar(wanted, np.arange(1000, dtype=np.uint64))
    assert not population.same_filled[rows].any()
    assert len(set(rows[200:400].tolist())) == SIMILAR
    assert np.abs(lz4[rows[200:600]] - wanted[200:600]).max() < 20
    assert lz4[rows[600:]].min() > 4096 - 50


def test_unknown_codec() -> None:
    """A codec that was not measured is a usage error."""
    with pytest.raises(UsageError, match="no sizes were measured for 'brotli'"):
        Population().sizes_bytes("brotli")
