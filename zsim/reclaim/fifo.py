"""First in, first out."""

from collections import OrderedDict
from collections.abc import Iterator

from zsim.config import ReclaimConfig
from zsim.memory import Memory
from zsim.metrics import Counters
from zsim.reclaim.victims import Victims


class Fifo(Victims):
    """The page that has held a frame longest leaves, used or not: the textbook's baseline, as in cache simulators."""

    def __init__(self, config: ReclaimConfig, memory: Memory, is_file: bytes, counters: Counters) -> None:
        super().__init__(config, memory, is_file, counters)
        self.queue: OrderedDict[int, None] = OrderedDict()

    def insert(self, page: int, refault: bool) -> None:
        """To the end of the queue."""
        self.queue[page] = None

    def remove(self, page: int) -> None:
        """Out of the queue."""
        del self.queue[page]

    def activate(self, page: int) -> None:
        """To the end of the queue, as if it came in now."""
        self.queue.move_to_end(page)
        self.counters.pgactivate += 1

    def rotate(self, page: int) -> bool:
        """To the front of the queue, if it is there."""
        if page not in self.queue:
            return False
        self.queue.move_to_end(page, last=False)
        self.counters.pgrotated += 1
        return True

    def _victims(self) -> Iterator[int]:
        while self.queue:
            yield self.queue.popitem(last=False)[0]

    def _spare(self, page: int) -> None:
        self.queue[page] = None

    def validate(self) -> None:
        """Every page with a frame is in the queue."""
        self._check(list(self.queue))
