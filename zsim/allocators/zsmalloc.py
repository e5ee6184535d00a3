"""zsmalloc: fixed slots in chains of single pages, by size class; dense, but freeing one page frame is a gamble.

Models mm/zsmalloc.c (drivers/staging before 3.14) of Linux 3.8 to 6.19. Left out: the slab memory of handles and
zspage descriptors, the deferred freeing of locked zspages, page migration, and mapping (its cost belongs to the store).
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import ClassVar

from zsim.allocators import EAGAIN, EINVAL, ENOMEM, Evict, Extent, Grow, Occupancy
from zsim.allocators.zsmalloc_classes import (
    LAST_INDEX,
    STEP_BYTES,
    Shape,
    class_table,
    index_for,
    largest_shared_slot_bytes,
)
from zsim.allocators.zsmalloc_forms import Form, form_at
from zsim.allocators.zsmalloc_groups import Place, SizeClass, Zspage
from zsim.errors import UsageError
from zsim.kernels import Kernel
from zsim.units import PAGE_SIZE

SHRINKER_SINCE: Kernel = (4, 3)
"""From here on memory pressure compacts."""


class Zsmalloc:
    """Slots by size class in zspages of several frames: dense, but nobody knows how many evictions free a frame.

    Follows mm/zsmalloc.c (Linux: struct zs_pool). `can_reclaim` and `can_compact` are those of the form.
    """

    kernels: ClassVar[str] = "3.3-6.19"
    pages_per_object: ClassVar[str] = "1..128 objects a page, in zspages of up to 4 (8 from 6.3)"
    evicts_in: ClassVar[str] = "6.2-6.4"
    compacts_in: ClassVar[str] = "from 4.1"
    can_reclaim: bool = True
    can_compact: bool = True
    contiguous_pages: int = 1
    max_size: int = PAGE_SIZE

    def __init__(self, form: Form, chain_pages: int, grow: Grow | None = None) -> None:
        self.pages = 0
        self.can_reclaim = form.reclaim
        self.can_compact = form.compaction is not None
        self.form = form
        self.chain_pages = chain_pages
        table = class_table(form.chain_rule, chain_pages, form.merging)
        self.huge_class_size = largest_shared_slot_bytes(table) - form.handle_bytes + 1
        """From this size on an object has a page to itself (zs_huge_class_size)."""
        self._grow = grow
        self._places: dict[int, Place] = {}
        self._last_handle = 0
        self._last_zspage = 0
        self._lru: OrderedDict[Zspage, None] | None = OrderedDict() if form.reclaim else None
        made = {shape: self._size_class(shape) for shape in dict.fromkeys(reversed(table))}
        self._classes = list(made.values())
        steps = range(0, self.max_size + form.handle_bytes + STEP_BYTES, STEP_BYTES)
        self._class_by_steps = [made[table[index_for(needed_bytes)]] for needed_bytes in steps]
        self._round_up = form.handle_bytes + STEP_BYTES - 1

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "Zsmalloc":
        """The newest form not newer than `kernel`; before 3.19 the staging one. `chain_size` 0 is that form's default.

        A chain size the form has not is a `UsageError`: 4..16 from 6.3; before, where it was not configurable, 1..16.
        """
        form = form_at(kernel)
        if chain_size and chain_size not in form.chain_sizes:
            low, high = form.chain_sizes[0], form.chain_sizes[-1]
            raise UsageError(f"zsmalloc: chain size {chain_size} is not {low}..{high} pages")
        return cls(form, chain_size or form.chain_pages, grow)

    def alloc(self, size_bytes: int) -> int:
        """A handle, or EINVAL (0 or, up to 6.7, too large), ENOSPC (too large from 6.8), ENOMEM (no frames)."""
        if not 0 < size_bytes <= PAGE_SIZE:
            return self.form.over_size if size_bytes > 0 else EINVAL
        size_class = self._class_for(size_bytes)
        zspage = size_class.fullest() or self._grow_class(size_class)
        if zspage is None:
            return ENOMEM
        self._last_handle = handle = self._last_handle + 1
        self._places[handle] = (zspage, zspage.take_slot(handle), size_bytes)
        size_class.used += 1
        group = size_class.group_of[zspage.used]
        if group != zspage.group:
            size_class.regroup(zspage, group)
        if self._lru is not None:
            self._lru[zspage] = None
            self._lru.move_to_end(zspage)
        return handle

    def free(self, handle: int) -> None:
        """Give an object back; its zspage goes with the last one. A handle that is not live is a `KeyError`."""
        zspage, slot, _ = self._places.pop(handle)
        zspage.give_slot(slot)
        size_class = zspage.size_class
        size_class.used -= 1
        group = size_class.group_of[zspage.used]
        if group != zspage.group:
            size_class.regroup(zspage, group)

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """Evict all objects of the zspage allocated into longest ago (6.2 to 6.4): its 1 to chain-size frames freed.

        EAGAIN after `tries` zspages that would not give up an object; EINVAL with nothing to evict, or in other forms.
        """
        if not self._lru:
            return EINVAL
        for _ in range(tries):
            if not self._lru:
                return EINVAL
            zspage, _ = self._lru.popitem(last=False)
            if self._evict_all(zspage, evict):
                return zspage.size_class.shape.pages
            self._lru[zspage] = None
        return EAGAIN

    def compact(self) -> int:
        """Empty zspages into others of their class, largest class first (zs_compact); page frames freed."""
        if self.form.compaction is None:
            return 0
        before = self.pages
        for size_class in self._classes:
            self.form.compaction(size_class)
        return before - self.pages

    def compactable_pages(self) -> int:
        """Page frames that compaction would free, as its shrinker counts them (zs_shrinker_count, 4.3 and later)."""
        if self.form.since < SHRINKER_SINCE:
            return 0
        return sum([size_class.compactable_pages() for size_class in self._classes if size_class.zspages])

    def class_index(self, size_bytes: int) -> int:
        """The size class of an object, larger for larger ones (zs_lookup_class_index)."""
        return self._class_for(size_bytes).shape.class_index if size_bytes <= PAGE_SIZE else LAST_INDEX

    def extents(self) -> Iterator[Extent]:
        """Every live object at the start of its slot; a group is a zspage, the handle word is not shown."""
        for handle, (zspage, slot, size_bytes) in self._places.items():
            yield Extent(zspage.number, slot * zspage.size_class.shape.slot_bytes, size_bytes, handle)

    def group_pages(self) -> dict[int, int]:
        """The pages of each zspage, which its objects need not reach."""
        return {zspage.number: zspage.size_class.shape.pages for zspage, _, _ in self._places.values()}

    def occupancy(self) -> list[Occupancy]:
        """A row per size class in use, smallest slots first (debugfs zsmalloc/*/classes)."""
        return [
            Occupancy(
                f"class {shape.class_index} ({shape.slot_bytes} B)",
                size_class.zspages * shape.pages,
                size_class.used,
                size_class.zspages * shape.objects,
            )
            for size_class in reversed(self._classes)
            if size_class.zspages
            for shape in [size_class.shape]
        ]

    def validate(self) -> None:
        """Recount pages, objects, slots, lists and the zspage LRU from the objects alone."""
        zspages = {zspage for zspage, _, _ in self._places.values()}
        by_class: dict[SizeClass, set[Zspage]] = {size_class: set() for size_class in self._classes}
        for zspage in zspages:
            by_class[zspage.size_class].add(zspage)
        for handle, (zspage, slot, size_bytes) in self._places.items():
            assert zspage.handles[slot] == handle, f"slot {slot} of zspage {zspage.number} is not object {handle}'s"
            assert zspage.size_class is self._class_for(size_bytes), f"object {handle} is in another size class"
        assert self.pages == sum(zspage.size_class.shape.pages for zspage in zspages)
        assert self._lru is None or set(self._lru) == zspages, "the LRU holds other zspages than there are"
        for size_class, members in by_class.items():
            size_class.validate(members)

    def _size_class(self, shape: Shape) -> SizeClass:
        form = self.form
        return SizeClass(shape, form.fullness, form.behind_fuller, self._places, self._free_zspage)

    def _class_for(self, size_bytes: int) -> SizeClass:
        return self._class_by_steps[(size_bytes + self._round_up) // STEP_BYTES]

    def _grow_class(self, size_class: SizeClass) -> Zspage | None:
        pages = size_class.shape.pages
        if self._grow is not None and not self._grow(pages):
            return None
        self.pages += pages
        size_class.zspages += 1
        self._last_zspage += 1
        return Zspage(self._last_zspage, size_class)

    def _free_zspage(self, zspage: Zspage) -> None:
        self.pages -= zspage.size_class.shape.pages
        zspage.size_class.zspages -= 1
        if self._lru is not None:
            self._lru.pop(zspage, None)

    def _evict_all(self, zspage: Zspage, evict: Evict) -> bool:
        zspage.size_class.isolate(zspage)
        gone = all(evict(handle) for handle in zspage.handles if handle)  # nothing takes a slot of a held zspage
        if not gone:
            zspage.restore_free_slots()
        zspage.size_class.put_back(zspage)
        return gone
