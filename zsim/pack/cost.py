"""What a page frame of the pool costs to get back: the writes of what is evicted for it, on a device."""

from collections.abc import Iterable

from zsim.compressors import COMPRESSORS
from zsim.devices import Device, make_device
from zsim.pack.result import PackResult, Reclaim

DEBATE = ("zbud@6.1", "z3fold@6.1", "zsmalloc@6.3", "zsmalloc@6.12")
"""Page LRU (2 objects, 3 objects), zspage LRU, and entries evicted in LRU order until a page happens to be free."""


def time_reclaims(results: Iterable[PackResult], device: str, compressor: str, seed: int = 1) -> None:
    """Fill in the times of every reclaim: as if each page's slot were its id, on an idle `device` at each call."""
    decompress_ns = COMPRESSORS.load(compressor).decompress_ns
    for result in results:
        if result.reclaim is not None:
            slots = 1 + max((number for ids in result.reclaim.evicted for number in ids), default=0)
            result.reclaim.device = device
            result.reclaim.times_ns = times_ns(result.reclaim, make_device(device, slots, seed), decompress_ns)


def times_ns(reclaim: Reclaim, device: Device, decompress_ns: int) -> list[int]:
    """Per call, the time until the last write is done.

    Each evicted page is decompressed into a frame of its own, one after the other, and its write submitted; those
    frames are free only when the writes end, so nothing is gained before (zswap 3.11 to 6.19). Left out: the time to
    find frames to decompress into, merging of adjacent writes.
    """
    times, now_ns = [], 0
    for ids in reclaim.evicted:
        ready_ns = done_ns = now_ns
        for slot in ids:
            ready_ns += decompress_ns
            done_ns = max(done_ns, device.submit(ready_ns, True, slot, 1))
        times.append(done_ns - now_ns)
        now_ns = done_ns
    return times
