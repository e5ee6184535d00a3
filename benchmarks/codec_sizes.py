"""How far the Python packages' compressed sizes are from the kernel's, on the 4,100 pages of the population.

    python benchmarks/codec_sizes.py            the table of docs/compressors.md
    python benchmarks/codec_sizes.py --update docs/compressors.md

The sizes of both are in zsim/compressors/population.csv: the kernel's from 6.1.192 and 6.12.117, the packages' as named
in its columns. Pool pages: all pages that fit stored one after the other in an empty pool.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zsim.allocators import make_allocator
from zsim.compressors.population import Population, column
from zsim.files import around
from zsim.units import PAGE_SIZE

PAIRS = (
    ("lz4", "lz4.block.compress", "python-lz4"),
    ("zstd", "ZstdCompressor(level=3)", "python-zstandard-0.25.0 Zstd"),
    ("zstd", "from_level(3, source_size=0)", "python-zstandard-0.25.0 from"),
    ("deflate", "compressobj(6, DEFLATED, -11, 8)", "python-zlib"),
)
BEGIN, END = "<!-- codec sizes: begin -->\n", "<!-- codec sizes: end -->"
Sizes = npt.NDArray[np.int64]


def main() -> None:
    """Print the table or put it into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", type=Path, help="a page with the two markers of the table")
    page = parser.parse_args().update
    if page is None:
        print(table(), end="")
        return
    before, after = around(page.read_text(), BEGIN, END)
    page.write_text(before + BEGIN + table() + END + after)


def table() -> str:
    """Markdown: a row per kernel and setting."""
    errors = "mean error | mean absolute | 5 / 50 / 95 % | largest"
    head = f"| kernel | codec | setting | equal | {errors} | zbud pages | zsmalloc |\n"
    return head + "|---|---|---|--:|--:|--:|--:|--:|--:|--:|\n" + "".join(rows())


def rows() -> Iterator[str]:
    """Errors are package less kernel, in bytes, over the pages that both make smaller."""
    for kernel in ("6.1", "6.12"):
        for codec, setting, source in PAIRS:
            theirs, ours = Population(kernel).sizes_bytes(codec), np.array(column(source), np.int64)
            error = (ours - theirs)[(ours <= PAGE_SIZE) & (theirs <= PAGE_SIZE)]
            low, middle, high = np.percentile(error, (5, 50, 95))
            pools = (pool(name, kernel, theirs, ours) for name in ("zbud", "zsmalloc"))
            yield (
                f"| {kernel} | {codec} | `{setting}` | {(error == 0).mean():.0%} | {error.mean():+.1f} "
                f"| {np.abs(error).mean():.1f} | {low:.0f} / {middle:.0f} / {high:.0f} | {np.abs(error).max()} "
                f"| {' | '.join(pools)} |\n"
            )


def pool(allocator: str, kernel: str, theirs: Sizes, ours: Sizes) -> str:
    """Pool pages with the kernel's sizes, and how many more with the package's."""
    kernels, packages = (pages_of(allocator, kernel, sizes) for sizes in (theirs, ours))
    return f"{kernels} {packages - kernels:+d} ({packages / kernels - 1:+.1%})"


def pages_of(allocator: str, kernel: str, sizes: Sizes) -> int:
    """The pool after every page that the allocator takes."""
    model = make_allocator(f"{allocator}@{kernel}", kernel, 0, lambda pages: True)
    for size in sizes[sizes <= PAGE_SIZE].tolist():
        model.alloc(size)
    return model.pages


if __name__ == "__main__":
    main()
