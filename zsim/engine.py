"""The event loop: tasks, kswapd, writeback and the ends of device writes in one order of time (SimPy).

Accesses of all tasks are ordered by (start time, task number); events of time T come after accesses that started before
T and before those that start at T or later. A hit only sets bits. A fault changes the machine at its start; its costs
go to the task's clock. `Engine` runs tasks from fault to fault; `ReferenceEngine` access by access, with equal results.
"""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy

from zsim.audit import Audit
from zsim.config import Config
from zsim.contents import Contents
from zsim.faults import BLOCKED, Faults
from zsim.hits import hit_loops
from zsim.kswapd import Kswapd
from zsim.machine import Machine, OutOfMemoryError
from zsim.memory import ACCESSED, DIRTY
from zsim.sampler import Sampler
from zsim.tasks import Task, unlimited_runtime_ns
from zsim.tlb import Tlb
from zsim.traces.trace import Trace
from zsim.vmscan import Vmscan
from zsim.writes import Write

OnFault = Callable[[int, int, str], None]


class Clock(simpy.Environment):
    """SimPy's environment, in ns, for tasks that run ahead of it on their own clock while nothing is due."""

    def __init__(self) -> None:
        super().__init__(initial_time=0)

    def advance(self, now_ns: int) -> None:
        """Move on to `now_ns`, before which nothing is due."""
        assert self._now <= now_ns <= self.peek()
        self._now = now_ns

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        """Do `action` at `time_ns`."""
        event = self.timeout(time_ns - self._now)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: action())


