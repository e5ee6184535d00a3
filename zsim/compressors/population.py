"""Real pages whose sizes the kernel's own codecs measured: what a page without an image is drawn from.

`population.csv`: 4,100 distinct 4 KiB pages of process memory (Python, SQLite, node, Java, a C++ compiler, bash) and
files (C, Python, ELF, JSON, text, compressed), with their sizes under the lzo, lzo-rle, lz4, lz4hc, zstd and deflate
of Linux 6.1.192 and 6.12.117, and whether all machine words (or bytes: zero) are equal.
"""

import csv
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from zsim.errors import UsageError
from zsim.kernels import parse_kernel

SIMILAR = 16
"""Pages among which one of similar lz4 size is chosen."""


class Population:
    """The pages as measured on one kernel; arrays are indexed by row of the table."""

    def __init__(self, kernel: str = "6.1") -> None:
        newer = parse_kernel(kernel) >= (6, 12)
        self.kernel = "6.12" if newer else "6.1"
        self._columns = _read()
        self.count = len(self._columns["page"])
        self.same_filled = self._flags("same_filled")
        self.zero_filled = self._flags("zero")
        varied = np.flatnonzero(self.same_filled == 0)
        lz4 = self.sizes_bytes("lz4")
        self._by_lz4 = varied[np.argsort(lz4[varied], kind="stable")]
        self._lz4_sorted = lz4[self._by_lz4]

    def sizes_bytes(self, codec: str) -> npt.NDArray[np.int64]:
        """Size of every page under a codec, as the kernel compressed it at its default level."""
        name = f"kernel-{self.kernel} {codec}"
        if name not in self._columns:
            known = [column.split()[1] for column in self._columns if column.startswith(f"kernel-{self.kernel} ")]
            raise UsageError(f"no sizes were measured for {codec!r} (known: {', '.join(known)})")
        return np.array(self._columns[name], np.int64)

    def similar(self, lz4_bytes: npt.NDArray[np.int64], draws: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """A row for each lz4 size, chosen by its draw among the SIMILAR rows (not same-filled) nearest in lz4 size."""
        middle = np.searchsorted(self._lz4_sorted, lz4_bytes) - SIMILAR // 2
        first = np.clip(middle, 0, len(self._by_lz4) - SIMILAR)
        return self._by_lz4[first + (draws % np.uint64(SIMILAR)).astype(np.int64)]

    def _flags(self, column: str) -> npt.NDArray[np.uint8]:
        return np.array(self._columns[column], np.uint8)


def column(start: str) -> list[str]:
    """The one column of the table whose name begins so."""
    (name,) = [name for name in _read() if name.startswith(start)]
    return _read()[name]


@lru_cache(maxsize=1)
def _read() -> dict[str, list[str]]:
    with files("zsim.compressors").joinpath("population.csv").open(encoding="ascii") as file:
        names, *rows = csv.reader(file)
    return dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))
