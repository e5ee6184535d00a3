"""What every block device keeps: its size, its queue, what it was asked for, and the settings it takes."""

from inspect import Parameter, signature
from typing import ClassVar

from zsim.devices.queue import Queue
from zsim.errors import ConfigError
from zsim.units import NS_PER_S, PAGE_SIZE


class BlockDevice:
    """`blocks` blocks of 4 KiB behind a queue; a subclass says in `submit` what a request costs."""

    fails: ClassVar[bool] = False
    rotational: ClassVar[bool] = False

    def __init__(self, blocks: int, parallel: int, links: int = 1) -> None:
        if blocks < 1:
            raise ConfigError(f"a device of {blocks} blocks holds nothing; it needs at least 1 (4 KiB)")
        self.blocks = blocks
        self.queue = Queue(parallel, links)
        self.read_requests = 0
        self.write_requests = 0
        self.read_pages = 0
        self.written_pages = 0

    @classmethod
    def settings(cls) -> dict[str, int]:
        """The keyword-only parameters of the constructor, and their defaults."""
        parameters = signature(cls).parameters.values()
        return {each.name: each.default for each in parameters if each.kind is Parameter.KEYWORD_ONLY}

    @property
    def requests(self) -> int:
        """Requests submitted, reads and writes."""
        return self.queue.requests

    @property
    def parallel(self) -> int:
        """Requests served at once."""
        return len(self.queue.free_ns)

    @property
    def busy_ns(self) -> int:
        """Time in service, summed over requests."""
        return self.queue.busy_ns

    def account(self, write: bool, slot: int, pages: int) -> None:
        """Count one request; a `ValueError` where it is not wholly on the device."""
        if pages < 1 or slot < 0 or slot + pages > self.blocks:
            raise ValueError(f"{pages} pages from block {slot} are not on a device of {self.blocks} blocks")
        if write:
            self.write_requests += 1
            self.written_pages += pages
        else:
            self.read_requests += 1
            self.read_pages += pages

    def validate(self) -> None:
        """The queue's books agree with themselves and with what was asked for."""
        self.queue.validate()
        assert self.read_requests + self.write_requests == self.queue.requests, "requests were lost or invented"
        assert self.read_requests <= self.read_pages, "a read of no pages"
        assert self.write_requests <= self.written_pages, "a write of no pages"


def transfer_ns(pages: int, bandwidth_bytes_per_s: int) -> int:
    """The time `pages` take at a bandwidth, in whole nanoseconds, never less than it really takes.

    None at all where a page takes less than one: a link of such a bandwidth stands for one that costs nothing.
    """
    if bandwidth_bytes_per_s > PAGE_SIZE * NS_PER_S:
        return 0
    return -(-pages * PAGE_SIZE * NS_PER_S // bandwidth_bytes_per_s)
