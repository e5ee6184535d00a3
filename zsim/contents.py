"""What a page holds at any moment of a trace, and what that compresses to.

Nothing is compressed while a trace is replayed: the sizes of all images are computed once, kept in the user's cache,
and looked up. A page with no image draws a page of the population, by a seeded hash of who it is and its version.
"""

from array import array
from bisect import bisect_right

import numpy as np
import numpy.typing as npt

from zsim.compressors import COMPRESSORS, Compressor
from zsim.compressors.population import Population
from zsim.errors import UsageError
from zsim.imagesizes import UNKNOWN, image_sizes
from zsim.traces.trace import Images, Trace

_MASK = (1 << 64) - 1
_ODD = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: the increment of splitmix64, whose mixing this is
_MIX = 0xBF58476D1CE4E5B9
_IMAGE = 1 << 63


class Contents:
    """What a page holds at any moment of a trace, and what that compresses to under one codec.

    A content id names what a page holds: ids below `images` are the trace's images, those above the population's rows.
    size_bytes   by content id; above PAGE_SIZE where it does not fit a page
    same_filled  by content id: 1 where all machine words are equal; zero_filled: where all bytes are 0
    recompressed_bytes  by content id: size under a second codec, where there is one (`zram.recomp_algorithm`)
    drawn        by content id: 1 where the size is not the page's own but a population page's
    """

    def __init__(self, trace: Trace, population: Population, images: "Columns", seed: int) -> None:
        self.images = len(images.size_bytes)
        self.population = population.count
        self.size_bytes: list[int] = images.size_bytes.tolist() + images.population_bytes.tolist()
        self.recompressed_bytes: list[int] = []
        self.same_filled = bytearray(images.same_filled.tobytes() + population.same_filled.tobytes())
        self.zero_filled = bytearray(images.zero_filled.tobytes() + population.zero_filled.tobytes())
        self.drawn = bytearray(images.drawn.tobytes() + b"\1" * population.count)
        self.log = trace.content
        self._seed = mix(np.array([seed & _MASK], np.uint64)).item()
        self._keys = array("Q", _page_keys(trace, self._seed).tobytes())

    def of(self, page: int, row: int, version: int) -> int:
        """Content id of `page` once its task has replayed `row`, `version` writes after its first touch."""
        log = self.log
        if log is not None:
            first, end = log.starts[page], log.starts[page + 1]
            if first != end:
                content = log.ids[max(bisect_right(log.rows, row, first, end) - 1, first)]
                if content < self.images:
                    return content
                return self._draw(self._seed ^ _IMAGE, content)
        return self._draw(self._keys[page], version)

    def _draw(self, key: int, version: int) -> int:
        """A population page, equally likely each: the scaled high bits of a 64-bit mix of key and version."""
        bits = (key + version * _ODD) & _MASK
        bits = ((bits ^ (bits >> 30)) * _MIX) & _MASK
        return self.images + ((bits >> 32) * self.population >> 32)

    @property
    def drawn_share(self) -> float:
        """The share of what the trace's pages hold (logged images, and pages without) whose size is drawn."""
        if self.log is None:
            return 1.0
        starts = np.asarray(self.log.starts, np.int64)
        bare = int(np.count_nonzero(starts[1:] == starts[:-1]))
        ids = np.minimum(np.asarray(self.log.ids, np.int64), self.images)
        drawn = np.frombuffer(self.drawn, np.uint8)[ids].sum()
        return float((bare + drawn) / (bare + len(ids)))


class Columns:
    """Sizes and flags of a trace's images under a codec, and the population's sizes under the same."""

    def __init__(  # noqa: PLR0913
        self, images: Images | None, codec: Compressor, level: int, population: Population, seed: int, kernels: bool
    ) -> None:
        self.population_bytes = population.sizes_bytes(codec.name)
        count = 0 if images is None else images.count
        self.size_bytes = np.full(count, UNKNOWN, np.int64)
        self.same_filled = self.zero_filled = self.drawn = np.zeros(count, np.uint8)
        if images is not None:
            if not kernels:
                self.size_bytes = image_sizes(images, codec, level)
            self.same_filled = images.same_filled
            self.zero_filled = images.same_filled if images.zero_filled is None else images.zero_filled
            self.drawn = (self.size_bytes == UNKNOWN).astype(np.uint8)
            self._draw(images, population, seed)

    def _draw(self, images: Images, population: Population, seed: int) -> None:
        """Give every image of unknown size that of a population page of similar lz4 size, or of any."""
        missing = np.flatnonzero(self.drawn)
        draws = mix(missing.astype(np.uint64) * np.uint64(_ODD) + np.uint64(seed & _MASK))
        if "lz4" in images.sizes_bytes:
            rows = population.similar(images.sizes_bytes["lz4"][missing], draws)
        else:
            rows = (draws % np.uint64(population.count)).astype(np.int64)
        zero = int(np.flatnonzero(population.zero_filled)[0])
        rows[images.same_filled[missing] != 0] = zero
        self.size_bytes[missing] = self.population_bytes[rows]


def load_contents(  # noqa: PLR0913
    trace: Trace, compressor: str, level: int = 0, kernel: str = "6.1", seed: int = 1, sizes: str = "library"
) -> Contents:
    """What the trace's pages hold under `compressor` at `level` (0: its default), drawn as on `kernel` by `seed`.

    `sizes` "library": an image's size is what the Python package makes of it; "kernel": what a kernel made of a page of
    similar lz4 size, as for pages without an image.
    Sizes of images are computed once and kept in the user's cache. A name that is unknown or a level the codec does
    not have is a `UsageError`, a damaged page file a `TraceError`.
    """
    codec: Compressor = COMPRESSORS.load(compressor)()
    level = level or codec.default_level
    if codec.levels and level not in codec.levels or not codec.levels and level != codec.default_level:
        offered = f"{codec.levels[0]}..{codec.levels[-1]}" if codec.levels else "its own"
        raise UsageError(f"{compressor} has no level {level}; expected {offered}")
    population = Population(kernel)
    columns = Columns(trace.images, codec, level, population, seed, sizes == "kernel")
    return Contents(trace, population, columns, seed)


def mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """splitmix64: well-spread 64-bit hashes of 64-bit integers."""
    values = values + np.uint64(_ODD)
    values = (values ^ values >> np.uint64(30)) * np.uint64(_MIX)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)


def _page_keys(trace: Trace, seed: int) -> npt.NDArray[np.uint64]:
    """A hash of (seed, task, page number) for each page: equal wherever the page stands in the trace."""
    tasks = mix(trace.owner.astype(np.uint64) + np.uint64(seed))
    return mix(trace.numbers ^ tasks)
