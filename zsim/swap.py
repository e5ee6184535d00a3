"""Swap slots."""

from collections import deque

CLUSTER_SLOTS = 256
SCARCE = 5
"""With fewer free slots than so many of its sizes a processor's cache of slots is not used."""


class SwapSlots:
    """The slot map of one swap device, after mm/swapfile.c for a device that does not rotate (Linux 3.12 to 6.11).

    Slots are handed out one after another inside a cluster of 256; a full cluster is followed by the cluster that has
    been free longest, and when none is wholly free by the first free slot found from there on. Left out: the per-CPU
    cache of 64 slots ahead (4.11 and later); those that are given back wait in `Machine.returned`.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.used = 0
        self.page_at = [-1] * slots
        self._taken = bytearray(slots)
        self._count = [0] * -(-slots // CLUSTER_SLOTS)
        self._free_clusters = deque(range(len(self._count)))
        self._current = -1
        self._next = 0
        self._end = 0

    def alloc(self, page: int) -> int:
        """A free slot, now `page`'s, or -1 when there is none."""
        if self.used == self.slots:
            return -1
        slot = self._taken.find(0, self._next, self._end)
        if slot < 0:
            slot = self._open_cluster()
        self._taken[slot] = 1
        self.page_at[slot] = page
        self._count[slot // CLUSTER_SLOTS] += 1
        self.used += 1
        self._next = slot + 1
        return slot

    def _open_cluster(self) -> int:
        """The first slot of the cluster that becomes current, preferring a wholly free one."""
        if self._current >= 0 and not self._count[self._current]:
            self._free_clusters.append(self._current)
        while self._free_clusters:
            cluster = self._free_clusters.popleft()
            if self._count[cluster] == 0:
                return self._enter(cluster * CLUSTER_SLOTS)
        slot = self._taken.find(0, self._next)
        return self._enter(slot if slot >= 0 else self._taken.find(0))

    def _enter(self, slot: int) -> int:
        self._current = slot // CLUSTER_SLOTS
        self._end = min((self._current + 1) * CLUSTER_SLOTS, self.slots)
        return slot

    def forget(self, slot: int) -> None:
        """The slot is nobody's any more, and not given back yet."""
        self.page_at[slot] = -1

    def free(self, slot: int) -> None:
        """Give a slot back."""
        assert self._taken[slot], f"slot {slot} is not in use"
        self._taken[slot] = 0
        self.page_at[slot] = -1
        self.used -= 1
        cluster = slot // CLUSTER_SLOTS
        self._count[cluster] -= 1
        if not self._count[cluster] and cluster != self._current:
            self._free_clusters.append(cluster)

    def validate(self) -> None:
        """Recount the slots, in all and per cluster."""
        assert self.used == sum(self._taken) >= sum(page >= 0 for page in self.page_at)
        assert all(taken or page < 0 for taken, page in zip(self._taken, self.page_at, strict=True))
        for cluster, count in enumerate(self._count):
            first = cluster * CLUSTER_SLOTS
            assert count == sum(self._taken[first : first + CLUSTER_SLOTS])


class PrioritySlots:
    """The slots of two swap devices: those of the lower priority, numbered after the others, where none is left there.

    As with a device of higher priority in /proc/swaps: what lies on it stays, however long it has not been used.
    """

    def __init__(self, high: SwapSlots, low: SwapSlots) -> None:
        self.high = high
        self.low = low
        self.slots = high.slots + low.slots
        self.page_at = [-1] * self.slots

    @property
    def used(self) -> int:
        """Slots in use on both."""
        return self.high.used + self.low.used

    def alloc(self, page: int) -> int:
        """A free slot, now `page`'s, or -1 when there is none."""
        slot = self.high.alloc(page)
        if slot < 0:
            below = self.low.alloc(page)
            slot = below + self.high.slots if below >= 0 else -1
        if slot >= 0:
            self.page_at[slot] = page
        return slot

    def forget(self, slot: int) -> None:
        """The slot is nobody's any more, and not given back yet."""
        if slot < self.high.slots:
            self.high.forget(slot)
        else:
            self.low.forget(slot - self.high.slots)
        self.page_at[slot] = -1

    def free(self, slot: int) -> None:
        """Give a slot back."""
        if slot < self.high.slots:
            self.high.free(slot)
        else:
            self.low.free(slot - self.high.slots)
        self.page_at[slot] = -1

    def validate(self) -> None:
        """Recount both; the pages are those of the two."""
        self.high.validate()
        self.low.validate()
        assert self.page_at == self.high.page_at + self.low.page_at
