"""The backing device of zram: pages userspace had written there, a 4 KiB block each."""

from zsim.config import Config
from zsim.devices import make_device
from zsim.stores import Mm
from zsim.stores.zram_sector import ZramCounters
from zsim.units import PAGE_SIZE, parse_bytes


class Backing:
    """A block device of its own and the bitmap of its blocks: the lowest free one is taken, block 0 never.

    Every page is a bio of its own, waited for (until 6.17). Its settings are the device's defaults.
    """

    def __init__(self, config: Config, mm: Mm, count: ZramCounters) -> None:
        size = config.zram.backing_size
        footprint_pages = mm.footprint_bytes // PAGE_SIZE
        blocks = footprint_pages + 1 if size == "auto" else parse_bytes(size, mm.footprint_bytes) // PAGE_SIZE
        self.mm = mm
        self.count = count
        self.device = make_device(config.zram.backing_device, max(blocks, 1), config.seed)
        self.limit_pages = config.zram.writeback_limit
        self._taken = bytearray(self.device.blocks)
        self._taken[0] = 1

    def alloc(self) -> int:
        """A free block, or -1 (alloc_block_bdev)."""
        block = self._taken.find(0)
        if block >= 0:
            self._taken[block] = 1
        return block

    def free(self, block: int) -> None:
        """Give a block back."""
        assert self._taken[block] and block > 0
        self._taken[block] = 0

    @property
    def exhausted(self) -> bool:
        """Whether writeback_limit is used up."""
        return self.limit_pages == 0

    def read(self, block: int) -> None:
        """A fault waits for one block."""
        mm = self.mm
        now_ns = mm.now_ns + mm.spent_ns
        wait_ns = self.device.submit(now_ns, False, block, 1) - now_ns
        mm.spent_ns += wait_ns
        mm.counters.device_read_ns += wait_ns
        self.count.bd_reads += 1
        mm.counters.writeback_refaults += 1

    def write(self, block: int) -> int:
        """Submit one block; when it will be written."""
        now_ns = self.mm.now_ns + self.mm.spent_ns
        done_ns = self.device.submit(now_ns, True, block, 1)
        self.mm.latency["writeback"].record(done_ns - self.mm.now_ns)
        return done_ns

    def keep(self) -> None:
        """A page is here for good: it counts against the limit."""
        if self.limit_pages > 0:
            self.limit_pages -= 1

    def validate(self, in_use: set[int], writing: int) -> None:
        """The blocks taken are those in use, and the one under writeback."""
        taken = {block for block, bit in enumerate(self._taken) if bit}
        assert taken == in_use | {0} | ({writing} if writing > 0 else set())
        self.device.validate()
