"""The hit loop: what a processor does on an access to a mapped page, and nothing else.

One source, compiled by numba where that is installed and the trace is long enough to pay for it, run as it is
otherwise. `accesses` holds page << 1 | write; `pte` one byte a page, its two lowest bits PRESENT and WRITABLE.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

DIRTY = 8
READ = 1 | 4
WRITTEN = 2 | 4 | DIRTY
"""The bits that are set once a read or a write has hit: PRESENT or WRITABLE before it, ACCESSED and DIRTY by it."""
ALLOWS = 1 | 2
LEAVES = 4 | DIRTY

COMPILE_FROM_ACCESSES = 4_000_000
"""Below this the uncompiled loop is done before numba is loaded (0.4 s; 10 million accesses/s uncompiled)."""


def touch(accesses: Any, pte: Any, row: int, stop: int) -> int:
    """Set the bits of accesses row .. stop-1 up to the first that faults; its row, or `stop`."""
    for at in range(row, stop):
        access = accesses[at]
        wanted = WRITTEN if access & 1 else READ
        bits = pte[access >> 1]
        if bits & wanted != wanted:
            if not bits & wanted & ALLOWS:
                return at
            pte[access >> 1] = bits | wanted & LEAVES
    return max(row, stop)


def touch_walking(accesses: Any, pte: Any, row: int, stop: int, tlb: Any) -> int:
    """`touch` of a processor with a TLB (zsim.tlb): only accesses that walk the page table set bits."""
    entries = len(tlb)
    for at in range(row, stop):
        access = accesses[at]
        wanted = WRITTEN if access & 1 else READ
        page = access >> 1
        bits = pte[page]
        if not bits & wanted & ALLOWS:
            return at
        if tlb[page % entries] != page or wanted & ~bits & DIRTY:
            pte[page] = bits | wanted & LEAVES
            tlb[page % entries] = page
    return max(row, stop)


def touch_stamped(  # noqa: PLR0913
    accesses: Any, pte: Any, row: int, stop: int, stamp: Any, values: Any, offset: int, step: int
) -> int:
    """`touch`, leaving a number per page: values[row] + offset, or row * step + offset where `values` is empty."""
    given = len(values) > 0
    for at in range(row, stop):
        access = accesses[at]
        wanted = WRITTEN if access & 1 else READ
        bits = pte[access >> 1]
        if bits & wanted != wanted:
            if not bits & wanted & ALLOWS:
                return at
            pte[access >> 1] = bits | wanted & LEAVES
        stamp[access >> 1] = values[at] + offset if given else at * step + offset
    return max(row, stop)


def scan(accesses: Any, pte: Any, row: int, stop: int) -> int:
    """The first access of row .. stop-1 that would fault, or `stop`; no bit is set."""
    for at in range(row, stop):
        access = accesses[at]
        if not pte[access >> 1] & (1 << (access & 1)):
            return at
    return max(row, stop)


class HitLoops(NamedTuple):
    """The four loops, compiled or not."""

    touch: Callable[..., int]
    touch_walking: Callable[..., int]
    touch_stamped: Callable[..., int]
    scan: Callable[..., int]
    compiled: bool


@cache
def _compiled() -> HitLoops | None:
    try:
        import numba
    except ImportError:
        return None
    jit = numba.njit(cache=True, nogil=True)
    return HitLoops(jit(touch), jit(touch_walking), jit(touch_stamped), jit(scan), True)


def hit_loops(accesses: int) -> HitLoops:
    """The loops to use for a trace of so many accesses; ZSIM_NO_JIT=1 keeps them uncompiled."""
    loops = _compiled() if accesses >= COMPILE_FROM_ACCESSES and not os.environ.get("ZSIM_NO_JIT") else None
    return loops or HitLoops(touch, touch_walking, touch_stamped, scan, False)
