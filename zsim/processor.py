"""Whose turn it is on the processor: kswapd's own, or one that it shares with the task (kernel/sched/fair.c)."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from zsim.config import CostConfig

MS = 1_000_000
MIN_GRANULARITY_NS = 750_000
"""sysctl_sched_min_granularity, and 6.6's base_slice, of one processor."""


class Processor(Protocol):
    """Where kswapd runs; times are those of the clock, which goes on whoever runs."""

    shared: bool

    def wake(self, now_ns: int) -> int:
        """kswapd has been woken: in how many ns it runs."""
        ...

    def go_on(self, now_ns: int) -> int:
        """What it slept for in the midst of its work is there: in how many ns it runs."""
        ...

    def preempted(self, now_ns: int) -> bool:
        """Whether kswapd, if it has run until now, has lost the processor."""
        ...

    def give_way(self, now_ns: int) -> int:
        """It has: in how many ns it runs again."""
        ...

    def sleep(self, now_ns: int) -> None:
        """kswapd has nothing to do."""
        ...


class OwnProcessor:
    """kswapd runs beside the task, `cost.wakeup_ns` after it was woken."""

    shared = False

    def __init__(self, wakeup_ns: int) -> None:
        self.wakeup_ns = wakeup_ns

    def wake(self, now_ns: int) -> int:
        """After the wake-up."""
        return self.wakeup_ns

    def go_on(self, now_ns: int) -> int:
        """At once."""
        return 0

    def preempted(self, now_ns: int) -> bool:
        """Never."""
        return False

    def give_way(self, now_ns: int) -> int:
        """Never asked."""
        return 0

    def sleep(self, now_ns: int) -> None:
        """Nothing is counted."""


class Scheduler(NamedTuple):
    """What a fair scheduler decides of two threads of equal weight, by the time that one has run and is ahead.

    sleeper_ns  a thread that wakes is so far behind, unless it has had more
    switches    at a tick: whether who has run so long, and is so far ahead, gives way
    preempts    at a wake-up: whether who has run so long since the last tick, and is so far ahead, gives way at once
    """

    sleeper_ns: int
    switches: Callable[[int, int], bool]
    preempts: Callable[[int, int], bool]


def _cfs_switches(ran_ns: int, ahead_ns: int) -> bool:
    """check_preempt_tick: half of the 6 ms of sched_latency are over."""
    return ran_ns > 3 * MS and ahead_ns > 0 or ran_ns >= MIN_GRANULARITY_NS and ahead_ns > 3 * MS


def _cfs_preempts(ran_ns: int, ahead_ns: int) -> bool:
    """wakeup_preempt_entity: by more than sched_wakeup_granularity."""
    return ahead_ns > MS


def _eevdf(ran_ns: int, ahead_ns: int) -> bool:
    """update_deadline and pick_eevdf: the slice is used up, and the other one is eligible."""
    return ran_ns >= MIN_GRANULARITY_NS and ahead_ns >= 0


SCHEDULERS = {
    "cfs": Scheduler(3 * MS, _cfs_switches, _cfs_preempts),
    "eevdf": Scheduler(0, _eevdf, _eevdf),
}
"""CFS to 6.5, with the defaults of one processor; EEVDF as in 6.12, with the slice it protects (RUN_TO_PARITY)."""


class SharedProcessor:
    """One processor for kswapd and the task, under a fair scheduler with a periodic tick.

    The thread that has had less (its vruntime is behind) is picked when the other gives way, at ticks and wake-ups. Of
    equal weight; a task that waits for a device counts as running.
    """

    shared = True

    def __init__(self, scheduler: Scheduler, tick_ns: int, wakeup_ns: int) -> None:
        self.scheduler = scheduler
        self.tick_ns = tick_ns
        self.wakeup_ns = wakeup_ns
        self.kswapd_ns = 0
        self.vruntime_ns = 0
        self.picked_ns = 0
        """When the thread that runs was picked."""

    def wake(self, now_ns: int) -> int:
        """At once if it is far enough behind, else when the task gives way."""
        task_ns = now_ns - self.kswapd_ns
        self.vruntime_ns = max(self.vruntime_ns, task_ns - self.scheduler.sleeper_ns)
        ran_ns = now_ns - max(self.picked_ns, now_ns // self.tick_ns * self.tick_ns)
        if self.scheduler.preempts(ran_ns, task_ns - self.vruntime_ns):
            return self._pick(now_ns, self.wakeup_ns)
        return self._pick(now_ns, self._turn_ends_in(now_ns, task_ns, self.vruntime_ns))

    go_on = wake

    def preempted(self, now_ns: int) -> bool:
        """Whether there was a tick at which it had to give way."""
        task_ns = self.picked_ns - self.kswapd_ns
        return now_ns >= self.picked_ns + self._turn_ends_in(self.picked_ns, self.vruntime_ns, task_ns)

    def give_way(self, now_ns: int) -> int:
        """The task's turn."""
        self.sleep(now_ns)
        return self._pick(now_ns, self._turn_ends_in(now_ns, now_ns - self.kswapd_ns, self.vruntime_ns))

    def sleep(self, now_ns: int) -> None:
        """Count what kswapd has had; the task runs."""
        ran_ns = now_ns - self.picked_ns
        self.kswapd_ns += ran_ns
        self.vruntime_ns += ran_ns
        self.picked_ns = now_ns

    def _pick(self, now_ns: int, after_ns: int) -> int:
        self.picked_ns = now_ns + after_ns
        return after_ns

    def _turn_ends_in(self, now_ns: int, own_ns: int, other_ns: int) -> int:
        """Until the tick at which who runs, with `own_ns` of vruntime by now, gives way to the other."""
        after_ns = self.tick_ns - now_ns % self.tick_ns
        while not self.scheduler.switches(now_ns + after_ns - self.picked_ns, own_ns + after_ns - other_ns):
            after_ns += self.tick_ns
        return after_ns


def make_processor(cost: CostConfig) -> Processor:
    """The processor that `cost.processor` names."""
    if cost.processor == "own":
        return OwnProcessor(cost.wakeup_ns)
    return SharedProcessor(SCHEDULERS[cost.processor], cost.tick_ns, cost.wakeup_ns)
