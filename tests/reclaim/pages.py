"""A reclaim policy with pages to put in order, and no machine around it."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tests.machines import config_of
from zsim.memory import ACCESSED, FRAME, PRESENT, SEEN, WRITABLE, WRITEBACK, Memory
from zsim.metrics import Counters
from zsim.reclaim import ACTIVATED, FREED, KEPT, Pressure, make_policy
from zsim.traces.trace import TaskTrace

MAPPED = PRESENT | WRITABLE | ACCESSED


class Pages:
    """`count` pages, those in `files` of the page cache; `future` is what the task accesses (each page once)."""

    def __init__(
        self, policy: str, count: int, files: Iterable[int] = (), future: Sequence[int] | None = None, **values: object
    ) -> None:
        config = config_of(reclaim__policy=policy, **values)
        self.memory = Memory(count)
        self.counters = Counters()
        is_file = bytes(page in set(files) for page in range(count))
        self.policy = make_policy(config.reclaim, self.memory, is_file, self.counters)
        self.future = list(range(count) if future is None else future)
        task = TaskTrace("task", np.array(self.future, dtype=np.uint32) << 1)
        self.values = self.policy.stamp_values(task, 100)
        self.row = 0
        self.evicted: list[int] = []
        self.tried: list[int] = []
        self.outcomes: dict[int, int] = {}
        self.during: Callable[[int], None] = lambda page: None

    def access(self, page: int) -> None:
        """What the hit loop or a fault leaves behind."""
        self.memory.pte[page] |= MAPPED
        if len(self.policy.stamp):
            given = len(self.values) > 0
            self.policy.stamp[page] = int(self.values[self.row % len(self.values)]) if given else self.row * 100
        self.row += 1

    def bring_in(self, *pages: int, refault: bool = False, accessed: bool = True) -> None:
        """Give pages a frame, by a fault or (not `accessed`) by readahead or writeback."""
        for page in pages:
            pte = self.memory.pte[page]
            if accessed:
                self.access(page)
            self.memory.pte[page] = pte
            self.memory.flags[page] = FRAME | SEEN
            self.memory.frames += 1
            self.policy.insert(page, refault)
            self.memory.pte[page] = MAPPED if accessed else 0

    def forget_accesses(self) -> None:
        """Clear every accessed bit."""
        for page in range(self.memory.pages):
            self.memory.pte[page] &= ~ACCESSED

    def drop(self, page: int) -> None:
        """The task gives a page up."""
        self.policy.remove(page)
        self._lose(page)

    def _lose(self, page: int) -> None:
        self.memory.pte[page] = 0
        self.memory.flags[page] = SEEN
        self.memory.frames -= 1

    def pageout(self, page: int) -> int:
        """Free a page, or whatever `outcomes` says of it."""
        assert self.memory.flags[page] & FRAME
        self.tried.append(page)
        self.during(page)
        outcome = self.outcomes.get(page, FREED)
        if outcome != ACTIVATED:
            self.memory.pte[page] = 0
            self.pressure.progress += 1
        if outcome == KEPT:
            self.memory.flags[page] |= WRITEBACK
        elif outcome == FREED:
            self._lose(page)
            self.evicted.append(page)
        return outcome

    def end_write(self, page: int) -> bool:
        """A page's write has ended; whether it is next for that."""
        self.memory.flags[page] &= ~WRITEBACK
        return self.policy.rotate(page)

    def shrink(
        self, wanted: int, priority: int = 0, is_kswapd: bool = False, is_memcg: bool = False, progress: int = 0
    ) -> list[int]:
        """One pass after others that made `progress`; the pages that were freed, in order."""
        self.pressure = Pressure(wanted, is_kswapd, is_memcg)
        self.pressure.progress = progress
        self.pressure.priority = priority
        self.evicted, self.tried = [], []
        assert sum(self.policy.shrink(self.pressure, self.pageout)) == len(self.evicted)
        return self.evicted
