"""What zram keeps of a sector, and what it says of them all."""

from dataclasses import dataclass
from typing import NamedTuple


class Sector:
    """What the table says of one sector in use.

    handle 0: same-filled, or on the backing device at `block` (else -1). `size_bytes` of the object, a page for a huge
    one, which is stored as it is. `recompressed`: by the second algorithm.
    """

    __slots__ = ("accessed_ns", "block", "content", "handle", "huge", "incompressible", "recompressed", "size_bytes")

    def __init__(self, handle: int, size_bytes: int, content: int, accessed_ns: int, huge: bool) -> None:
        self.handle = handle
        self.size_bytes = size_bytes
        self.content = content
        self.accessed_ns = accessed_ns
        self.huge = huge
        self.incompressible = self.recompressed = False
        self.block = -1


class MmStat(NamedTuple):
    """/sys/block/zram0/mm_stat: bytes, but for the four counts of pages."""

    orig_data_size: int
    compr_data_size: int
    mem_used_total: int
    mem_limit: int
    mem_used_max: int
    same_pages: int
    pages_compacted: int
    huge_pages: int
    huge_pages_since: int


@dataclass(slots=True)
class ZramCounters:
    """What zram counts, as in mm_stat, io_stat and bd_stat. huge_pages and bd_count are of the present."""

    failed_writes: int = 0
    notify_free: int = 0
    huge_pages: int = 0
    huge_pages_since: int = 0
    recompressed_pages: int = 0
    pages_compacted: int = 0
    bd_count: int = 0
    bd_reads: int = 0
    bd_writes: int = 0
