"""Writes that wait for a device: what one reclaimer wants written, merged into requests (struct blk_plug)."""

from itertools import groupby

BLK_MAX_REQUEST_COUNT = 32
"""Requests a plug holds before it is flushed."""
BLK_PLUG_FLUSH_PAGES = 32
"""A request of 128 KiB flushes the plug when the next one begins (BLK_PLUG_FLUSH_SIZE)."""


class Plug:
    """Writes to one device that have not been submitted: block -> (page, start of its writeback or -1).

    A write that continues the newest request joins it, up to `request_pages`; else it begins one of its own, for
    which a full plug is flushed first. Follows block/blk-mq.c of 5.16 to 6.12; left out: a device of several queues,
    whose plug holds 64 requests.
    """

    def __init__(self, request_pages: int) -> None:
        self.request_pages = request_pages
        self.writes: dict[int, tuple[int, int]] = {}
        self._requests = 0
        self._first = self._after = 0
        """The newest request: its first block, and the one after its last."""

    def must_flush(self, block: int) -> bool:
        """Whether the plug is to be flushed before `block` is added (blk_add_rq_to_plug)."""
        pages = self._after - self._first
        full = self._requests >= BLK_MAX_REQUEST_COUNT or pages >= BLK_PLUG_FLUSH_PAGES
        return full and not self._continues(block)

    def add(self, block: int, page: int, since_ns: int) -> None:
        """One more write."""
        if not self._continues(block):
            self._requests += 1
            self._first = self._after = block
        self._first, self._after = min(self._first, block), max(self._after, block + 1)
        self.writes[block] = (page, since_ns)

    def _continues(self, block: int) -> bool:
        """blk_attempt_plug_merge: at the back or the front of the newest request."""
        return (
            bool(self._requests)
            and self._after - self._first < self.request_pages
            and block in (self._after, self._first - 1)
        )

    def take(self) -> dict[int, tuple[int, int]]:
        """Everything, by block; the plug is empty then."""
        writes, self.writes = self.writes, {}
        self._requests = self._first = self._after = 0
        return writes


def adjacent(blocks: list[int]) -> list[list[int]]:
    """Ascending blocks as runs of neighbours, as the block layer merges them."""
    runs = groupby(enumerate(blocks), lambda item: item[1] - item[0])
    return [[block for _, block in run] for _, run in runs]
