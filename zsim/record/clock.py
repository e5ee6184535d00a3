"""A program's own time: its CPU clock, less what stopping it costs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zsim.record.thread import Thread

FIRST_GUESS_NS = 5_000.0
WEIGHT = 1 / 256


class Clock:
    """CPU time between stops, less a cost per stop that is measured on the way.

    An instruction that writes faults twice, first for reading, then for writing: what the clock says between the two
    is the cost of a stop and nothing else.
    """

    def __init__(self) -> None:
        self.cost_ns = FIRST_GUESS_NS
        self.cpu_ns = 0.0
        self._last_ns = 0.0
        self._alone: dict[int, bool] = {}

    def resumes(self, thread: "Thread") -> None:
        """The thread is about to go on."""
        self._alone[thread.tid] = alone = len(thread.space.threads) == 1
        thread.resumed_ns = thread.cpu_ns(alone)

    def stopped(self, thread: "Thread") -> None:
        """The thread has stopped: what it ran since counts."""
        if not thread.resumed_ns:
            return
        self._last_ns = thread.cpu_ns(self._alone[thread.tid]) - thread.resumed_ns
        thread.resumed_ns = 0
        ran_ns = self._last_ns - self.cost_ns
        thread.time_ns += ran_ns
        self.cpu_ns += ran_ns
        thread.space.time_ns = max(thread.space.time_ns, thread.time_ns)

    def nothing_ran(self, thread: "Thread") -> None:
        """The thread's last run was one attempt of an instruction: a measurement of the cost."""
        self.cost_ns += (min(self._last_ns, 20 * self.cost_ns) - self.cost_ns) * WEIGHT

    def now_ns(self, thread: "Thread") -> int:
        """The task's time, which never goes back."""
        return int(thread.space.time_ns)
