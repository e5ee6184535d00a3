"""Making room: kswapd's passes, direct reclaim, and what happens to each page reclaim tries to free (mm/vmscan.c)."""

from collections.abc import Callable, Iterator

from zsim.audit import Audit
from zsim.dirty import DirtyPages
from zsim.machine import Machine, OutOfMemoryError
from zsim.memory import DIRTY, LOCKED, PG_DIRTY, PRESENT, RECLAIM, SEEN, SWAPCACHE, UNFLUSHED, WRITEBACK
from zsim.plug import adjacent
from zsim.reclaim import ACTIVATED, FREED, KEPT, Pressure
from zsim.stores import ACCEPTED, KEEP, TO_DEVICE
from zsim.zones import Zones

DEF_PRIORITY = 12
MAX_RECLAIM_RETRIES = 16
ENDLESS = 10_000
"""Rounds of direct reclaim that free pages and still find no room: the pool takes all that reclaim gives."""


class Vmscan:
    """Reclaim of one machine or cgroup.

    Only a freed page is progress where looking at a page takes time (`cost.reclaim_page_ns`): a pass goes on while what
    it writes is under way. Where it takes none no write could end meanwhile, and pages under writeback count. A
    difference to the kernel, whose reclaimers are throttled by time: who freed nothing waits for a write to end.
    """

    def __init__(self, machine: Machine, audit: Audit | None) -> None:
        self.machine = machine
        self.audit = audit
        self.dirty = DirtyPages(machine, audit) if machine.config.file.track_dirty else None
        self._began_ns: dict[int, int] = {}
        self._fruitless: dict[int, tuple[int, tuple[int, int]]] = {}
        self._pressure_now = Pressure(0)
        self._flushed_blocks: list[int] = []
        self._paged_out = 0
        self._counts_writes = not machine.config.cost.reclaim_page_ns
        self.preempted: Callable[[], bool] = lambda: False
        machine.make_room = self.make_room
        if isinstance(machine.room.batches, Zones):
            machine.room.batches.interrupted = self._interrupted

    # Room for a task's page.

    def reserve(self, page: int) -> bool:
        """Make room for one frame, for `page`; False: a write must end first. OutOfMemoryError where nothing helps."""
        room = self.machine.room
        left = room.frames_left()
        if room.wants_kswapd(left):
            self.machine.wake_kswapd()
        if room.grants(left):
            return True
        return self._direct_reclaim(page)

    def _direct_reclaim(self, page: int) -> bool:
        """try_to_free_pages again and again until the frame is there."""
        machine, room = self.machine, self.machine.room
        machine.counters.allocstall += 1
        self._began_ns.setdefault(page, machine.now_ns + machine.spent_ns)
        for _ in range(ENDLESS):
            freed = self._try_to_free(self._pressure(is_kswapd=False))
            machine.counters.pgsteal_direct += freed
            if freed:
                machine.kswapd_failures = 0
            if room.grants(room.frames_left()):
                return True
            if freed:
                self._fruitless.pop(page, None)
            elif self._hopeless(page):
                break
            elif machine.writes.pages:
                return False
        raise OutOfMemoryError("nothing left to reclaim")

    def make_room(self) -> bool:
        """Room for a worker, who is charged like a task: it reclaims in the cgroup, in a machine that is for kswapd.

        False where that is of no use before a write ends.
        """
        machine, fruitless = self.machine, 0
        if not machine.room.is_memcg:
            machine.wake_kswapd()
            return machine.has_room()
        while not machine.has_room() and fruitless < MAX_RECLAIM_RETRIES:
            freed = self._try_to_free(self._pressure(is_kswapd=False))
            machine.counters.pgsteal_direct += freed
            fruitless += not freed
            if not freed and machine.writes.pages:
                break
        return machine.has_room()

    def _hopeless(self, page: int) -> bool:
        """Whether too many looks in a row freed nothing while writes ended that cleaned nothing, or none was left."""
        machine = self.machine
        now = (machine.writes.ended, machine.writes.cleaned_pages)
        times, (ended, cleaned) = self._fruitless.get(page, (0, (-1, now[1])))
        if machine.writes.cleaned_pages != cleaned:
            times = 0
        elif machine.writes.ended != ended or not machine.writes.pages:
            times += 1
        self._fruitless[page] = (times, now)
        return times > MAX_RECLAIM_RETRIES

    def end_stall(self, page: int) -> None:
        """The fault on `page` has been resolved: what it took in direct reclaim, if it came to that."""
        if page not in self._began_ns:
            return
        machine = self.machine
        stall_ns = machine.now_ns + machine.spent_ns - self._began_ns.pop(page)
        self._fruitless.pop(page, None)
        machine.latency["direct_reclaim"].record(stall_ns)
        machine.counters.direct_reclaim_ns += stall_ns

    def _pressure(self, is_kswapd: bool) -> Pressure:
        room, batch = self.machine.room, self.machine.config.reclaim.batch
        target = max(room.marks.high, batch) if is_kswapd else batch
        self._paged_out = self.machine.writes.from_reclaim
        pressure = Pressure(target, is_kswapd, room.is_memcg)
        pressure.high_wmark_pages, pressure.above_high = room.marks.high, room.above_high
        return pressure

    def _try_to_free(self, pressure: Pressure) -> int:
        """do_try_to_free_pages: from priority 12 down until enough is freed or being written; the pages freed."""
        policy = self.machine.policy
        freed = 0
        started = pressure.progress = self._coming(pressure.nr_to_reclaim)
        while True:
            for priority in range(DEF_PRIORITY, -1, -1):
                freed += self._pass(pressure, priority)
                if pressure.satisfied:
                    break
            policy.snapshot_refaults()
            if pressure.progress > started or not policy.try_harder():
                break
        if self.dirty and not freed:
            self.dirty.flush()
        return freed

    def _coming(self, wanted: int) -> int:
        """How much of what is wanted will be free when writes under way have ended, beyond what they left already."""
        machine = self.machine
        return min(self._coming_frames(), max(wanted - len(machine.writes.cleaned), 0))

    def _coming_frames(self) -> int:
        """Pages under writeback that reclaim will find first when that ends, where those count."""
        machine = self.machine
        if not self._counts_writes:
            return 0
        writes = machine.writes
        from_others = len(writes.from_flusher)
        if not machine.config.zswap.rotate_written:
            from_others += len(writes.from_store)
        return writes.pages - from_others

    def _pass(self, pressure: Pressure, priority: int) -> int:
        return sum(self._batches(pressure, priority))

    def _batches(self, pressure: Pressure, priority: int) -> Iterator[int]:
        """One pass: the frames that each batch has freed."""
        machine = self.machine
        self._pressure_now = pressure
        pressure.priority = priority
        pressure.free_pages = machine.room.frames_left()
        pressure.now_ns = machine.now_ns + machine.spent_ns
        machine.drain_lru_add()
        machine.plugged = True
        machine.room.batches.begin_batch()
        for freed in machine.policy.shrink(pressure, self.pageout):
            yield freed
            machine.room.batches.end_batch()
            machine.room.batches.begin_batch()
        machine.room.batches.end_batch()
        machine.plugged = False
        self._let_write()
        machine.store.shrink(pressure.priority)
        self._let_write()

    def _let_write(self) -> None:
        """Submit what a pass wants written, and see what has been written meanwhile."""
        if self._flushed_blocks:
            self._submit_flushed()
        self._unplug()

    def _unplug(self) -> None:
        """Submit what waits in the plug. If it counts, it does from now on, until it is written and freed first."""
        machine, pressure = self.machine, self._pressure_now
        machine.flush_writes()
        pressure.progress += pressure.plugged
        pressure.plugged = 0
        machine.reap()
        if self._counts_writes:
            pressure.progress -= machine.writes.from_reclaim - self._paged_out
        self._paged_out = machine.writes.from_reclaim

    def kswapd_pass(self, priority: int) -> Iterator[tuple[int, int, int]]:
        """One pass of balance_pgdat: pages freed or put under writeback, pages scanned, and the priority it ran at.

        What it has come to is told whenever kswapd loses the processor, and at the end. Priorities at which the lists
        are too short to scan a page take no time and are passed over.
        """
        counters, pressure = self.machine.counters, self._pressure(is_kswapd=True)
        scanned, pressure.priority = 0, priority + 1
        while not scanned and pressure.priority > 1:
            before = counters.pgscan
            for freed in self._batches(pressure, pressure.priority - 1):
                counters.pgsteal_kswapd += freed
                if self.preempted():
                    scanned += counters.pgscan - before
                    self._suspend()
                    yield pressure.progress, scanned, pressure.priority
                    self._resume(pressure)
                    before = counters.pgscan
            scanned += counters.pgscan - before
        yield pressure.progress, scanned, pressure.priority

    def _interrupted(self) -> bool:
        return self._pressure_now.is_kswapd and self.preempted()

    def _suspend(self) -> None:
        """kswapd loses the processor before the frames of its batch are freed; its writes are submitted."""
        self.machine.plugged = False
        self.machine.room.batches.suspend_batch()
        self._let_write()

    def _resume(self, pressure: Pressure) -> None:
        self.machine.room.batches.resume_batch()
        self._pressure_now = pressure
        self._paged_out = self.machine.writes.from_reclaim
        self.machine.plugged = True

    def balanced(self) -> bool:
        """Above the high mark: kswapd may sleep."""
        return self.machine.room.balanced()

    def kswapd_may_rest(self) -> bool:
        """Whether the writes under way will free what is missing to the high mark."""
        coming = self._coming_frames()
        return coming > 0 and self.machine.room.balanced(coming)

    # One page.

    def pageout(self, page: int) -> int:
        """Unmap a page, keep its contents somewhere, free its frame: FREED, KEPT (being written) or ACTIVATED."""
        machine, memory = self.machine, self.machine.memory
        self._take_time()
        flags = memory.flags[page]
        if flags & WRITEBACK:
            machine.mark_for_rotation(page)
            return ACTIVATED
        if flags & LOCKED:
            return KEPT
        if not flags & SWAPCACHE and not machine.is_file[page]:
            if not self._add_to_swap(page):
                return ACTIVATED
            flags |= SWAPCACHE | PG_DIRTY
        flags |= self._unmap(page)
        if flags & UNFLUSHED:
            memory.flags[page] = flags & ~PG_DIRTY | RECLAIM
            return ACTIVATED
        if flags & PG_DIRTY and machine.is_file[page] and not machine.file_device.fails:
            flags &= ~PG_DIRTY
            self._flushed(page)
        memory.flags[page] = flags
        if flags & PG_DIRTY:
            outcome = self._write(page)
            if outcome != FREED:
                return outcome
        elif machine.cleancache and machine.is_file[page]:
            machine.cleancache.put_page(page, machine.content(page))
        memory.flags[page] = SEEN
        machine.writes.cleaned.discard(page)
        memory.give_frame(page)
        machine.evicted(page)
        self._pressure_now.progress += 1
        return FREED

    def _add_to_swap(self, page: int) -> bool:
        """A slot for an anonymous page; False: there is none."""
        machine = self.machine
        slot = machine.slots.alloc(page)
        if slot < 0 and machine.release_slots():
            slot = machine.slots.alloc(page)
        machine.memory.slot[page] = slot
        return slot >= 0

    def _take_time(self) -> None:
        """A page is looked at; writes end meanwhile."""
        self.machine.spent_ns += self.machine.config.cost.reclaim_page_ns
        if not self._counts_writes:
            self.machine.reap()

    def _unmap(self, page: int) -> int:
        """try_to_unmap: PG_DIRTY where the task has written to the page, else 0."""
        machine, bits = self.machine, self.machine.memory.pte[page]
        if not bits & PRESENT:
            return 0
        machine.memory.pte[page] = 0
        machine.unmapped_tasks.add(machine.owner[page])
        if not bits & DIRTY:
            return 0
        machine.versions[page] += 1
        return PG_DIRTY

    def _flushed(self, page: int) -> None:
        """Flusher threads have written a page of a file by the time reclaim meets it, which does not do so itself."""
        if self.audit:
            self.audit.written(page)
        self.machine.counters.fileout += 1
        self._flushed_blocks.append(self.machine.file_block[page])

    def _submit_flushed(self) -> None:
        """The device is busy with what flusher threads write; nobody waits for it."""
        machine = self.machine
        for run in adjacent(sorted(set(self._flushed_blocks))):
            machine.file_device.submit(machine.now_ns + machine.spent_ns, True, run[0], len(run))
        self._flushed_blocks.clear()

    def _write(self, page: int) -> int:
        """Offer a dirty page to the store, else start writing it to the device."""
        machine = self.machine
        if self.audit:
            self.audit.written(page)
        if not machine.is_file[page]:
            verdict = ACCEPTED if self._is_zero(page) else self._store(page)
            if verdict == KEEP:
                return ACTIVATED
            if verdict != TO_DEVICE:
                machine.counters.pageout += 1
                return FREED if verdict == ACCEPTED else KEPT
        machine.counters.pageout += 1
        if machine.plug_is_full(page):
            self._unplug()
        machine.queue_write(page)
        self._pressure_now.plugged += self._counts_writes
        return KEPT

    def _is_zero(self, page: int) -> bool:
        """swap_writepage since 6.12: a zero-filled page is a bit in the swap device's map, and nothing else is kept."""
        machine = self.machine
        machine.zero_pages.discard(page)
        if not machine.config.swap.zeromap or not machine.contents.zero_filled[machine.content(page)]:
            return False
        machine.store.invalidate(machine.memory.slot[page])
        machine.zero_pages.add(page)
        machine.counters.swpout_zero += 1
        return True

    def _store(self, page: int) -> int:
        machine = self.machine
        began_ns = machine.spent_ns
        verdict = machine.store.store(machine.memory.slot[page], page, machine.content(page))
        if verdict == ACCEPTED or machine.spent_ns > began_ns:
            machine.latency["store"].record(machine.spent_ns - began_ns)
        return verdict
