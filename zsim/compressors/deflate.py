"""deflate, by zlib, with the kernel's parameters."""

import zlib
from typing import ClassVar


class Deflate:
    """The kernel's "deflate" (raw, window 11 bits, level 6 by default): sizes at that level are the kernel's exactly.

    Cost of a page: measured from Python less call overhead, at level 6.
    """

    name: ClassVar[str] = "deflate"
    compress_ns: ClassVar[int] = 60_000
    decompress_ns: ClassVar[int] = 12_000
    levels: ClassVar[range] = range(1, 10)
    default_level: ClassVar[int] = 6
    version: ClassVar[str] = f"zlib-{zlib.ZLIB_RUNTIME_VERSION}"

    def size_bytes(self, page: bytes, level: int) -> int:
        """Compressed size of one page; above PAGE_SIZE where it does not fit."""
        codec = zlib.compressobj(level, zlib.DEFLATED, -11, 8)
        return len(codec.compress(page)) + len(codec.flush())
