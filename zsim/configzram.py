"""The configuration of zram."""

from dataclasses import dataclass

from zsim.configkey import key


@dataclass(frozen=True)
class ZramConfig:
    """A zram device's attributes (/sys/block/zram0), and what userspace has it do now and then."""

    disksize: str = key(
        "auto", "the swap space it is, used before swap.device's; auto: the footprint, so that it never fills", "bytes"
    )
    mem_limit: str = key("none", "writes that would need more memory fail; bytes, units, or a share of RAM", "bytes")
    same_element: bool = key(True, "pages of one repeated word take no memory (4.11 and later); false: of zeros only")
    huge_bytes: int = key(
        0,
        "what compresses to this or more is stored as it is; 0: the allocator's huge class (4.18 and later); before: "
        "more than three quarters of a page",
        "bytes",
        at_least=0,
    )
    table_entry_bytes: int = key(
        16, "memory per page of disksize, used or not (6.1 without access times)", "bytes", at_least=0
    )
    backing_device: str = key("none", "device for pages written back, one of `zsim list devices`; none: no writeback")
    backing_size: str = key("auto", "its size; auto: room for the footprint", "bytes")
    writeback: str = key(
        "none",
        "sectors written to the backing device, one by one, uncompressed",
        choices=("none", "idle", "huge", "huge_idle", "incompressible"),
    )
    writeback_limit: int = key(-1, "pages that may be written back in all; -1: no limit", "pages", at_least=-1)
    recomp_algorithm: str = key("none", "the second algorithm: `zsim list compressors`")
    recompress: str = key(
        "none",
        "sectors tried with the second algorithm, kept where the size class is lower (6.2 and later)",
        choices=("none", "idle", "huge", "huge_idle"),
    )
    recompress_threshold: int = key(
        0, "only objects of at least so many bytes, to fewer than that", "bytes", at_least=0
    )
    compact: bool = key(False, "compaction is asked for as well (4.1 and later)")
    idle_age: str = key("10s", 'idle is what was not accessed for so long, simulated ("10ms", "2s", or ns)', "time")
    interval: str = key("1s", "userspace marks idle sectors, recompresses, writes back, compacts so often", "time")
