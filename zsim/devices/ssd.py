"""Solid-state devices: a latency served many at once, and a bandwidth they share.

Left out: garbage collection, write caches that fill up, dies and channels that conflict, wear. So a tail beyond the
queue's own does not appear; fleets report reads of 0.5 to 9 ms at p99 (Weiner et al., ASPLOS 2022).
"""

from zsim.devices.block import BlockDevice, transfer_ns


class Ssd(BlockDevice):
    """Reads take `read_ns`, writes `write_ns`, `parallel` of them at once, and all data one link of that bandwidth."""

    def __init__(self, blocks: int, read_ns: int, write_ns: int, parallel: int, bandwidth_bytes_per_s: int) -> None:
        super().__init__(blocks, parallel)
        self.read_ns = read_ns
        self.write_ns = write_ns
        self.bandwidth_bytes_per_s = bandwidth_bytes_per_s
        self.page_ns = transfer_ns(1, bandwidth_bytes_per_s)

    def submit(self, now_ns: int, write: bool, slot: int, pages: int) -> int:
        """The time the request completes: its turn on the link, and its latency on one of the servers."""
        self.account(write, slot, pages)
        wire_ns = self.page_ns if pages == 1 else transfer_ns(pages, self.bandwidth_bytes_per_s)
        return self.queue.submit(now_ns, self.write_ns if write else self.read_ns, wire_ns)


class SataSsd(Ssd):
    """A SATA flash drive: 100 us reads, 50 us writes, the 32 commands of NCQ at once, 500 MB/s together.

    Typical data-sheet figures of 6 Gbit/s drives (random reads 80-150 us at depth 1, writes 30-80 us until the cache
    is full).
    """

    def __init__(
        self,
        blocks: int,
        seed: int,
        *,
        read_ns: int = 100_000,
        write_ns: int = 50_000,
        parallel: int = 32,
        bandwidth_bytes_per_s: int = 500_000_000,
    ) -> None:
        super().__init__(blocks, read_ns, write_ns, parallel, bandwidth_bytes_per_s)


class Nvme(Ssd):
    """An NVMe flash drive: 80 us reads, 20 us writes, 64 at once, 3 GB/s together.

    Typical figures of PCIe 3 x4 drives (reads 70-100 us at depth 1, writes 10-25 us into the drive's buffer).
    """

    def __init__(
        self,
        blocks: int,
        seed: int,
        *,
        read_ns: int = 80_000,
        write_ns: int = 20_000,
        parallel: int = 64,
        bandwidth_bytes_per_s: int = 3_000_000_000,
    ) -> None:
        super().__init__(blocks, read_ns, write_ns, parallel, bandwidth_bytes_per_s)


class Optane(Ssd):
    """A 3D XPoint drive: 10 us reads and writes, 16 at once, 2.5 GB/s together.

    Typical data-sheet figures of the first PCIe 3 x4 drives; no erase blocks, so leaving out collection costs nothing.
    """

    def __init__(
        self,
        blocks: int,
        seed: int,
        *,
        read_ns: int = 10_000,
        write_ns: int = 10_000,
        parallel: int = 16,
        bandwidth_bytes_per_s: int = 2_500_000_000,
    ) -> None:
        super().__init__(blocks, read_ns, write_ns, parallel, bandwidth_bytes_per_s)
