"""The machine: frames, swap cache, slots, store and devices, and the meter of whoever is acting. It has no clock.

Whoever acts (a faulting task, kswapd, a worker) is given the instant it starts at; what it does happens at that
instant, and its cost is added up in `spent_ns`. Writes are handed to `on_write` with the time they will be complete.
"""

from collections.abc import Callable

import numpy as np

from zsim.config import Config
from zsim.contents import Contents
from zsim.devices import make_device
from zsim.errors import UsageError, ZsimError
from zsim.histogram import LatencyHistogram
from zsim.inversions import Inversions
from zsim.memory import FRAME, RECLAIM, SWAPCACHE, Memory
from zsim.metrics import Counters
from zsim.plug import Plug
from zsim.reclaim import ActiveLists, make_policy
from zsim.room import make_room
from zsim.stores import Cleancache, SwapDevice, make_store
from zsim.swap import SCARCE, PrioritySlots, SwapSlots
from zsim.traces.objects import file_blocks, page_objects
from zsim.traces.trace import Trace
from zsim.units import PAGE_SIZE, pages_for, parse_bytes
from zsim.writes import Target, Writes

LATENCIES = ("minor", "major_store", "major_device", "store", "writeback", "direct_reclaim", "free_page")

BATCHED = ("zswap", "none")
"""Stores whose slots are given back in batches; left out for zram, and zcache is older."""


class OutOfMemoryError(ZsimError):
    """Nothing is left to reclaim: the kernel's OOM killer would act now."""


