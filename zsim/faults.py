"""A task's page fault, from the trap to the mapped page (mm/memory.c)."""

from dataclasses import dataclass

import numpy as np

from zsim.audit import Audit
from zsim.machine import Machine
from zsim.memory import (
    ACCESSED,
    DIRTY,
    FRAME,
    LOCKED,
    PG_DIRTY,
    PRESENT,
    READAHEAD,
    SEEN,
    SWAPCACHE,
    WRITABLE,
    WRITEBACK,
)
from zsim.plug import adjacent
from zsim.readahead import BlockReadahead, ClusterReadahead, NoReadahead, Readahead, VmaReadahead
from zsim.stores import ABSENT, LOADED
from zsim.tables import Tables
from zsim.vmscan import Vmscan

BLOCKED = -1
"""The fault can go on only when a write has ended; it is to be tried again then."""

IN_SWAPCACHE = FRAME | SEEN | SWAPCACHE

MAPPED_BY = (PRESENT | ACCESSED, PRESENT | ACCESSED | WRITABLE | DIRTY)
"""The page-table entry after a read fault and after a write fault."""

COUNTED_AS = {"zero": "minor", "backing": "major_device"}
"""Faults from the zero map, and from a device of the store's own."""


@dataclass
class Window:
    """Readahead under way: pages still to come, last first; slots to read; whence and when the wanted page comes."""

    left: list[int]
    reads: list[int]
    kind: str = ""
    done_ns: int = 0


