"""Swap on another machine, over a network block device."""

from zsim.devices.block import BlockDevice, transfer_ns


class Network(BlockDevice):
    """Swap over 10 Gbit Ethernet: a 60 us round trip, 64 requests in flight, and 3.3 us of wire a page each way.

    The round trip is the software of both ends (50-100 us with NBD; RDMA is a matter of single microseconds: set
    `round_trip_ns`). The wire is full duplex: pages written do not wait for pages read. The far end answers from RAM.
    Left out: lost packets, congestion, other traffic, protocol headers (4 % of the wire with 1500-byte frames).
    """

    def __init__(
        self,
        blocks: int,
        seed: int,
        *,
        round_trip_ns: int = 60_000,
        parallel: int = 64,
        bandwidth_bytes_per_s: int = 1_250_000_000,
    ) -> None:
        super().__init__(blocks, parallel, links=2)
        self.round_trip_ns = round_trip_ns
        self.bandwidth_bytes_per_s = bandwidth_bytes_per_s
        self.page_ns = transfer_ns(1, bandwidth_bytes_per_s)

    def submit(self, now_ns: int, write: bool, slot: int, pages: int) -> int:
        """The time the answer is back: a turn on the wire of its direction, and the round trip."""
        self.account(write, slot, pages)
        wire_ns = self.page_ns if pages == 1 else transfer_ns(pages, self.bandwidth_bytes_per_s)
        return self.queue.submit(now_ns, self.round_trip_ns, wire_ns, link=int(write))
