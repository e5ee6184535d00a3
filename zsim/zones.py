"""Memory zones: each with marks of its own, so that reclaim rests while one is still short (mm/page_alloc.c)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from zsim.errors import UsageError


class Zone(NamedTuple):
    """A zone in pages: its frames, its marks, and `reserve`, what it keeps from those that prefer another zone."""

    size: int
    min: int
    low: int
    high: int
    reserve: int = 0


class Zones:
    """Free frames by zone, the zone that allocations prefer first.

    An allocation takes the first zone above its low mark, else (kswapd has been woken) the first above its min mark,
    else (reclaim itself, for the pool) the first with a free frame. Pages know their zone; which frames a pool gives
    back is not followed: they are taken to be of the zone that has most of the pool.
    """

    def __init__(self, zones: Sequence[Zone], pages: int, free_batch: int = 0) -> None:
        self.zones = list(zones)
        self.free_batch = free_batch
        self.free = [zone.size for zone in zones]
        self.zone_of = bytearray(pages)
        low, least = ([zone[mark] + zone.reserve for zone in zones] for mark in (2, 1))
        self.low, self.least, self.high = low, least, [zone.high + zone.reserve for zone in zones]
        self.leaving: list[int] = []
        self.held: list[int] = []
        self.reclaiming = False
        self.interrupted: Callable[[], bool] = lambda: False
        """Whether who reclaims has lost the processor by now: what is evicted after that is freed later."""
        self._pool = [0] * len(zones)

    def place(self, page: int) -> None:
        """A page gets a frame."""
        self.zone_of[page] = self._take()

    def leave(self, page: int) -> None:
        """A page gives up its frame: reclaim frees what it evicts together, others at once."""
        self.leaving.append(self.zone_of[page])
        if not self.reclaiming or len(self.leaving) == self.free_batch and not self.interrupted():
            self._free()

    def _free(self) -> None:
        for number in self.leaving:
            self.free[number] += 1
        self.leaving.clear()

    def begin_batch(self) -> None:
        """A batch of reclaim begins."""
        self.reclaiming = True

    def suspend_batch(self) -> None:
        """Who reclaims has lost the processor: others run, and may reclaim a batch of their own."""
        self.reclaiming = False
        self.held, self.leaving = self.leaving, []

    def resume_batch(self) -> None:
        """And has it back."""
        self.reclaiming = True
        self.leaving, self.held = self.held, []

    def end_batch(self) -> None:
        """shrink_folio_list has come to its end (free_unref_page_list, free_unref_folios)."""
        self.reclaiming = False
        self._free()

    def resize_pool(self, frames: int) -> None:
        """The pool, with all that is not a page, has so many frames now."""
        for _ in range(frames - sum(self._pool)):
            self._pool[self._take()] += 1
        for _ in range(sum(self._pool) - frames):
            number = max(range(len(self._pool)), key=self._pool.__getitem__)
            self._pool[number] -= 1
            self.free[number] += 1

    def _take(self) -> int:
        for marks in (self.low, self.least):
            for number, mark in enumerate(marks):
                if self.free[number] > mark:
                    self.free[number] -= 1
                    return number
        number = 0 if self.free[0] > 0 else len(self.free) - 1
        self.free[number] -= 1
        return number

    def all_low(self) -> bool:
        """No zone is above its low mark: kswapd is woken."""
        return all(free <= mark for free, mark in zip(self.free, self.low, strict=True))

    def any_above_min(self) -> bool:
        """An ordinary allocation finds a frame."""
        return any(free > mark for free, mark in zip(self.free, self.least, strict=True))

    def balanced(self, coming: int = 0) -> bool:
        """A zone is above its high mark (pgdat_balanced), or will be when `coming` frames have come back."""
        held = sum(zone.size for zone in self.zones) - sum(self.free)
        return any(
            free + coming * (zone.size - free) // max(held, 1) > mark
            for zone, free, mark in zip(self.zones, self.free, self.high, strict=True)
        )

    def all_above_high(self, margin: int) -> bool:
        """Every zone is above its high mark by more than so many pages."""
        return all(free > mark + margin for free, mark in zip(self.free, self.high, strict=True))

    def validate(self, pages: Sequence[int], pool_frames: int) -> None:
        """Recount: what is neither free nor on its way nor the pool's holds one of `pages`."""
        assert sum(self._pool) == pool_frames
        held = [0] * len(self.zones)
        for page in pages:
            held[self.zone_of[page]] += 1
        for number, zone in enumerate(self.zones):
            leaving = self.leaving.count(number) + self.held.count(number)
            assert zone.size == self.free[number] + leaving + self._pool[number] + held[number]


def parse_zones(text: str) -> list[Zone]:
    """ "5408/240/300/360 3808/52/65/78/78": size/min/low/high[/reserve] of each zone, the preferred one first."""
    try:
        return [Zone(*map(int, part.split("/"))) for part in text.split()]
    except (TypeError, ValueError):
        raise UsageError(f"memory.zones: {text!r} is not size/min/low/high[/reserve] of each zone, in pages") from None