class Engine:
    """One replay of a trace on a machine.

    on_fault  told of every resolved fault: task, row, and which latency of the machine it belongs to
    """

    def __init__(self, trace: Trace, config: Config, contents: Contents, check: bool = False) -> None:
        self.trace = trace
        self.config = config
        self.check_every = config.check.every if check else 0
        self.clock = Clock()
        self.machine = Machine(trace, config, contents)
        self.audit = Audit(trace, self.machine) if check else None
        self.vmscan = Vmscan(self.machine, self.audit)
        self.faults = Faults(self.machine, self.vmscan, self.audit)
        self.loops = hit_loops(trace.accesses)
        self.pte: Any = self.machine.memory.pte
        self.stamp: Any = self.machine.policy.stamp
        self.children: dict[tuple[int, int], list[Task]] = {}
        self.tasks = self._tasks()
        self.stamped = len(self.stamp) > 0
        policy, access_ns = self.machine.policy, config.cost.access_ns
        self.stamped_values: list[Any] = [policy.stamp_values(task, access_ns) for task in trace.tasks]
        self.live = [task for task in self.tasks if task.trace.starts_after is None]
        entries = 0 if self.stamped else config.memory.tlb_entries
        self.tlbs = [Tlb(entries) for _ in self.tasks] if entries else []
        if self.vmscan.dirty:
            self.vmscan.dirty.tlbs = self.tlbs
        self.outcome = "done"
        self.on_fault: OnFault | None = None
        self.unlimited_ns = unlimited_runtime_ns(trace, config)
        self.sampler = Sampler(self.machine, self.unlimited_ns)
        if self.loops.compiled:
            self.pte = np.frombuffer(self.pte, dtype=np.uint8)
            self.stamp = np.frombuffer(self.machine.policy.stamp, np.int64) if self.stamped else self.stamp
        else:
            self._uncompiled()
        self._start_daemons()

    # Setting up.

    def _tasks(self) -> list[Task]:
        starts = [task.starts_after for task in self.trace.tasks]
        access_ns = self.config.cost.access_ns
        tasks = []
        for number, recorded in enumerate(self.trace.tasks):
            stops = {row for row, _ in recorded.remaps} | {*recorded.switches}
            stops |= {after[1] for after in starts if after and after[0] == number}
            tasks.append(Task(number, recorded, sorted({*stops, max(len(recorded.accesses) - 1, 0)}), access_ns))
        for task, after in zip(tasks, starts, strict=True):
            if after:
                self.children.setdefault(after, []).append(task)
        self.switches = [set(task.trace.switches) for task in tasks]
        self.remaps = [dict[int, list[int]]() for _ in tasks]
        for task in tasks:
            for row, page in task.trace.remaps:
                self.remaps[task.number].setdefault(row, []).append(page)
        return tasks

    def _uncompiled(self) -> None:
        """Memoryviews give plain integers, three times as fast as numpy's where the loop is not compiled."""
        for task in self.tasks:
            task.accesses = task.accesses.data
        self.stamped_values = [values.data for values in self.stamped_values]

    def _start_daemons(self) -> None:
        clock, machine = self.clock, self.machine
        self._write_ended = clock.event()
        machine.writes.on_write = self._schedule_write
        kswapd = Kswapd(clock, self.vmscan, self.config, lambda: self._write_ended, self._stall)
        clock.process(kswapd.process())
        process = machine.store.process(clock, self._work)
        if process is not None:
            clock.process(process)
        clock.process(self.sampler.process(clock))

    # Daemons.

    def _work(self, what: Callable[[], Any], counter: str) -> simpy.Event:
        """Do a piece of a daemon's work now; the event of its end, with what it gave."""
        machine = self.machine
        machine.begin(int(self.clock.now))
        result = what()
        machine.flush_writes()
        counters = machine.counters
        setattr(counters, counter, getattr(counters, counter) + machine.spent_ns)
        return self.clock.timeout(machine.spent_ns, result)

    def _stall(self, stall_ns: int) -> None:
        """The tasks stand still: kswapd has their processor. What it unmaps it flushes from the TLB with all else."""
        for task in self.live:
            task.offset_ns += stall_ns
        for tlb in self.tlbs:
            tlb.flush()

    def _schedule_write(self, write: Write) -> None:
        self.clock.at(write.done_ns, lambda: self._end_write(write))

    def _end_write(self, write: Write) -> None:
        """Pages are clean on the device (or dirty again); whoever waited for that goes on."""
        self.machine.writes.reap(write.done_ns)
        now_ns = int(self.clock.now)
        for task in self.tasks:
            if task.waiting:
                task.waiting = False
                task.offset_ns += max(now_ns - task.start_ns(task.row), 0)
        ended, self._write_ended = self._write_ended, self.clock.event()
        ended.succeed()

    # Tasks.

    def run(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Replay to the end of every task, or to OOM (`outcome`); `progress` hears of (accesses done, in all)."""
        if progress:
            self.clock.process(self._tell(progress))
        try:
            while self.live:
                self.step()
        except OutOfMemoryError:
            self.outcome = "oom"
        self.sampler.sample(self.end_ns())
        if self.audit:
            self.audit.validate()

    def end_ns(self) -> int:
        """When the last task ended, or when memory ran out."""
        return int(self.clock.now) if self.outcome == "oom" else max(task.end_ns for task in self.tasks)

    def _tell(self, progress: Callable[[int, int], None]) -> Generator[simpy.Event, Any, None]:
        while True:
            progress(sum(self.machine.cursors), self.trace.accesses)
            yield self.clock.timeout(self.sampler.interval_ns)

    def step(self) -> None:
        """On to the next thing that happens: a fault, a stop of a task, or an event."""
        if len(self.live) == 1:
            self._advance_alone(self.live[0])
        else:
            self._advance_together()

    def _advance_alone(self, task: Task) -> None:
        """One task is left: run it up to its next fault, or let the next event happen."""
        if task.waiting:
            self.clock.step()
            return
        stop = min(task.row_at(self.clock.peek()), task.next_stop)
        row = self._touch(task, stop)
        if row < stop or row == task.next_stop < task.length and task.start_ns(row) < self.clock.peek():
            self._access(task)
        elif row == task.length:
            self._finish(task)
        else:
            self.clock.step()

    def _touch(self, task: Task, stop: int) -> int:
        """Let hits happen up to the first fault or `stop`; the row the task is at then."""
        if self.stamped:
            row = self.loops.touch_stamped(
                task.accesses, self.pte, task.row, stop,
                self.stamp, self.stamped_values[task.number], task.offset_ns, task.access_ns,
            )  # fmt: skip
        elif self.tlbs:
            tlb = self.tlbs[task.number].entries
            row = self.loops.touch_walking(task.accesses, self.pte, task.row, stop, tlb)
        else:
            row = self.loops.touch(task.accesses, self.pte, task.row, stop)
        task.row = self.machine.cursors[task.number] = row
        return row

    def _advance_together(self) -> None:
        """Several tasks: find the earliest fault or stop before the next event, let all hits before it happen, act."""
        self._forget_scans()
        horizon: float = self.clock.peek()
        first: Task | None = None
        for task in self.live:
            row = task.length if task.waiting else self._look_ahead(task, horizon)
            if row < task.length and task.start_ns(row) < horizon:
                first, horizon = task, task.start_ns(row)
        for task in self.live:
            if task is first:
                self._touch(task, task.scanned)
            elif not task.waiting:
                earlier = first is not None and task.number < first.number
                self._touch(task, min(task.row_at(horizon + earlier), task.next_stop))
        if first is not None:
            self._access(first)
        elif self._none_finished():
            self.clock.step()

    def _forget_scans(self) -> None:
        """What was known of the accesses ahead of a task is void once a page of its own was unmapped."""
        unmapped = self.machine.unmapped_tasks
        for number in unmapped:
            self.tasks[number].scanned = self.tasks[number].row
        unmapped.clear()

    def _look_ahead(self, task: Task, horizon: float) -> int:
        """The row of the task's next fault or stop if that is known to start before `horizon`, else its length."""
        stop = min(task.row_at(horizon), task.next_stop)
        row = max(task.scanned, task.row)
        if row < stop:
            row = self.loops.scan(task.accesses, self.pte, row, stop)
        task.scanned = row
        return row if row < stop or row == task.next_stop else task.length

    def _none_finished(self) -> bool:
        """Let go of the tasks that have come to their end; whether there was none."""
        finished = [task for task in self.live if task.row == task.length]
        for task in finished:
            self._finish(task)
        return not finished

    def _access(self, task: Task) -> None:
        """One access by itself, at its start: a fault, a stop, or (in the reference engine) any."""
        machine, row = self.machine, task.row
        start_ns = task.start_ns(row)
        self.clock.advance(start_ns)
        machine.begin(start_ns)
        for page in self.remaps[task.number].get(row, ()):
            self.faults.unmap(page)
        page, write = int(task.accesses[row]) >> 1, int(task.accesses[row]) & 1
        if self.stamped:
            values = self.stamped_values[task.number]
            self.stamp[page] = task.offset_ns + (int(values[row]) if len(values) else row * task.access_ns)
        if self.tlbs and row in self.switches[task.number]:
            self.tlbs[task.number].flush()
        bits = machine.memory.pte[page]
        if bits & (1 << write):
            self._hit(task, page, write)
        elif not self._fault(task, page, write, start_ns):
            return
        task.row = machine.cursors[task.number] = row + 1
        if row == task.next_stop:
            task.pass_stop()
            self._start_children(task, row)
        if task.row == task.length:
            task.end_ns = task.start_ns(row) + task.access_ns
            self.clock.at(task.end_ns, lambda: self._exit(task))

    def _hit(self, task: Task, page: int, write: int) -> None:
        """The processor sets bits where it walks the page table; it does so, too, at the first write."""
        pte = self.machine.memory.pte
        if not self.tlbs or not self.tlbs[task.number].look_up(page) or write and not pte[page] & DIRTY:
            pte[page] |= ACCESSED | (write << 3)

    def _fault(self, task: Task, page: int, write: int, start_ns: int) -> bool:
        """Resolve a fault; False: the task waits for a write to end and tries again then."""
        since_ns = start_ns if task.fault_ns < 0 else task.fault_ns
        stall_ns = self.faults.fault(page, write, since_ns)
        if stall_ns == BLOCKED:
            task.fault_ns, task.waiting = since_ns, True
            task.offset_ns += self.machine.spent_ns
            return False
        task.fault_ns = -1
        task.offset_ns += stall_ns
        if self.tlbs:
            self.tlbs[task.number].look_up(page)
        if self.on_fault:
            self.on_fault(task.number, task.row, self.faults.kind)
        if self.audit and self.machine.counters.pgfault % self.check_every == 0:
            self.audit.validate()
        return True

    def _start_children(self, task: Task, row: int) -> None:
        """Tasks that start when `row` has been replayed."""
        for child in self.children.get((task.number, row), ()):
            child.offset_ns = task.start_ns(row) + task.access_ns
            self.live = sorted([*self.live, child], key=lambda live: live.number)

    def _exit(self, ended: Task) -> None:
        if self.config.memory.task_exit and any(task.row < task.length for task in self.tasks):
            self.machine.begin(int(self.clock.now))
            self.faults.exit(ended.number)

    def _finish(self, task: Task) -> None:
        self.live = [live for live in self.live if live is not task]


class ReferenceEngine(Engine):
    """The same replay one access at a time: what `Engine` is held to, counter by counter."""

    def step(self) -> None:
        """The earliest access of all tasks, or the event before it."""
        ready = [task for task in self.live if not task.waiting]
        task = min(ready, key=lambda live: (live.start_ns(live.row), live.number), default=None)
        if task is None or self.clock.peek() <= task.start_ns(task.row):
            self.clock.step()
            return
        self._access(task)
        if task.row == task.length:
            self._finish(task)
