"""Pages on their way to a device: in a plug, in a request, written (block/blk-mq.c, end_swap_bio_write)."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from zsim.devices import Device
from zsim.histogram import LatencyHistogram
from zsim.memory import PG_DIRTY, RECLAIM, UNFLUSHED, WRITEBACK, Memory
from zsim.metrics import Counters
from zsim.plug import Plug, adjacent
from zsim.reclaim import ReclaimPolicy


class Write(NamedTuple):
    """A request under way: when it will be done, the pages it writes, whether the device fails them."""

    done_ns: int
    pages: list[int]
    failed: bool


OnWrite = Callable[[Write], None]


class Target(NamedTuple):
    """A device and the plug of writes to it."""

    device: Device
    plug: Plug


class Writes:
    """The writes of one machine; whoever calls says what time it is.

    targets        the swap device and the files'
    pages          under way, from the moment they are in a plug
    from_store     which of them were read in from the store to be written
    from_flusher   which of them are flusher threads', who need not free them
    failed         pages of these that a device has failed
    from_reclaim   pages whose write by reclaim itself has ended
    ended          requests that have ended
    cleaned_pages  pages that were written
    cleaned        those of them that reclaim will find next
    on_write       told of every request that is submitted; `watch` too
    """

    def __init__(
        self,
        memory: Memory,
        policy: ReclaimPolicy,
        counters: Counters,
        latency: LatencyHistogram,
        targets: tuple[Target, Target],
    ) -> None:
        self.memory = memory
        self.policy = policy
        self.counters = counters
        self.latency = latency
        self.targets = targets
        self.pages = self.ended = self.cleaned_pages = self.from_reclaim = 0
        self.from_store: set[int] = set()
        self.from_flusher: set[int] = set()
        self.failed: set[int] = set()
        self.cleaned: set[int] = set()
        self.on_write: OnWrite = lambda write: None
        self.watch: OnWrite = lambda write: None
        self._in_flight: list[Write] = []

    def plug(self, page: int, target: Target, block: int) -> None:
        """A page that is to be written waits in the plug."""
        target.plug.add(block, page, -1)
        self._begin(page)

    def _begin(self, page: int) -> None:
        self.memory.flags[page] = self.memory.flags[page] & ~PG_DIRTY | WRITEBACK
        self.pages += 1

    def write_back(self, page: int, target: Target, block: int, since_ns: int, at_ns: int | None) -> None:
        """Write a page read in from the store since `since_ns`: at `at_ns`, or (None) with what is in the plug."""
        self.from_store.add(page)
        self._begin(page)
        if at_ns is None:
            target.plug.add(block, page, since_ns)
        else:
            self._submit(target.device, [block], {block: (page, since_ns)}, at_ns)

    def unplug(self, at_ns: int) -> None:
        """Merge adjacent blocks into requests and submit them."""
        for device, plug in self.targets:
            if not plug.writes:
                continue
            writes = plug.take()
            for run in adjacent(sorted(writes)):
                for first in range(0, len(run), plug.request_pages):
                    self._submit(device, run[first : first + plug.request_pages], writes, at_ns)

    def _submit(self, device: Device, run: list[int], writes: dict[int, tuple[int, int]], at_ns: int) -> None:
        """One request; a page read in for writeback is timed from its start."""
        done_ns = device.submit(at_ns, True, run[0], len(run))
        pages = [writes[block] for block in run]
        for _, since_ns in pages:
            if since_ns >= 0:
                self.latency.record(done_ns - since_ns)
        write = Write(done_ns, [page for page, _ in pages], device.fails)
        heappush(self._in_flight, write)
        self.on_write(write)
        self.watch(write)

    def reap(self, by_ns: int) -> None:
        """Let those end that are done by then."""
        while self._in_flight and self._in_flight[0].done_ns <= by_ns:
            self._end(heappop(self._in_flight))

    def forget(self, page: int) -> None:
        """The page is gone. A write of it that is under way is nobody's then, also if its number comes back."""
        self.cleaned.discard(page)
        if not self.memory.flags[page] & WRITEBACK:
            return
        for write in self._in_flight:
            if page in write.pages:
                write.pages.remove(page)
                self.pages -= 1
        self.from_store.discard(page)
        self.from_flusher.discard(page)

    def next_ns(self) -> int | None:
        """When the next one will end; None where there is none."""
        return self._in_flight[0].done_ns if self._in_flight else None

    def _end(self, write: Write) -> None:
        """Clean pages are next to be reclaimed, where that was asked for; failed ones are dirty again."""
        flags = self.memory.flags
        self.ended += 1
        self.pages -= len(write.pages)
        for page in write.pages:
            rotate = flags[page] & RECLAIM and not flags[page] & (PG_DIRTY | UNFLUSHED)
            flags[page] &= ~(WRITEBACK | RECLAIM)
            if write.failed:
                self._fail(page)
            else:
                self.cleaned_pages += 1
                if rotate and self.policy.rotate(page):
                    self.cleaned.add(page)
            if page in self.from_store:
                self.from_store.discard(page)
            elif page in self.from_flusher:
                self.from_flusher.discard(page)
            else:
                self.from_reclaim += 1

    def _fail(self, page: int) -> None:
        self.counters.write_errors += 1
        if page in self.from_flusher:
            self.failed.add(page)
            self.memory.flags[page] |= UNFLUSHED
        else:
            self.memory.flags[page] |= PG_DIRTY
