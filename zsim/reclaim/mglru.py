"""The multi-generational LRU (CONFIG_LRU_GEN) of 6.1 to 6.12: mm/vmscan.c, mm/workingset.c, mm_inline.h."""

from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from zsim.config import ReclaimConfig
from zsim.memory import RECLAIM, SEEN, Memory
from zsim.metrics import Counters
from zsim.reclaim import PageOut
from zsim.reclaim.balance import ANON, FILE, Pressure
from zsim.reclaim.eviction import Eviction
from zsim.reclaim.generations import MAX_NR_GENS, MIN_NR_GENS, NOWHERE, Generations
from zsim.reclaim.pagewalk import PageWalk
from zsim.reclaim.refaults import MIN_LRU_BATCH
from zsim.traces.trace import TaskTrace

DEF_PRIORITY = 12


class Mglru:
    """Up to four generations of pages, aged by walking page tables; the oldest is evicted.

    A batch is MIN_LRU_BATCH (64) pages, twice SWAP_CLUSTER_MAX; here twice `reclaim.batch`. Left out: tiers by accesses
    through file descriptors (all pages here are mapped), zones, several cgroups and their order, min_ttl_ms, swap that
    is nearly full, per-CPU batches of pages on their way to a list. Where a kernel's tasks are switched to
    between two agings of one reclaim, its next walk skips most page tables: here they are if kswapd is at work beside
    them, and not in a cgroup's reclaim.
    """

    stamp: "array[int]" = array("q")

    def __init__(self, config: ReclaimConfig, memory: Memory, is_file: bytes, counters: Counters) -> None:
        self.memory = memory
        self.is_file = is_file
        self.counters = counters
        self.kinds = (ANON, FILE) if config.swappiness else (FILE,)
        self.recency = (True, config.file_recency)
        self.modern = config.mglru == "6.12"
        self.mm_walk = config.mm_walk
        self.switched = False
        self.generations = Generations(memory, is_file)
        self.walks = PageWalk(memory, is_file)
        self.eviction = Eviction(config, memory, self.generations, self.walks, counters)

    def stamp_values(self, task: TaskTrace, access_ns: int) -> npt.NDArray[np.int64]:
        """No stamps: the accessed bit is all this policy sees."""
        return np.empty(0, dtype=np.int64)

    # Pages come and go.

    def insert(self, page: int, refault: bool) -> None:
        """lru_gen_add_folio: pages of a fault, or of its readahead, are the youngest.

        One read to be written is of the second youngest generation while it is written; if that is over before it
        comes on a list, it is cold, as memory without recency is.
        """
        kind, flags, generations = self.is_file[page], self.memory.flags[page], self.generations
        recency = self.recency[kind]
        in_fault = recency and bool(flags & SEEN)
        generations.protected[page] = refault and self._refault(page) and in_fault
        if in_fault or recency and flags & RECLAIM:
            generations.add(page, generations.max_seq - (not in_fault))
        else:
            generations.add(page, generations.min_seq[kind] + (generations.count(kind) > MIN_NR_GENS + 1))

    def _refault(self, page: int) -> bool:
        """lru_gen_refault: whether a page was evicted from what is still the oldest generation; it is spared once."""
        shadow, kind = self.eviction.shadow, self.is_file[page]
        recent = shadow[page] == self.generations.min_seq[kind] + 1
        if shadow[page] and (recent or self.modern):
            if kind == FILE:
                self.counters.workingset_refault_file += 1
            else:
                self.counters.workingset_refault_anon += 1
        shadow[page] = 0
        if recent:
            self.generations.rates.refaulted[kind] += 1
            if self.modern:
                self.eviction.note_activated(page)
        return recent

    def remove(self, page: int) -> None:
        """A page is gone (unmapped or dropped)."""
        self.generations.delete(page)

    def activate(self, page: int) -> None:
        """To the youngest generation."""
        self.eviction.activate(page)

    def rotate(self, page: int) -> bool:
        """To the tail of the oldest generation (folio_rotate_reclaimable), if it is on a list."""
        if self.generations.gen[page] == NOWHERE:
            return False
        self.generations.delete(page)
        self.generations.add(page, self.generations.min_seq[self.is_file[page]], at_tail=True)
        self.counters.pgrotated += 1
        return True

    # Reclaim.

    def shrink(self, pressure: Pressure, pageout: PageOut) -> Iterator[int]:
        """try_to_shrink_lruvec: batches until as many pages are scanned as the priority says."""
        eviction = self.eviction
        eviction.swapped, eviction.walking = False, pressure.is_kswapd
        first_seq, scanned = self.generations.max_seq, 0
        self.switched = not pressure.is_memcg
        self._set_initial_priority(pressure)
        if pressure.is_kswapd and not self.modern and self._must_age():
            self._age()
        while wanted := self._scan_count(pressure.priority, pressure.is_kswapd):
            batch = eviction.evict(pageout)
            scanned += batch
            of_this_pass = eviction.swapped, eviction.walking
            yield eviction.freed
            eviction.swapped, eviction.walking = of_this_pass
            if not batch or scanned >= wanted or self._enough(pressure, first_seq):
                break

    def snapshot_refaults(self) -> None:
        """Nothing is remembered between reclaims."""

    def try_harder(self) -> bool:
        """Every generation has been tried at the last priority."""
        return False

    def _set_initial_priority(self, pressure: Pressure) -> None:
        """set_initial_priority (6.12): kswapd, which wants much, begins where one pass should do."""
        if not self.modern or pressure.is_memcg or pressure.priority != DEF_PRIORITY:
            return
        if pressure.nr_to_reclaim < MIN_LRU_BATCH:
            return
        inactive = self._size(ANON, FILE) - self._size_of(self.generations.max_seq, ANON, FILE)
        inactive -= self._size_of(self.generations.max_seq - 1, ANON, FILE)
        first = inactive.bit_length() - 1 - (pressure.nr_to_reclaim - 1).bit_length()
        pressure.priority = min(max(first, DEF_PRIORITY // 2), DEF_PRIORITY)

    def _size(self, *kinds: int) -> int:
        return sum(sum(self.generations.sizes[kind]) for kind in kinds)

    def _size_of(self, seq: int, *kinds: int) -> int:
        return sum(self.generations.sizes[kind][seq % MAX_NR_GENS] for kind in kinds)

    def _must_age(self) -> bool:
        """should_run_aging: no generation is old enough to evict, or it is small, or the youngest is large."""
        oldest, youngest = self.generations.min_seq[self.kinds[0]], self.generations.max_seq
        if oldest + MIN_NR_GENS != youngest:
            return oldest + MIN_NR_GENS > youngest
        total = self._size(*self.kinds)
        young, old = self._size_of(youngest, *self.kinds), self._size_of(oldest, *self.kinds)
        return young * MIN_NR_GENS > total or old * (MIN_NR_GENS + 2) < total

    def _scan_count(self, priority: int, is_kswapd: bool) -> int:
        """get_nr_to_scan: pages to scan in this pass, after aging where that is due (at priority 12 it can wait)."""
        if self._must_age():
            if priority == DEF_PRIORITY:
                can_evict = self.generations.count(self.kinds[0]) > MIN_NR_GENS
                return self._size(*self.kinds) >> priority if can_evict else 0
            if not is_kswapd or self.modern:
                self._age()
            if is_kswapd or self.modern:
                return 0
        return self._size(*self.kinds) >> priority

    def _age(self) -> None:
        """try_to_inc_max_seq: what has been accessed joins the youngest generation, then a younger one begins.

        Without walks (should_walk_mmu) a generation is all that begins.
        """
        if self.mm_walk:
            walked = tuple(kind for kind in self.kinds if self.recency[kind])
            self.generations.update_gen(self.walks.walk(walked, self.switched))
            self.eviction.walking = True
        self.generations.inc_max_seq(ANON in self.kinds)

    def _enough(self, pressure: Pressure, first_seq: int) -> bool:
        """should_abort_scan: 6.12's memcg reclaim always completes its pass, 6.1's stops once it has swapped enough.

        kswapd goes on until every zone is well above its high mark, though it sleeps when one is above it.
        """
        if self.modern:
            safe = pressure.is_kswapd and pressure.above_high(MIN_LRU_BATCH)
            return not pressure.is_memcg and (pressure.got_enough or safe)
        if not pressure.is_kswapd:
            return self.generations.max_seq - first_seq > 1 or pressure.got_enough and self.eviction.swapped
        return pressure.got_enough and pressure.priority <= DEF_PRIORITY - 2 and pressure.above_high(0)

    def validate(self) -> None:
        """Every page with a frame is on exactly one list."""
        self.generations.validate()
