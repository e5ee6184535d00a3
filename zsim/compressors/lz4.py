"""lz4 and lz4hc, by the same library the kernel's copy comes from (sizes within 1 % of it on average)."""

from typing import ClassVar

from lz4 import block, library_version_string


class Lz4:
    """The kernel's "lz4": acceleration 1, the only one the kernel's crypto API offers.

    Cost of a page: decompression from published zram figures, compression measured from Python less call overhead.
    """

    name: ClassVar[str] = "lz4"
    compress_ns: ClassVar[int] = 5_000
    decompress_ns: ClassVar[int] = 1_700
    levels: ClassVar[range] = range(1, 2)
    default_level: ClassVar[int] = 1
    version: ClassVar[str] = f"liblz4-{library_version_string()}"

    def size_bytes(self, page: bytes, level: int) -> int:
        """Compressed size of one page; above PAGE_SIZE where it does not fit."""
        return len(block.compress(page, store_size=False))


class Lz4hc:
    """The kernel's "lz4hc", level 9 by default: smaller than lz4, ten times as slow, decompressed as fast.

    Cost of a page: as for lz4; compression measured at level 9.
    """

    name: ClassVar[str] = "lz4hc"
    compress_ns: ClassVar[int] = 60_000
    decompress_ns: ClassVar[int] = 1_700
    levels: ClassVar[range] = range(1, 13)
    default_level: ClassVar[int] = 9
    version: ClassVar[str] = f"liblz4-{library_version_string()}"

    def size_bytes(self, page: bytes, level: int) -> int:
        """Compressed size of one page; above PAGE_SIZE where it does not fit."""
        return len(block.compress(page, mode="high_compression", compression=level, store_size=False))
