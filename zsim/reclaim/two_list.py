"""Linux's classic two lists, active and inactive, for anonymous and for file pages: mm/vmscan.c and mm/workingset.c."""

from array import array
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from zsim.config import ReclaimConfig
from zsim.memory import ACCESSED, FRAME, Memory
from zsim.metrics import Counters
from zsim.reclaim import ACTIVATED, FREED, KEPT, PageOut
from zsim.reclaim.balance import ACTIVE_ANON, ACTIVE_FILE, ANON, INACTIVE_ANON, INACTIVE_FILE, Pressure, ScanBalance
from zsim.traces.trace import TaskTrace

List = OrderedDict[int, None]
"""A page list: its first key is the tail, where reclaim looks; its last the head."""

UNWANTED = -1
"""What a look at a page says besides KEPT and ACTIVATED: try to free it."""

# A page's marks: on an active list; referenced once while inactive; has been in the working set.
ACTIVE = 1
REFERENCED = 2
WORKINGSET = 4


class TwoList:
    """The default policy: second chance by the accessed bit, refault distance, anon/file balance, priorities.

    Follows 6.1 (with the values of `reclaim.*` also 3.11: anonymous pages start active, one look activates, no anon
    refaults). Left out: per-CPU batches of pages on their way to a list, executable mappings, isolation limits.
    """

    stamp: "array[int]" = array("q")

    def __init__(self, config: ReclaimConfig, memory: Memory, is_file: bytes, counters: Counters) -> None:
        self.config = config
        self.memory = memory
        self.is_file = is_file
        self.counters = counters
        self.lists: list[List] = [OrderedDict() for _ in range(4)]
        self.marks = bytearray(memory.pages)
        self.nonresident_age = 0
        self.shadow = [0] * memory.pages
        self.balance = ScanBalance(config, self.lists, counters)

    def stamp_values(self, task: TaskTrace, access_ns: int) -> npt.NDArray[np.int64]:
        """No stamps: the accessed bit is all this policy sees."""
        return np.empty(0, dtype=np.int64)

    # Pages come and go.

    def insert(self, page: int, refault: bool) -> None:
        """A new page joins the list its kind starts on; a refault within the working set the active one."""
        kind = INACTIVE_FILE if self.is_file[page] else INACTIVE_ANON
        marks = 0
        if refault:
            marks = self._refault(page, kind)
        elif kind == INACTIVE_ANON and self.config.new_anon == "active":
            marks = ACTIVE
        self.marks[page] = marks
        self.lists[kind + (marks & ACTIVE)][page] = None

    def _refault(self, page: int, kind: int) -> int:
        """The marks of a page that comes back, by its refault distance (workingset_refault)."""
        shadow, self.shadow[page] = self.shadow[page], 0
        if not shadow:
            return 0
        age, workingset = (shadow >> 1) - 1, shadow & 1
        count = self.counters
        if kind == INACTIVE_FILE:
            count.workingset_refault_file += 1
        else:
            count.workingset_refault_anon += 1
        if kind == INACTIVE_ANON and not self.config.refault_activates:
            return 0
        if self.nonresident_age - age > self.balance.pages_beside(kind):
            return 0
        self.nonresident_age += 1
        if kind == INACTIVE_FILE:
            count.workingset_activate_file += 1
        else:
            count.workingset_activate_anon += 1
        if not workingset:
            return ACTIVE
        self.balance.note_refault(kind >> 1)
        return ACTIVE | WORKINGSET

    def _list_of(self, page: int) -> List:
        return self.lists[(INACTIVE_FILE if self.is_file[page] else INACTIVE_ANON) + (self.marks[page] & ACTIVE)]

    def remove(self, page: int) -> None:
        """A page is gone (unmapped or dropped)."""
        del self._list_of(page)[page]

    def activate(self, page: int) -> None:
        """To the head of the active list."""
        self.remove(page)
        self.marks[page] |= ACTIVE
        self._list_of(page)[page] = None
        self.counters.pgactivate += 1

    def rotate(self, page: int) -> bool:
        """To the tail of the inactive list (folio_rotate_reclaimable), if it is on a list."""
        if page not in self._list_of(page):
            return False
        self.remove(page)
        self.marks[page] &= ~ACTIVE
        pages = self._list_of(page)
        pages[page] = None
        pages.move_to_end(page, last=False)
        self.counters.pgrotated += 1
        return True

    # Reclaim.

    def shrink(self, pressure: Pressure, pageout: PageOut) -> Iterator[int]:
        """shrink_lruvec: scan each list by its share at this priority, 32 pages at a time.

        It is over before that when this pass alone has freed enough, whatever those before it have.
        """
        balance, batch = self.balance, self.config.batch
        if pressure.is_kswapd:
            self._age_anon()
        left = balance.scan_counts(pressure)
        asked = list(left)
        proportional = not pressure.is_memcg and not pressure.is_kswapd and pressure.priority == 12
        before = pressure.progress
        while left[INACTIVE_ANON] or left[ACTIVE_FILE] or left[INACTIVE_FILE]:
            freed = 0
            for which in range(4):
                if left[which]:
                    scan = min(left[which], batch)
                    left[which] -= scan
                    freed += self._shrink_list(which, scan, pageout)
            enough = pressure.progress - before >= pressure.nr_to_reclaim
            yield freed
            if enough and not proportional and not balance.trim(left, asked):
                break
        self._age_anon()

    def _age_anon(self) -> None:
        """Keep the inactive list of anonymous pages from running short, whether or not they are to be scanned."""
        if self.balance.inactive_is_low(ANON):
            self._shrink_active(ACTIVE_ANON, self.config.batch)

    def flush_statistics(self) -> None:
        """Somebody reads memory.stat: reclaim knows how long its lists are now."""
        self.balance.flush()

    def snapshot_refaults(self) -> None:
        """A whole reclaim, over all its priorities, has ended."""
        self.balance.snapshot_refaults()
        self.balance.force_deactivate = False

    def try_harder(self) -> bool:
        """Nothing was freed: whether another round may do what this one skipped (force_deactivate)."""
        balance = self.balance
        again, balance.force_deactivate = balance.skipped_deactivate, balance.skipped_deactivate
        balance.skipped_deactivate = False
        return again

    def _shrink_list(self, which: int, scan: int, pageout: PageOut) -> int:
        if not which & 1:
            return self._shrink_inactive(which, scan, pageout)
        if self.balance.may_deactivate[which >> 1]:
            self._shrink_active(which, scan)
        else:
            self.balance.skipped_deactivate = True
        return 0

    def _shrink_inactive(self, which: int, scan: int, pageout: PageOut) -> int:
        """shrink_inactive_list: take `scan` pages from the tail, free what is not wanted, put the rest back."""
        pages, marks, count = self.lists[which], self.marks, self.counters
        keep: list[int] = []
        activated = 0
        scan = min(scan, len(pages))
        pageouts_before = count.pageout
        for page in [pages.popitem(last=False)[0] for _ in range(scan)]:
            outcome = self._look(page)
            if outcome == UNWANTED:
                outcome = pageout(page)
                if outcome == FREED:
                    self._leave_shadow(page)
                    continue
            if outcome == ACTIVATED:
                activated += 1
                marks[page] |= ACTIVE
            keep.append(page)
        for page in keep:
            self.lists[which + (marks[page] & ACTIVE)][page] = None
        self.nonresident_age += activated
        count.pgscan += scan
        count.pgactivate += activated
        self.balance.note_scan(which >> 1, scan, activated, count.pageout - pageouts_before, len(keep))
        return scan - len(keep)

    def _look(self, page: int) -> int:
        """folio_check_references: clear the accessed bit and judge by it."""
        pte = self.memory.pte
        if not pte[page] & ACCESSED or self.is_file[page] and not self.config.file_recency:
            self.marks[page] &= ~REFERENCED
            return UNWANTED
        pte[page] &= ~ACCESSED
        if self.marks[page] & REFERENCED or not (self.config.second_look or self.is_file[page]):
            return ACTIVATED
        self.marks[page] |= REFERENCED
        return KEPT

    def _leave_shadow(self, page: int) -> None:
        """workingset_eviction: the age a refault will be measured by (0 is kept for none), and the working-set mark."""
        self.shadow[page] = (self.nonresident_age + 1) << 1 | bool(self.marks[page] & WORKINGSET)
        self.nonresident_age += 1

    def _shrink_active(self, which: int, scan: int) -> None:
        """shrink_active_list: move pages from the active tail to the inactive head, wanted or not."""
        active, inactive = self.lists[which], self.lists[which - 1]
        pte, marks = self.memory.pte, self.marks
        scan = min(scan, len(active))
        rotated = 0
        for _ in range(scan):
            page = active.popitem(last=False)[0]
            rotated += bool(pte[page] & ACCESSED)
            pte[page] &= ~ACCESSED
            marks[page] = marks[page] & ~ACTIVE | WORKINGSET
            inactive[page] = None
        self.counters.pgdeactivate += scan
        if not self.balance.by_cost:
            self.balance.note_scan(which >> 1, scan, rotated, 0)

    def lru_pages(self) -> tuple[int, int, int, int]:
        """Pages on inactive anon, active anon, inactive file and active file."""
        inactive_anon, active_anon, inactive_file, active_file = map(len, self.lists)
        return inactive_anon, active_anon, inactive_file, active_file

    def was_active(self, page: int) -> bool:
        """Whether a page has been on an active list since it got its frame."""
        return bool(self.marks[page] & (ACTIVE | WORKINGSET))

    def validate(self) -> None:
        """Every page with a frame is on exactly one list, and on the one its marks say."""
        for which, pages in enumerate(self.lists):
            for page in pages:
                assert self.memory.flags[page] & FRAME
                assert bool(self.is_file[page]) == bool(which & 2)
                assert self.marks[page] & ACTIVE == which & 1
        assert sum(map(len, self.lists)) == self.memory.listed()
