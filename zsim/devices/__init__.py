"""Block devices behind swap and files: what a request costs in time, with real queues."""

from typing import ClassVar, Protocol

from zsim.registry import Registry


class Device(Protocol):
    """A block device with its queue. Slots are 4 KiB blocks; times are absolute nanoseconds, integers.

    A device is analytic: the completion of a request is known when it is submitted, so nobody needs an event to wait.
    Requests are served in the order of submission (FIFO) by as many servers as the device has parallelism.
    """

    fails: ClassVar[bool]
    rotational: ClassVar[bool]

    def submit(self, now_ns: int, write: bool, slot: int, pages: int) -> int:
        """Queue one request for `pages` adjacent blocks from `slot` at `now_ns`; the time it completes."""
        ...

    def validate(self) -> None:
        """Recount the queue's books; an `AssertionError` where they are wrong."""
        ...


DEVICES = Registry(
    "device",
    {
        "hdd": "zsim.devices.hdd:Hdd",
        "sata-ssd": "zsim.devices.ssd:SataSsd",
        "nvme": "zsim.devices.ssd:Nvme",
        "optane": "zsim.devices.ssd:Optane",
        "network": "zsim.devices.network:Network",
        "failing": "zsim.devices.failing:Failing",
    },
)
