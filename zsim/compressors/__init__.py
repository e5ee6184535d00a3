"""Compressors: what a page comes to under a codec, and what (de)compressing one page costs."""

from typing import ClassVar, Protocol

from zsim.registry import Registry


class Compressor(Protocol):
    """A codec of the kernel's crypto API.

    `compress_ns` and `decompress_ns` are the cost of one 4 KiB page; `levels` the levels offered (empty: no Python
    implementation, sizes come from the kernel-measured population only). `version` names the library that computes
    sizes, so that sizes kept from another version are not taken for its own.
    """

    name: ClassVar[str]
    compress_ns: ClassVar[int]
    decompress_ns: ClassVar[int]
    levels: ClassVar[range]
    default_level: ClassVar[int]
    version: ClassVar[str]

    def size_bytes(self, page: bytes, level: int) -> int:
        """Compressed size of one page; above PAGE_SIZE where it does not fit a page."""
        ...


COMPRESSORS = Registry(
    "compressor",
    {
        "lz4": "zsim.compressors.lz4:Lz4",
        "lz4hc": "zsim.compressors.lz4:Lz4hc",
        "zstd": "zsim.compressors.zstd:Zstd",
        "deflate": "zsim.compressors.deflate:Deflate",
        "lzo": "zsim.compressors.lzo:Lzo",
        "lzo-rle": "zsim.compressors.lzo:LzoRle",
    },
)
