"""Generations of pages: struct lru_gen_folio and what keeps it in order, in mm/vmscan.c of 6.1 to 6.12."""

from collections import OrderedDict

import numpy as np
import numpy.typing as npt

from zsim.memory import Memory
from zsim.reclaim.balance import ANON, FILE
from zsim.reclaim.refaults import RefaultRates

MIN_NR_GENS = 2
MAX_NR_GENS = 4
NOWHERE = 255

List = OrderedDict[int, None]
"""A page list: its first key is the tail, where eviction looks; its last the head."""


class Generations:
    """Each kind of page (ANON, FILE) in up to four generations, min_seq[kind] (oldest) to max_seq (youngest).

    `gen[page]` is a sequence number modulo 4, or NOWHERE. A page promoted through its page table changes that alone:
    it stays on its old list until eviction comes across it, so a page may be on another list than its generation's.
    """

    def __init__(self, memory: Memory, is_file: bytes) -> None:
        self.memory = memory
        self.is_file = is_file
        self.max_seq = MIN_NR_GENS + 1
        self.min_seq = [0, 0]
        self.lists: list[list[List]] = [[OrderedDict() for _ in range(MAX_NR_GENS)] for _ in (ANON, FILE)]
        self.sizes = [[0] * MAX_NR_GENS for _ in (ANON, FILE)]
        self.gen = bytearray([NOWHERE]) * memory.pages
        self.protected = bytearray(memory.pages)
        self.rates = RefaultRates()
        self._listed = bytearray([NOWHERE]) * memory.pages
        self._gens = np.frombuffer(self.gen, dtype=np.uint8)
        self._kinds = np.frombuffer(is_file, dtype=np.uint8)

    def count(self, kind: int) -> int:
        """get_nr_gens: how many generations there are between the oldest and the youngest."""
        return self.max_seq - self.min_seq[kind] + 1

    # Pages come and go.

    def add(self, page: int, seq: int, at_tail: bool = False) -> None:
        """lru_gen_add_folio: at the head (or the tail) of generation `seq`."""
        kind, gen = self.is_file[page], seq % MAX_NR_GENS
        self.gen[page] = gen
        self.sizes[kind][gen] += 1
        self._put(page, gen, at_tail)

    def _put(self, page: int, gen: int, at_tail: bool) -> None:
        pages = self.lists[self.is_file[page]][gen]
        self._listed[page] = gen
        pages[page] = None
        if at_tail:
            pages.move_to_end(page, last=False)

    def delete(self, page: int) -> None:
        """lru_gen_del_folio."""
        kind = self.is_file[page]
        del self.lists[kind][self._listed[page]][page]
        self.sizes[kind][self.gen[page]] -= 1
        self.gen[page] = self._listed[page] = NOWHERE

    def move(self, page: int, gen: int, at_tail: bool = False) -> None:
        """To the head (or the tail) of a generation's list."""
        del self.lists[self.is_file[page]][self._listed[page]][page]
        self._put(page, gen, at_tail)

    # Promotion.

    def update_gen(self, pages: npt.NDArray[np.intp]) -> None:
        """folio_update_gen: listed pages found accessed belong to the youngest generation from now on."""
        youngest = self.max_seq % MAX_NR_GENS
        for kind in (ANON, FILE):
            mine = pages[self._kinds[pages] == kind]
            sizes = self.sizes[kind]
            for gen, left in enumerate(np.bincount(self._gens[mine], minlength=MAX_NR_GENS).tolist()):
                sizes[gen] -= left
            sizes[youngest] += len(mine)
        self._gens[pages] = youngest
        np.frombuffer(self.protected, dtype=np.uint8)[pages] = 0

    def inc_gen(self, page: int) -> int:
        """folio_inc_gen: from the oldest generation into the next, unless it has been promoted before."""
        kind = self.is_file[page]
        oldest, gen = self.min_seq[kind] % MAX_NR_GENS, self.gen[page]
        if gen != oldest:
            return gen
        gen = self.gen[page] = (oldest + 1) % MAX_NR_GENS
        self.protected[page] = 0
        self.sizes[kind][oldest] -= 1
        self.sizes[kind][gen] += 1
        return gen

    # Sequence numbers.

    def inc_max_seq(self, can_swap: bool) -> None:
        """A new youngest generation; where there are four, the two oldest become one.

        Of anonymous pages nobody may swap, the oldest become the youngest.
        """
        for kind in (FILE, ANON):
            if self.count(kind) == MAX_NR_GENS:
                self._inc_min_seq(kind, can_swap or kind == FILE)
        self.max_seq += 1

    def _inc_min_seq(self, kind: int, merge: bool) -> None:
        pages = self.lists[kind][self.min_seq[kind] % MAX_NR_GENS]
        while merge and pages:
            page = next(iter(pages))
            self.move(page, self.inc_gen(page), at_tail=True)
        self.rates.carry_over(kind)
        self.min_seq[kind] += 1

    def try_to_inc_min_seq(self, can_swap: bool) -> bool:
        """Past the oldest generations that are empty; anon may not be ahead of file, nor file fall behind it."""
        kinds = (ANON, FILE) if can_swap else (FILE,)
        min_seq = list(self.min_seq)
        for kind in kinds:
            while min_seq[kind] + MIN_NR_GENS <= self.max_seq and not self.lists[kind][min_seq[kind] % MAX_NR_GENS]:
                min_seq[kind] += 1
        if can_swap:
            min_seq[ANON] = min(min_seq)
            min_seq[FILE] = max(min_seq[ANON], self.min_seq[FILE])
        moved = [kind for kind in kinds if min_seq[kind] != self.min_seq[kind]]
        for kind in moved:
            self.rates.carry_over(kind)
            self.min_seq[kind] = min_seq[kind]
        return bool(moved)

    def validate(self) -> None:
        """Every page with a frame is on one list, and the sizes are those of the generations."""
        sizes = [[0] * MAX_NR_GENS for _ in (ANON, FILE)]
        listed = 0
        for kind in (ANON, FILE):
            for gen, pages in enumerate(self.lists[kind]):
                for page in pages:
                    assert self.is_file[page] == kind and self._listed[page] == gen
                    sizes[kind][self.gen[page]] += 1
                listed += len(pages)
        assert sizes == self.sizes
        assert listed == self.memory.listed()
        assert all(MIN_NR_GENS <= self.count(kind) <= MAX_NR_GENS for kind in (ANON, FILE))
