"""Eviction from the oldest generation: evict_folios and what it calls, in mm/vmscan.c of 6.1 to 6.12."""

import numpy as np

from zsim.config import ReclaimConfig
from zsim.memory import ACCESSED, LOCKED, PG_DIRTY, PRESENT, RECLAIM, UNFLUSHED, WRITEBACK, Memory
from zsim.metrics import Counters
from zsim.reclaim import ACTIVATED, FREED, KEPT, PageOut
from zsim.reclaim.balance import ANON, FILE
from zsim.reclaim.generations import MAX_NR_GENS, MIN_NR_GENS, NOWHERE, Generations
from zsim.reclaim.pagewalk import PageWalk

MAX_SWAPPINESS = 200
MAX_LRU_BATCHES = 64
PAGEVEC_SIZE = 15


class Eviction:
    """Takes pages from the oldest generation in batches.

    `freed` pages since it was last set to 0, `swapped` some of them anonymous; `walking` the reclaimer has walked page
    tables (kswapd always), so that what it finds accessed moves in generation only, not on the lists.
    """

    def __init__(
        self,
        config: ReclaimConfig,
        memory: Memory,
        generations: Generations,
        walks: PageWalk,
        counters: Counters,
    ) -> None:
        self.memory = memory
        self.generations = generations
        self.walks = walks
        self.counters = counters
        self.is_file = generations.is_file
        self.swappiness = config.swappiness
        self.file_recency = config.file_recency
        self.modern = config.mglru == "6.12"
        self.batch = 2 * config.batch
        self.shadow = [0] * memory.pages
        self.freed = 0
        self.swapped = False
        self.walking = False
        self._referenced: set[int] = set()

    def evict(self, pageout: PageOut) -> int:
        """evict_folios: try to free a batch; how many pages that took, 0 where there are no more.

        `freed` of them were freed.
        """
        self.freed = 0
        generations, can_swap = self.generations, self.swappiness > 0
        batch, scanned = self._isolate(can_swap)
        scanned += generations.try_to_inc_min_seq(can_swap)
        if generations.count(ANON if can_swap else FILE) == MIN_NR_GENS:
            scanned = 0
        self._shrink(batch, pageout)
        return scanned

    def _isolate(self, can_swap: bool) -> tuple[list[int], int]:
        """isolate_folios: a batch of the kind whose turn it is, or of the other where that has none."""
        kind = self._kind_to_scan()
        batch, scanned = self._scan(kind)
        if not scanned and can_swap:
            kind = FILE - kind
            batch, scanned = self._scan(kind)
        self.swapped = self.swapped or bool(batch) and kind == ANON
        return batch, scanned

    def _kind_to_scan(self) -> int:
        """The kind whose oldest generation is older, else by swappiness and refaults."""
        min_seq, swappiness = self.generations.min_seq, self.swappiness
        if not swappiness:
            return FILE
        if min_seq[ANON] < min_seq[FILE] or swappiness >= MAX_SWAPPINESS:
            return ANON
        return FILE if swappiness == 1 else self.generations.rates.kind_to_scan(swappiness)

    def _scan(self, kind: int) -> tuple[list[int], int]:
        """scan_folios: take a batch from the tail of the oldest generation; how many pages that took, 0 for none."""
        generations, batch = self.generations, list[int]()
        if generations.count(kind) == MIN_NR_GENS:
            return batch, 0
        oldest = generations.min_seq[kind] % MAX_NR_GENS
        pages = generations.lists[kind][oldest]
        scanned, most = 0, MAX_LRU_BATCHES * self.batch
        while pages and scanned < most and len(batch) < self.batch:
            page = next(iter(pages))
            scanned += 1
            if not self._sort(page, oldest):
                generations.delete(page)
                batch.append(page)
        self.counters.pgscan += len(batch)
        return batch, scanned if batch or scanned == most else 0

    def _sort(self, page: int, oldest: int) -> bool:
        """sort_folio: whether a page is not to be evicted now, and was put where it belongs."""
        generations, flags = self.generations, self.memory.flags
        if generations.gen[page] != oldest:
            generations.move(page, generations.gen[page])
        elif generations.protected[page]:
            generations.move(page, generations.inc_gen(page), at_tail=True)
            if not self.modern:
                self.note_activated(page)
        elif flags[page] & (WRITEBACK | UNFLUSHED):
            flags[page] |= RECLAIM
            generations.move(page, generations.inc_gen(page))
        else:
            return False
        return True

    def note_activated(self, page: int) -> None:
        """A refaulted page was counted as wanted: when it is spared in 6.1, when it comes back in 6.12."""
        if self.is_file[page]:
            self.counters.workingset_activate_file += 1
        else:
            self.counters.workingset_activate_anon += 1

    def _shrink(self, batch: list[int], pageout: PageOut) -> None:
        """shrink_folio_list: free what is not wanted; the rest is young again, or is being written."""
        generations = self.generations
        kept: list[tuple[int, int]] = []
        self._referenced.clear()
        for page in batch:
            outcome = ACTIVATED if self._wanted(page) else pageout(page)
            if outcome == FREED:
                self._leave_shadow(page)
            else:
                kept.append((page, generations.max_seq - (outcome == KEPT)))
        for page, seq in kept:
            if self._is_clean(page) and pageout(page) == FREED:
                self._leave_shadow(page)
            else:
                generations.add(page, seq)

    def _is_clean(self, page: int) -> bool:
        """Written while it was off the lists, so that folio_rotate_reclaimable missed it: it is tried again."""
        pte, flags = self.memory.pte[page], self.memory.flags[page]
        return not pte & PRESENT and not flags & (WRITEBACK | PG_DIRTY | UNFLUSHED | LOCKED)

    def _wanted(self, page: int) -> bool:
        """folio_check_references: whether a page has been accessed; then its neighbours may have been, too."""
        if not self.memory.pte[page] & ACCESSED or self.is_file[page] and not self.file_recency:
            return page in self._referenced
        self._promote(self.walks.look_around(page))
        self.counters.pgactivate += not self.modern
        return True

    def _promote(self, near: list[int]) -> None:
        """What lru_gen_look_around found: young from now on; pages of the same batch are spared."""
        generations = self.generations
        gen, youngest = generations.gen, generations.max_seq % MAX_NR_GENS
        self._referenced.update(page for page in near if gen[page] == NOWHERE)
        older = [page for page in near if gen[page] not in (NOWHERE, youngest)]
        if self.walking or not self.modern and len(older) >= PAGEVEC_SIZE:
            generations.update_gen(np.array(older, dtype=np.intp))
        else:
            for page in older:
                self.activate(page)

    def activate(self, page: int) -> None:
        """folio_activate: to the head of the youngest generation."""
        self.generations.delete(page)
        self.generations.add(page, self.generations.max_seq)
        self.counters.pgactivate += 1

    def _leave_shadow(self, page: int) -> None:
        """lru_gen_eviction: the oldest generation a refault will be compared with (0 is kept for none)."""
        kind = self.is_file[page]
        self.freed += 1
        self.shadow[page] = self.generations.min_seq[kind] + 1
        self.generations.rates.evicted[kind] += 1
