"""Reclaim policies: which page leaves memory next."""

from array import array
from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from zsim.config import ReclaimConfig
from zsim.memory import Memory
from zsim.metrics import Counters
from zsim.reclaim.balance import Pressure
from zsim.registry import Registry
from zsim.traces.trace import TaskTrace

FREED, KEPT, ACTIVATED = range(3)
"""What became of a page that reclaim tried to free: its frame is free; it stays for now; it stays and is wanted."""

PageOut = Callable[[int], int]
"""Try to free one page (the kernel's pageout and freeing part of shrink_folio_list); FREED, KEPT or ACTIVATED."""


class ReclaimPolicy(Protocol):
    """The order in which pages lose their frames.

    The hit loop only leaves marks: the ACCESSED bit in `Memory.pte`, and, where `stamp` is not empty, in `stamp[page]`
    a number: the task's offset plus stamp_values(task)[row], or plus row * access_ns where that is empty.
    """

    stamp: "array[int]"

    def stamp_values(self, task: TaskTrace, access_ns: int) -> npt.NDArray[np.int64]:
        """Per access of a task what its stamp is made of."""
        ...

    def insert(self, page: int, refault: bool) -> None:
        """A page gets a frame; `refault`: it comes back from a copy below, not for the first time."""
        ...

    def remove(self, page: int) -> None:
        """A page loses its frame other than by `shrink`."""
        ...

    def activate(self, page: int) -> None:
        """A page is known to be wanted (a swap-cache hit, a refused write)."""
        ...

    def rotate(self, page: int) -> bool:
        """A page's write has ended: it is reclaimed next. False where reclaim is just dealing with it."""
        ...

    def shrink(self, pressure: Pressure, pageout: PageOut) -> Iterator[int]:
        """One pass at `pressure.priority`: the frames that each batch has freed, about `pressure.nr_to_reclaim` in all.

        Between two batches another may reclaim.
        """
        ...

    def snapshot_refaults(self) -> None:
        """A whole reclaim, over all its priorities, has ended."""
        ...

    def try_harder(self) -> bool:
        """Nothing was freed at any priority: whether another round would look at what this one spared."""
        ...

    def validate(self) -> None:
        """Every page with a frame is on exactly one list."""
        ...


@runtime_checkable
class ActiveLists(Protocol):
    """A policy that has Linux's active and inactive lists."""

    def lru_pages(self) -> tuple[int, int, int, int]:
        """Pages on inactive anon, active anon, inactive file and active file."""
        ...

    def was_active(self, page: int) -> bool:
        """Whether a page has been on an active list since it got its frame."""
        ...


__all__ = [
    "ACTIVATED", "FREED", "KEPT", "RECLAIM", "PageOut", "Pressure", "ReclaimPolicy", "make_policy",
]  # fmt: skip

RECLAIM = Registry(
    "reclaim policy",
    {
        "two-list": "zsim.reclaim.two_list:TwoList",
        "mglru": "zsim.reclaim.mglru:Mglru",
        "lru": "zsim.reclaim.lru:Lru",
        "clock": "zsim.reclaim.clock:Clock",
        "fifo": "zsim.reclaim.fifo:Fifo",
        "opt": "zsim.reclaim.opt:Opt",
    },
    plural="reclaim",
)


def make_policy(config: ReclaimConfig, memory: Memory, is_file: bytes, counters: Counters) -> ReclaimPolicy:
    """The policy that `config` names, over the pages of `memory`; `is_file[page]` is 1 for page cache."""
    policy: ReclaimPolicy = RECLAIM.load(config.policy)(config, memory, is_file, counters)
    return policy
