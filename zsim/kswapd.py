"""kswapd: what keeps a machine's free memory between its marks (balance_pgdat in mm/vmscan.c)."""

from collections.abc import Callable, Generator
from typing import Any

import simpy

from zsim.config import Config
from zsim.processor import make_processor
from zsim.vmscan import DEF_PRIORITY, MAX_RECLAIM_RETRIES, Vmscan

Steps = Generator[simpy.Event, Any, Any]


class Kswapd:
    """The thread, in a SimPy environment: woken below the low mark, it reclaims until a zone is above its high mark.

    write_ended  the event of the next end of a write
    stall        the tasks stand still for so many ns, because kswapd has the processor
    """

    def __init__(
        self,
        clock: simpy.Environment,
        vmscan: Vmscan,
        config: Config,
        write_ended: Callable[[], simpy.Event],
        stall: Callable[[int], None],
    ) -> None:
        self.clock = clock
        self.vmscan = vmscan
        self.machine = vmscan.machine
        self.write_ended = write_ended
        self.stall = stall
        self.processor = make_processor(config.cost)
        self._wanted = clock.event()
        self.machine.wake_kswapd = self.wake
        vmscan.preempted = self._preempted

    @property
    def now_ns(self) -> int:
        """The clock's time."""
        return int(self.clock.now)

    def wake(self) -> None:
        """Memory is low; after 16 runs in vain kswapd stays asleep until a task has freed something."""
        if not self._wanted.triggered and self.machine.kswapd_failures < MAX_RECLAIM_RETRIES:
            self._wanted.succeed()

    def process(self) -> Steps:
        """Sleep, get the processor, reclaim, and sleep again."""
        machine = self.machine
        while True:
            yield self._wanted
            yield self.clock.timeout(self.processor.wake(self.now_ns))
            progress_made = yield from self._balance()
            self.processor.sleep(self.now_ns)
            machine.kswapd_failures = 0 if progress_made else machine.kswapd_failures + 1
            self._wanted = self.clock.event()

    def _balance(self) -> Steps:
        """From below the low mark, pass after pass at rising pressure, until the high mark; whether it got anywhere."""
        vmscan, high_pages = self.vmscan, self.machine.room.marks.high
        priority, progress_made = DEF_PRIORITY, False
        while priority >= 1 and not vmscan.balanced():
            if vmscan.kswapd_may_rest():
                self.processor.sleep(self.now_ns)
                yield self.write_ended()
                yield self.clock.timeout(self.processor.go_on(self.now_ns))
                continue
            progress, scanned, priority = yield from self._pass(priority)
            progress_made = progress_made or progress > 0
            if scanned < high_pages or not progress:
                priority -= 1
        return progress_made

    def _pass(self, priority: int) -> Steps:
        """One pass, in as many turns on the processor as it takes."""
        machine, result = self.machine, (0, 0, priority)
        machine.begin(self.now_ns)
        for so_far in self.vmscan.kswapd_pass(priority):
            result = so_far
            yield self._work_done()
            if self.processor.preempted(self.now_ns):
                yield self.clock.timeout(self.processor.give_way(self.now_ns))
            machine.begin(self.now_ns)
        return result

    def _work_done(self) -> simpy.Event:
        """The event of the end of what was done since `Machine.begin`."""
        machine = self.machine
        machine.flush_writes()
        machine.counters.kswapd_ns += machine.spent_ns
        if self.processor.shared:
            self.stall(machine.spent_ns)
        return self.clock.timeout(machine.spent_ns)

    def _preempted(self) -> bool:
        return self.processor.preempted(self.now_ns + self.machine.spent_ns)
