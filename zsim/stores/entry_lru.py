"""zswap's own order of entries, where it keeps one: 2013, and 6.6 and later."""

from collections import OrderedDict

WRITTEN, ROTATED, BUSY, EMPTY = range(4)
"""What became of the oldest entry: written back; passed over once; its page is in use; there is none."""


class EntryLru:
    """Slots of stored pages, oldest first, each with its second chance and the age it was stored at."""

    def __init__(self, second_chance: bool) -> None:
        self.second_chance = second_chance
        self._referenced: OrderedDict[int, bool] = OrderedDict()
        self._age: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._referenced)

    def add(self, slot: int, age: int) -> None:
        """A page was stored, when `age` pages had been paged out in all."""
        self._referenced[slot] = self.second_chance
        self._age[slot] = age

    def remove(self, slot: int) -> None:
        """The entry is gone, or was on no list."""
        self._referenced.pop(slot, None)
        self._age.pop(slot, None)

    def refresh(self, slot: int, age: int) -> None:
        """A load has made the entry the youngest; if it was set aside it is back on the list."""
        if slot in self._referenced:
            self._referenced.move_to_end(slot)
        else:
            self.add(slot, age)

    def rotate(self, slot: int) -> None:
        """The entry's turn has come: it is the last to have one again."""
        self._referenced.move_to_end(slot)

    def put_back(self, slot: int) -> None:
        """The entry is to be the next again."""
        self._referenced.move_to_end(slot, last=False)

    def oldest(self) -> int:
        """The slot at the old end; -1 where there is none."""
        return next(iter(self._referenced), -1)

    def oldest_age(self) -> int:
        """What was paged out in all when the oldest entry was stored."""
        return self._age[self.oldest()]

    def has_chance(self) -> bool:
        """Whether the oldest entry, if there is one, would be passed over once."""
        return next(iter(self._referenced.values()), True)

    def takes_chance(self, slot: int) -> bool:
        """Whether the entry still had its second chance; it has not any more."""
        referenced = self._referenced[slot]
        self._referenced[slot] = False
        return referenced

    def slots(self) -> list[int]:
        """All of them, oldest first."""
        return list(self._referenced)
