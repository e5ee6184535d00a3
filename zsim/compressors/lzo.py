"""lzo and lzo-rle: no Python codec to be relied on, so sizes are those the kernel measured on the population."""

from typing import ClassVar, NoReturn

from zsim.errors import UsageError


class Lzo:
    """The kernel's "lzo" (LZO1X-1), its default compressor for zswap.

    Cost of a page: decompression from published zram figures, compression taken as lz4's.
    """

    name: ClassVar[str] = "lzo"
    compress_ns: ClassVar[int] = 5_000
    decompress_ns: ClassVar[int] = 2_400
    levels: ClassVar[range] = range(0)
    default_level: ClassVar[int] = 0
    version: ClassVar[str] = "population"

    def size_bytes(self, page: bytes, level: int) -> NoReturn:
        """A `UsageError`: there is nothing to compress with."""
        raise UsageError(f"{self.name} has no Python codec; its sizes come from the population of measured pages")


class LzoRle(Lzo):
    """The kernel's "lzo-rle" (5.1): lzo with run lengths of zeros, zram's default compressor.

    Cost of a page: as for lzo.
    """

    name: ClassVar[str] = "lzo-rle"
    decompress_ns: ClassVar[int] = 2_200
