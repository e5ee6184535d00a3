"""A processor's TLB, as far as it hides accesses from reclaim."""

from array import array


class Tlb:
    """Pages of a task whose translation the processor has at hand, one of all that share a cell: page modulo entries.

    x86 sets the accessed and the dirty bit when it walks the page table, which it does for a translation it has not.
    Reclaim clears the accessed bit and lets the translation stand (ptep_clear_flush_young in arch/x86/mm/pgtable.c), so
    that later accesses leave no trace until something takes its cell, or everything is flushed: another process runs,
    or a kernel thread that unmaps pages in the same address space (flush_tlb_func of 6.1, the lazy case).
    """

    def __init__(self, entries: int) -> None:
        self.entries = array("q", [-1]) * entries

    def look_up(self, page: int) -> bool:
        """Whether the translation of `page` is at hand; where it was not, the page table is walked, and it is now."""
        cell = page % len(self.entries)
        known, self.entries[cell] = self.entries[cell], page
        return known == page

    def flush(self) -> None:
        """Forget all."""
        self.entries[:] = array("q", [-1]) * len(self.entries)
