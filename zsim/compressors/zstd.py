"""zstd, by its own library."""

from typing import ClassVar

from zstandard import ZSTD_VERSION, ZstdCompressionParameters, ZstdCompressor


class Zstd:
    """The kernel's "zstd", level 3 by default.

    Like the kernel's it does not know how small the source is when it chooses its tables; sizes are 3 bytes from the
    kernel's on average (6.1) or 1 (6.12), where the library's own way makes it 18 (docs/compressors.md).
    Cost of a page: decompression from published zram figures, compression measured from Python less call overhead;
    both at level 3.
    """

    name: ClassVar[str] = "zstd"
    compress_ns: ClassVar[int] = 15_000
    decompress_ns: ClassVar[int] = 5_700
    levels: ClassVar[range] = range(1, 20)
    default_level: ClassVar[int] = 3
    version: ClassVar[str] = "libzstd-" + ".".join(map(str, ZSTD_VERSION)) + "-any-source"

    def __init__(self) -> None:
        self._contexts: dict[int, ZstdCompressor] = {}

    def size_bytes(self, page: bytes, level: int) -> int:
        """Compressed size of one page; above PAGE_SIZE where it does not fit."""
        context = self._contexts.get(level)
        if context is None:
            chosen = ZstdCompressionParameters.from_level(level, source_size=0, write_content_size=True)
            context = self._contexts[level] = ZstdCompressor(compression_params=chosen)
        return len(context.compress(page))
