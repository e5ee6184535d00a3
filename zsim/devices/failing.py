"""A swap device with slots and nothing behind them."""

from typing import ClassVar

from zsim.devices.block import BlockDevice


class Failing(BlockDevice):
    """A device that fails every request, after 1 us: slots for zswap with no real swap behind them.

    The fake swap device proposed for running zswap without a disk. The error is the submitter's to handle: the kernel
    leaves a page whose write failed dirty and in the swap cache. Like dm-error, it does not queue worth mentioning.
    """

    fails: ClassVar[bool] = True

    def __init__(self, blocks: int, seed: int, *, fail_ns: int = 1_000, parallel: int = 64) -> None:
        super().__init__(blocks, parallel)
        self.fail_ns = fail_ns

    def submit(self, now_ns: int, write: bool, slot: int, pages: int) -> int:
        """The time the error is back."""
        self.account(write, slot, pages)
        return self.queue.submit(now_ns, self.fail_ns)