class Machine:
    """State of the modelled machine and the operations more than one actor needs.

    `cursors[task]` is the next access of each task; what was accessed before it has happened.
    """

    def __init__(self, trace: Trace, config: Config, contents: Contents) -> None:
        footprint_bytes = trace.footprint_pages * PAGE_SIZE
        self.config = config
        self.contents = contents
        self.counters = Counters()
        self.latency = {name: LatencyHistogram() for name in LATENCIES}
        self.now_ns = 0
        self.spent_ns = 0
        self._trace = trace
        self.owner: list[int] = trace.owner.tolist()
        self.is_file = bytes(trace.is_file)
        self.file_block = file_blocks(trace)
        self.cursors = [0] * len(trace.tasks)
        self.versions = [0] * trace.pages
        self.memory = Memory(trace.pages, trace.owner, trace.numbers)
        self.policy = make_policy(config.reclaim, self.memory, self.is_file, self.counters)
        self.active_lists = self.policy if isinstance(self.policy, ActiveLists) else None
        self.footprint_bytes = footprint_bytes
        self.total_pages = _total_pages(config, footprint_bytes)
        self.file_device = make_device(config.file.device, max(1, *self.file_block, 0) + 1, config.seed)
        self.store = make_store(config, contents, self)
        disk = SwapSlots(_swap_slots(config, footprint_bytes))
        self.disk_from = self.store.disksize_pages if isinstance(self.store, SwapDevice) else 0
        """The first slot on the swap device; those before it are of the store itself."""
        self.slots = PrioritySlots(SwapSlots(self.disk_from), disk) if self.disk_from else disk
        self.slots_cache = config.swap.slots_cache if config.store in BATCHED else 0
        self.returned: list[int] = []
        """Slots given up that wait to be given back together (free_swap_slot)."""
        self.swap_device = make_device(config.swap.device, max(disk.slots, 1), config.seed, dict(config.device))
        self.cleancache: Cleancache | None = self.store if isinstance(self.store, Cleancache) else None
        self.room = make_room(config.memory, config.reclaim, footprint_bytes, self.memory, self.store)
        self.wake_kswapd: Callable[[], None] = lambda: None
        self.make_room: Callable[[], bool] = self.has_room
        self.plugged = False
        """A reclaimer is at its lists: what it wants written, in the store path too, waits in its plug."""
        self.kswapd_failures = 0
        self.zero_pages: set[int] = set()
        self.unmapped_tasks: set[int] = set()
        self.written_back: set[int] = set()
        self.inversions = Inversions()
        swap, files = (Target(it, Plug(config.swap.request_pages)) for it in (self.swap_device, self.file_device))
        self.writes = Writes(self.memory, self.policy, self.counters, self.latency["writeback"], (swap, files))

    # The meter.

    def begin(self, now_ns: int) -> None:
        """An actor starts at `now_ns`."""
        self.now_ns = now_ns
        self.spent_ns = 0

    def content(self, page: int) -> int:
        """The content id of what `page` holds now."""
        content: int = self.contents.of(page, self.cursors[self.owner[page]] - 1, self.versions[page])
        return content

    # Frames.

    def may_grow(self, pages: int) -> bool:
        """Whether the pool may take so many more frames."""
        return self.room.may_grow(pages)

    def may_spare(self, pages: int) -> bool:
        """Whether the pool may take so many more frames without touching the reserve."""
        return self.room.may_spare(pages)

    def has_room(self) -> bool:
        """Whether a page can be had without reclaim, by who has no claim to the reserve."""
        return self.room.grants(self.room.frames_left())

    def take_frame(self, page: int, flags: int, refault: bool) -> None:
        """A page gets a frame and joins reclaim's lists."""
        self.memory.flags[page] = flags
        self.inversions.gone(page)
        self.memory.take_frame(page)
        self.policy.insert(page, refault)

    def drop_frame(self, page: int) -> None:
        """A page loses its frame other than by reclaim."""
        if page in self.memory.lru_add:
            self.memory.lru_add.remove(page)
        else:
            self.policy.remove(page)
        self.memory.give_frame(page)

    def drain_lru_add(self) -> None:
        """lru_add_drain: pages read in to be written back join reclaim's lists."""
        waiting, self.memory.lru_add = self.memory.lru_add, []
        for page in waiting:
            self.policy.insert(page, refault=True)

    def evicted(self, page: int) -> None:
        """A page has given up its frame; it may have been left in the store."""
        if self.store.holds(self.memory.slot[page]):
            self.inversions.evicted(page)

    def frames(self) -> int:
        """Page frames that pages hold."""
        return self.memory.frames

    def lru_pages(self) -> tuple[int, int, int, int]:
        """Pages on inactive anon, active anon, inactive file and active file; all inactive where there are no such."""
        if self.active_lists:
            return self.active_lists.lru_pages()
        held = np.frombuffer(self.memory.flags, np.uint8) & FRAME
        files = int(np.count_nonzero(held & np.frombuffer(self.is_file, np.uint8)))
        return self.memory.frames - files, 0, files, 0

    def file_frames(self) -> int:
        """Pages of files in memory."""
        return sum(self.lru_pages()[2:])

    def was_active(self, page: int) -> bool:
        """Whether a page has been on an active list since it got its frame; every page where there is none."""
        return self.active_lists is None or self.active_lists.was_active(page)

    def file_keys(self) -> tuple[list[int], list[int]]:
        """Per page its page-cache object (-1: anonymous) and its index there."""
        objects, indexes = page_objects(self._trace)
        return objects.tolist(), indexes.tolist()

    # Writing.

    def queue_write(self, page: int) -> None:
        """Start writing a page below: to its swap slot, or to its file."""
        if self.is_file[page]:
            self.counters.fileout += 1
        else:
            self.counters.pswpout += 1
            self.note_written(page)
        self.writes.plug(page, *self._below(page))
        self.memory.flags[page] |= RECLAIM

    def flush_page(self, page: int) -> None:
        """A flusher thread starts writing a page of a file."""
        self.counters.fileout += 1
        self.writes.from_flusher.add(page)
        self.writes.plug(page, *self._below(page))

    def _below(self, page: int) -> tuple[Target, int]:
        """Where a page is written to, and its block there."""
        swap, files = self.writes.targets
        return (files, self.file_block[page]) if self.is_file[page] else (swap, self.memory.slot[page] - self.disk_from)

    def plug_is_full(self, page: int) -> bool:
        """Whether what waits to be written is to be submitted before `page` joins it."""
        target, block = self._below(page)
        return target.plug.must_flush(block)

    def has_frame(self, page: int) -> bool:
        """Whether a page is in memory, mapped or in the swap cache."""
        return self.memory.flags[page] & FRAME > 0

    def start_writeback(self, page: int) -> bool:
        """A frame in the swap cache for a stored page that is to be written (zswap_get_swap_cache_page).

        False: it has one already, or there is none. It is on reclaim's lists when a batch of such pages has come
        together, or when reclaim looks at them next.
        """
        memory = self.memory
        if self.has_frame(page) or not self.may_grow(1):
            return False
        self.note_written(page)
        memory.flags[page] = FRAME | SWAPCACHE
        memory.take_frame(page)
        memory.lru_add.append(page)
        if len(memory.lru_add) >= self.config.reclaim.folio_batch:
            self.drain_lru_add()
        return True

    def write_back(self, page: int, since_ns: int) -> None:
        """Write what start_writeback read in `since_ns`: at once, but in the store path with the reclaimer's plug."""
        self.reap()
        self.counters.pswpout += 1
        self.written_back.add(page)
        if self.config.zswap.rotate_written:
            self.memory.flags[page] |= RECLAIM
        at_ns = None if self.plugged else self.now_ns + self.spent_ns
        self.writes.write_back(page, *self._below(page), since_ns, at_ns)

    def note_written(self, page: int) -> None:
        """A page of the swap goes to a device: is it the oldest of those that were compressed?"""
        self.counters.lru_inversions += self.inversions.written(page)
        self.inversions.gone(page)

    def note_slot_written(self, slot: int) -> None:
        """The same of a page that the store has on a device of its own."""
        self.note_written(self.page_at(slot))

    def page_at(self, slot: int) -> int:
        """The page that a slot in use is of."""
        return self.slots.page_at[slot]

    def mark_for_rotation(self, page: int) -> None:
        """Reclaim met a page under writeback: it is to be next when that ends."""
        self.memory.flags[page] |= RECLAIM

    def flush_writes(self) -> None:
        """Unplug, at the end of the actor's work so far."""
        self.writes.unplug(self.now_ns + self.spent_ns)

    def reap(self) -> None:
        """Let the writes end that are done by the time the actor's work has taken so far."""
        self.writes.reap(self.now_ns + self.spent_ns)

    def write_wait_ns(self) -> int:
        """How long it is from the actor's start until a write that is under way ends; 0 where there is none."""
        next_ns = self.writes.next_ns()
        return 0 if next_ns is None else max(next_ns - self.now_ns, 0)

    @property
    def writeback_in_flight(self) -> int:
        """Pages read in from the store that are being written."""
        return len(self.writes.from_store)

    def free_slot(self, page: int) -> None:
        """The last reference to a page's slot is gone: swap cache, store entry and slot go with it."""
        slot = self.memory.slot[page]
        self.inversions.gone(page)
        self.zero_pages.discard(page)
        self.memory.slot[page] = -1
        self.memory.flags[page] &= ~SWAPCACHE
        if self.slots.slots - self.slots.used < SCARCE * self.slots_cache or not self.slots_cache:
            self.release_slots()
            self._release(slot)
            return
        if len(self.returned) == self.slots_cache:
            self.release_slots()
        self.slots.forget(slot)
        self.returned.append(slot)

    def release_slots(self) -> bool:
        """Slots that wait for it are given back, and what the store has of them dropped; whether there were any."""
        waiting, self.returned = self.returned, []
        for slot in waiting:
            self._release(slot)
        return bool(waiting)

    def _release(self, slot: int) -> None:
        self.store.invalidate(slot)
        self.slots.free(slot)

    def gauges(self) -> dict[str, int]:
        """How things stand now, by metric name."""
        memory, store = self.memory, self.store
        mapped = memory.mapped()
        return {
            "resident_pages": mapped,
            "swapcache_pages": memory.frames - mapped,
            "pool_pages": store.pages,
            "stored_pages": store.stored,
            "same_filled_pages": store.same_filled,
            "compressed_bytes": store.compressed_bytes,
            "free_pages": max(self.room.frames_left(), 0) if not self.room.is_memcg else 0,
            "slots_used": self.slots.used,
        }

    def validate(self) -> None:
        """Everything recounts itself, and the parts agree with one another."""
        for part in (self.memory, self.room, self.policy, self.store, self.slots, self.swap_device, self.file_device):
            part.validate()
        used = [slot for slot in self.memory.slot if slot >= 0]
        assert len(used) == len(set(used)) == self.slots.used - len(self.returned)
        flags, slots, compressed = self.memory.flags, self.memory.slot, self.inversions.pages()
        assert set(compressed) == {p for p, s in enumerate(slots) if not flags[p] & FRAME and self.store.holds(s)}


def _total_pages(config: Config, footprint_bytes: int) -> int:
    """RAM that percentages are of."""
    memory = config.memory
    if memory.total != "auto":
        return pages_for(parse_bytes(memory.total, footprint_bytes))
    if memory.mode == "memcg":
        return pages_for(4 * footprint_bytes)
    return parse_bytes(memory.size, footprint_bytes) // PAGE_SIZE


def _swap_slots(config: Config, footprint_bytes: int) -> int:
    if config.swap.size == "none":
        return 0
    size = "4x" if config.swap.size == "auto" else config.swap.size
    slots = parse_bytes(size, footprint_bytes) // PAGE_SIZE
    if slots < 1:
        raise UsageError(f"swap.size: {config.swap.size!r} is less than one page")
    return slots
