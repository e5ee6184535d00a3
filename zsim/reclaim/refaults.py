"""Which kind of page comes back more often after eviction: the refault feedback of mm/vmscan.c, 6.1 to 6.12."""

from zsim.reclaim.balance import ANON, FILE

MIN_LRU_BATCH = 64
"""BITS_PER_LONG: the margin of the comparison."""


class RefaultRates:
    """ctrl_pos: of the pages evicted from the oldest generation (and, halved each time, before), how many came back.

    Tier 0 only: mapped pages, and there are no others here, have no accesses through file descriptors to be told
    apart by.
    """

    def __init__(self) -> None:
        self.evicted = [0, 0]
        self.refaulted = [0, 0]
        self._avg_total = [0, 0]
        self._avg_refaulted = [0, 0]

    def carry_over(self, kind: int) -> None:
        """reset_ctrl_pos: the oldest generation is used up; it counts half from now on."""
        self._avg_total[kind] = (self._avg_total[kind] + self.evicted[kind]) // 2
        self._avg_refaulted[kind] = (self._avg_refaulted[kind] + self.refaulted[kind]) // 2
        self.evicted[kind] = self.refaulted[kind] = 0

    def kind_to_scan(self, swappiness: int) -> int:
        """get_type_to_scan: FILE while few file pages come back, or fewer of them than anonymous ones, weighted."""
        refaulted = [self._avg_refaulted[kind] + self.refaulted[kind] for kind in (ANON, FILE)]
        total = [self._avg_total[kind] + self.evicted[kind] for kind in (ANON, FILE)]
        if refaulted[FILE] < MIN_LRU_BATCH:
            return FILE
        file_side = refaulted[FILE] * (total[ANON] + MIN_LRU_BATCH) * swappiness
        return int(file_side <= (refaulted[ANON] + 1) * total[FILE] * (200 - swappiness))
