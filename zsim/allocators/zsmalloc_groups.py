"""zspages and the lists a size class keeps them on, by how full they are.

A group is a number: EMPTY, then the listed groups from the emptiest to the fullest, then FULL (on no list that any
search looks at). Up to 6.3 there are two listed groups (almost empty, almost full), from 6.4 ten.
"""

from collections.abc import Callable

from zsim.allocators.zsmalloc_classes import Shape

ISOLATED = -1
"""Held by compaction or reclaim: on no list, whatever it holds."""
EMPTY = 0
ALMOST_EMPTY = 1
ALMOST_FULL = 2
FULL = 11

Fullness = Callable[[int, int], int]
"""(objects used, objects a zspage has room for) -> group."""


def almost_empty_to_quarter(used: int, objects: int) -> int:
    """Staging to 4.0."""
    return _two_groups(used, objects, objects // 4)


def almost_empty_to_three_quarters(used: int, objects: int) -> int:
    """4.1 to 6.3."""
    return _two_groups(used, objects, 3 * objects // 4)


def _two_groups(used: int, objects: int, threshold: int) -> int:
    if used in (0, objects):
        return FULL if used else EMPTY
    return ALMOST_EMPTY if used <= threshold else ALMOST_FULL


def tenths(used: int, objects: int) -> int:
    """From 6.4: ten groups by usage ratio."""
    if used in (0, objects):
        return FULL if used else EMPTY
    return 100 * used // objects // 10 + 1


class Zspage:
    """A few single pages chained into one row of slots.

    `handles` holds the handle in each slot that was ever used (0: free again); the slots after it are untouched.
    """

    __slots__ = ("free_slots", "group", "handles", "next", "number", "prev", "size_class", "used")

    def __init__(self, number: int, size_class: "SizeClass") -> None:
        self.number = number
        self.size_class = size_class
        self.handles: list[int] = []
        self.free_slots: list[int] = []
        self.used = 0
        self.group = EMPTY
        self.prev: Zspage | None = None
        self.next: Zspage | None = None

    def take_slot(self, handle: int) -> int:
        """Pop the top of the free slots: the one freed last, else the first that was never used."""
        self.used += 1
        if self.free_slots:
            slot = self.free_slots.pop()
            self.handles[slot] = handle
            return slot
        self.handles.append(handle)
        return len(self.handles) - 1

    def give_slot(self, slot: int) -> None:
        """Push a slot on top of the free ones."""
        self.used -= 1
        self.handles[slot] = 0
        self.free_slots.append(slot)

    def restore_free_slots(self) -> None:
        """Order the free slots anew, lowest first out, as a reclaim that gave up leaves them."""
        self.free_slots = [slot for slot in range(len(self.handles) - 1, -1, -1) if not self.handles[slot]]


Place = tuple[Zspage, int, int]
"""Where an object is: zspage, slot, and the bytes asked for."""


class SizeClass:
    """The zspages of one size class (Linux: struct size_class).

    `places` is the pool's table of objects; `free_zspage` is told of a zspage that has become empty.
    """

    def __init__(
        self,
        shape: Shape,
        fullness: Fullness,
        behind_fuller: bool,
        places: dict[int, Place],
        free_zspage: Callable[[Zspage], None],
    ) -> None:
        self.shape = shape
        self.group_of = [fullness(used, shape.objects) for used in range(shape.objects + 1)]
        self.behind_fuller = behind_fuller
        self.places = places
        self.free_zspage = free_zspage
        self.fronts: list[Zspage | None] = [None] * FULL
        self.listed = 0  # bit g: group g has zspages; a scan of ten lists would cost more than the allocation
        self.zspages = 0
        self.used = 0

    def regroup(self, zspage: Zspage, group: int) -> None:
        """Move a zspage whose group has changed; one that is held stays where it is."""
        if zspage.group == ISOLATED:
            return
        if EMPTY < zspage.group < FULL:
            self._unlink(zspage)
        zspage.group = group
        if EMPTY < group < FULL:
            self._link(zspage, group)
        elif group == EMPTY:
            self.free_zspage(zspage)

    def isolate(self, zspage: Zspage) -> Zspage:
        """Hold a zspage: no search finds it until it is put back."""
        if EMPTY < zspage.group < FULL:
            self._unlink(zspage)
        zspage.group = ISOLATED
        return zspage

    def put_back(self, zspage: Zspage) -> None:
        """Let go of a held zspage: onto the list of its group, or freed when nothing is left in it."""
        zspage.group = FULL
        self.regroup(zspage, self.group_of[zspage.used])

    def fullest(self) -> Zspage | None:
        """The front of the fullest group that has room: where an allocation goes."""
        return self.fronts[self.listed.bit_length() - 1] if self.listed else None

    def emptiest(self) -> Zspage | None:
        """The front of the emptiest group: what compaction empties first."""
        return self.fronts[(self.listed & -self.listed).bit_length() - 1] if self.listed else None

    def can_compact(self) -> bool:
        """Whether the free slots would make up a whole zspage."""
        return self.zspages * self.shape.objects - self.used >= self.shape.objects

    def compactable_pages(self) -> int:
        """Page frames of the zspages that the free slots would make up (zs_can_compact)."""
        return (self.zspages * self.shape.objects - self.used) // self.shape.objects * self.shape.pages

    def migrate(self, source: Zspage, target: Zspage) -> bool:
        """Move objects in the order of their slots; False where the target was full before the source was empty."""
        for slot, handle in enumerate(source.handles):
            if not handle:
                continue
            if target.used == self.shape.objects:
                return False
            source.give_slot(slot)
            self.places[handle] = (target, target.take_slot(handle), self.places[handle][2])
        return True

    def validate(self, zspages: set[Zspage]) -> None:
        """Recount against the zspages that hold the class's objects."""
        objects = self.shape.objects
        assert self.zspages == len(zspages)
        assert self.used == sum(zspage.used for zspage in zspages)
        for zspage in zspages:
            free = [slot for slot, handle in enumerate(zspage.handles) if not handle]
            assert sorted(zspage.free_slots) == free, f"zspage {zspage.number}: free slots are not those without object"
            assert zspage.used == len(zspage.handles) - len(free) and len(zspage.handles) <= objects
            assert zspage.group == self.group_of[zspage.used]
        for group in range(EMPTY, FULL):
            listed = self.members(group)
            assert bool(listed) == bool(self.listed >> group & 1)
            assert sorted(zspage.number for zspage in listed) == sorted(z.number for z in zspages if z.group == group)

    def members(self, group: int) -> list[Zspage]:
        """The zspages on the list of one group, front first."""
        members: list[Zspage] = []
        zspage = self.fronts[group]
        while zspage is not None:
            assert zspage.prev is (members[-1] if members else None)
            members.append(zspage)
            zspage = zspage.next
        return members

    def _link(self, zspage: Zspage, group: int) -> None:
        front = self.fronts[group]
        if front is None:
            zspage.prev = zspage.next = None
            self.listed |= 1 << group
        elif self.behind_fuller and zspage.used < front.used:
            after = zspage.next = front.next
            zspage.prev, front.next = front, zspage
            if after is not None:
                after.prev = zspage
            return
        else:
            zspage.prev, zspage.next, front.prev = None, front, zspage
        self.fronts[group] = zspage

    def _unlink(self, zspage: Zspage) -> None:
        before, after = zspage.prev, zspage.next
        if after is not None:
            after.prev = before
        if before is not None:
            before.next = after
            return
        self.fronts[zspage.group] = after
        if after is None:
            self.listed &= ~(1 << zspage.group)
