"""CLOCK, or second chance (Corbató, "A paging experiment with the Multics system", 1968)."""

from collections.abc import Iterator

from zsim.memory import ACCESSED
from zsim.reclaim.fifo import Fifo


class Clock(Fifo):
    """A queue in which a page that was accessed since the hand last passed is passed over once.

    One hand: the front of the queue is where it stands, a page it passes over goes to the end, new pages come in just
    behind it. The access that faulted a page in counts, as it does in hardware and in Linux; cache simulators mostly
    let a new object start without a mark, and differ a little for it.
    """

    def _victims(self) -> Iterator[int]:
        pte = self.memory.pte
        while self.queue:
            page = self.queue.popitem(last=False)[0]
            if pte[page] & ACCESSED:
                pte[page] &= ~ACCESSED
                self.queue[page] = None
                self.counters.pgscan += 1
            else:
                yield page