class Faults:
    """Page faults of all tasks of one machine.

    A first touch takes a frame, also for a read: the shared zero page is left out, for a recorded program's first read
    of a page mostly finds what the kernel put there. File pages are in the page cache at their first touch; once
    evicted they are read from their device. The reading task alone waits for its read; the page counts as mapped from
    the start of the fault on.
    """

    def __init__(self, machine: Machine, vmscan: Vmscan, audit: Audit | None) -> None:
        cost = machine.config.cost
        self.machine = machine
        self.vmscan = vmscan
        self.audit = audit
        self.minor_ns = cost.minor_fault_ns
        self.major_ns = cost.major_fault_ns
        self.tables = Tables(machine.memory, machine.file_block) if machine.config.memory.tables else None
        self.readahead = make_readahead(machine)
        self.dirty = vmscan.dirty
        self._begun: dict[int, Window] = {}
        """Faults that read ahead: the page, and how far that is."""
        self.kind = "minor"
        """What the last resolved fault was, by name of its latency; as in COUNTED_AS."""

    def fault(self, page: int, write: int, since_ns: int) -> int:
        """Resolve a fault that began at `since_ns`; ns from now until the task goes on, or BLOCKED."""
        machine = self.machine
        memory, count = machine.memory, machine.counters
        kind: str | None
        if memory.pte[page] & PRESENT:
            kind = self._make_writable(page)
        elif self._begun and page in self._begun:
            kind = self._read_around(page, write)
        elif memory.flags[page] & FRAME:
            kind = self._map_cached(page, write)
        elif not self._reserve(page):
            return BLOCKED
        elif memory.flags[page] & FRAME:
            kind = self._map_cached(page, write)
        elif memory.slot[page] >= 0:
            kind = self._swap_in(page, write)
        else:
            kind = self._fill(page, write)
        if kind is None:
            return BLOCKED
        self.kind = kind
        self.vmscan.end_stall(page)
        kind = COUNTED_AS.get(kind, kind)
        machine.spent_ns += self.minor_ns if kind == "minor" else self.major_ns
        machine.flush_writes()
        stall_ns = machine.now_ns + machine.spent_ns - since_ns
        machine.latency[kind].record(stall_ns)
        count.pgfault += 1
        count.stall_ns += stall_ns
        if kind == "minor":
            count.minor_faults += 1
        elif kind == "major_store":
            count.major_store += 1
        else:
            count.major_device += 1
        return machine.spent_ns

    def _make_writable(self, page: int) -> str:
        """do_wp_page: a page is written to that is mapped read-only, for it kept its slot or is a file's and clean."""
        memory = self.machine.memory
        if self.dirty and self.machine.is_file[page]:
            self.dirty.mark(page)
        memory.pte[page] |= WRITABLE | DIRTY | ACCESSED
        flags = memory.flags[page]
        if self.machine.config.swap.write_frees_copy and flags & SWAPCACHE and not flags & WRITEBACK:
            self._free_copy(page)
        return "minor"

    def _free_copy(self, page: int) -> None:
        """The slot goes, so the page is the only copy of its contents."""
        self.machine.free_slot(page)
        self.machine.memory.flags[page] |= PG_DIRTY

    def _map_cached(self, page: int, write: int) -> str:
        """The page is in memory, unmapped: in the swap cache or the page cache."""
        memory = self.machine.memory
        flags = memory.flags[page]
        if flags & SWAPCACHE:
            ahead = flags & READAHEAD > 0
            memory.flags[page] = flags & ~READAHEAD
            self.machine.counters.swap_ra_hit += ahead
            self.readahead.found(page, ahead)
        self._map(page, write)
        return "minor"

    def _map(self, page: int, write: int) -> None:
        """The end of do_swap_page: a write, or swap more than half full, frees the slot; a read keeps it."""
        machine, memory = self.machine, self.machine.memory
        machine.writes.cleaned.discard(page)
        bits = MAPPED_BY[write]
        flags = memory.flags[page]
        if not flags & SWAPCACHE:
            bits |= self._writable(page, write)
        elif not flags & WRITEBACK and (write or machine.slots.used * 2 > machine.slots.slots):
            self._free_copy(page)
            bits |= WRITABLE
        elif machine.config.swap.map_writable:
            bits |= WRITABLE
        memory.pte[page] = bits

    def _writable(self, page: int, write: int) -> int:
        """WRITABLE, but for a clean page of a file that is to tell when it gets dirty."""
        if not self.dirty or not self.machine.is_file[page]:
            return WRITABLE
        if write:
            self.dirty.mark(page)
        return 0

    def _fill(self, page: int, write: int) -> str:
        """A first touch, or a page of a file that has been evicted."""
        machine, memory = self.machine, self.machine.memory
        if not machine.is_file[page]:
            machine.take_frame(page, FRAME | SEEN | PG_DIRTY, refault=False)
            memory.pte[page] = MAPPED_BY[write] | WRITABLE
            return "minor"
        known = memory.flags[page] & SEEN
        machine.take_frame(page, FRAME | SEEN, refault=bool(known))
        memory.pte[page] = MAPPED_BY[write] | self._writable(page, write)
        if not known:
            return "minor"
        if machine.cleancache and machine.cleancache.get_page(page):
            return "major_store"
        machine.counters.filein += 1
        self._wait_for(machine.file_device.submit(self._now_ns(), False, machine.file_block[page], 1))
        return "major_device"

    def _now_ns(self) -> int:
        return self.machine.now_ns + self.machine.spent_ns

    def _wait_for(self, done_ns: int) -> None:
        wait_ns = max(done_ns - self._now_ns(), 0)
        self.machine.counters.device_read_ns += wait_ns
        self.machine.spent_ns += wait_ns

    def _swap_in(self, page: int, write: int) -> str | None:
        """do_swap_page: zero map, store, or device; None: readahead took the room, a write must end first."""
        window = self.readahead.window(page)
        if len(window) > 1:
            self._begun[page] = Window(window[::-1], [])
            return self._read_around(page, write)
        kind = self._bring_in(page, IN_SWAPCACHE)
        if kind == "major_device":
            self._note_read(page)
            self._wait_for(self._read_device([self.machine.memory.slot[page]], page))
        self._map(page, write)
        return kind

    def _bring_in(self, page: int, flags: int) -> str:
        """Give a page of the swap a frame in the swap cache; where its contents come from."""
        machine, slot = self.machine, self.machine.memory.slot[page]
        if self.audit:
            self.audit.read(page)
        machine.take_frame(page, flags, refault=True)
        if page in machine.zero_pages:
            machine.counters.swpin_zero += 1
            if slot < machine.disk_from:
                self._free_copy(page)
            return "zero"
        found = machine.store.load(slot)
        if found == ABSENT:
            machine.counters.pswpin += 1
            return "major_device"
        self._after_load(page)
        return "major_store" if found == LOADED else "backing"

    def _after_load(self, page: int) -> None:
        """Where the store kept no copy, the page is the only one; its slot waits for the next store or is free."""
        if self.machine.store.keeps_copy:
            return
        if self.machine.store.keeps_slot:
            self.machine.memory.flags[page] |= PG_DIRTY
        else:
            self._free_copy(page)

    def _read_around(self, page: int, write: int) -> str | None:
        """Bring a window into the swap cache, page by page, and map `page`; None: a write must end before the next.

        Making room may have the wanted page written back, which leaves it cached, or gone again.
        """
        memory, window = self.machine.memory, self._begun[page]
        while window.left or not memory.flags[page] & FRAME:
            near = window.left.pop() if window.left else page
            if not self._is_swapped(near):
                continue
            if not self._reserve(page):
                window.left.append(near)
                self._read_window(window, page)
                return None
            if self._is_swapped(near):
                self._bring_near(window, near, page)
        self._read_window(window, page)
        del self._begun[page]
        if not window.kind:
            return self._map_cached(page, write)
        memory.flags[page] &= ~LOCKED
        self._wait_for(window.done_ns)
        self._map(page, write)
        return window.kind

    def _is_swapped(self, page: int) -> bool:
        return not self.machine.memory.flags[page] & FRAME and self.machine.memory.slot[page] >= 0

    def _bring_near(self, window: Window, near: int, page: int) -> None:
        kind = self._bring_in(near, IN_SWAPCACHE | (READAHEAD if near != page else LOCKED))
        if kind == "major_device":
            window.reads.append(self.machine.memory.slot[near])
        if near != page:
            self.machine.counters.swap_ra += 1
            return
        window.kind = kind
        if kind == "major_device":
            self._note_read(page)

    def _note_read(self, page: int) -> None:
        self.machine.counters.writeback_refaults += page in self.machine.written_back

    def _read_window(self, window: Window, page: int) -> None:
        """Unplug: what has been asked for so far is read."""
        window.done_ns = max(window.done_ns, self._read_device(window.reads, page))
        window.reads = []

    def _reserve(self, page: int) -> bool:
        """A frame for the fault on `page`; False: a write must end first. The wait for it is over once it is there.

        Tables for a page that is touched for the first time come before it.
        """
        if self.tables and not self.machine.memory.flags[page] & SEEN:
            self.tables.touch(page)
        if not self.vmscan.reserve(page):
            return False
        self.vmscan.end_stall(page)
        return True

    def _read_device(self, slots: list[int], page: int) -> int:
        """Read slots in merged requests; when the one with the slot of `page` is done, 0 where it is not among them."""
        at_ns, wanted, found_ns = self._now_ns(), self.machine.memory.slot[page], 0
        for run in adjacent(sorted(set(slots))) if len(slots) > 1 else [slots] if slots else []:
            done_ns = self.machine.swap_device.submit(at_ns, False, run[0] - self.machine.disk_from, len(run))
            if run[0] <= wanted <= run[-1]:
                found_ns = done_ns
        return found_ns

    def exit(self, task: int) -> None:
        """exit_mmap: anonymous pages, their slots and copies go; pages of files stay in the page cache, unmapped."""
        machine, memory = self.machine, self.machine.memory
        for page in np.flatnonzero(memory.owner == task).tolist():
            if not machine.is_file[page]:
                self.unmap(page)
            elif memory.pte[page] & DIRTY:
                memory.flags[page] |= 0 if self.dirty else PG_DIRTY
                machine.versions[page] += 1
            memory.pte[page] = 0

    def unmap(self, page: int) -> None:
        """The task gives a page up (its address came back as another kind of memory)."""
        machine, memory = self.machine, self.machine.memory
        memory.pte[page] = 0
        machine.writes.forget(page)
        if self.dirty:
            self.dirty.forget(page)
        if memory.flags[page] & FRAME:
            machine.drop_frame(page)
        if memory.slot[page] >= 0:
            machine.free_slot(page)
        if machine.cleancache:
            machine.cleancache.invalidate_page(page)
        memory.flags[page] = 0


def make_readahead(machine: Machine) -> Readahead:
    """What `swap.readahead` names; by address only where the swap device does not rotate."""
    swap, memory = machine.config.swap, machine.memory
    if not swap.page_cluster:
        return NoReadahead()
    if swap.readahead == "block":
        return BlockReadahead(swap.page_cluster, memory.slot, machine.slots, machine.disk_from)
    if swap.readahead == "cluster" or machine.swap_device.rotational:
        return ClusterReadahead(swap.page_cluster, memory.slot, machine.slots, machine.disk_from)
    return VmaReadahead(swap.page_cluster, memory, machine.is_file, machine.disk_from)
