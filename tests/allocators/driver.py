"""The deterministic driver behind the golden vectors: one random stream, one history, any allocator."""

from collections import Counter
from typing import Any

from zsim.allocators import Allocator


class Draws:
    """A linear congruential generator of 31 bits, of which the upper 23 are used."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self) -> int:
        """The next 23 bits."""
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return self.state >> 8

    def size_bytes(self, dist: int) -> int:
        """An object's size: 0 uniform, 1 middling, 2 mostly small with some large."""
        draw = self.next()
        if dist == 0:
            return 1 + draw % 4096
        if dist == 1:
            return 300 + draw % 2200
        second = self.next()
        return 500 + second % 900 if draw % 100 < 70 else 2400 + second % 1700


def forget(live: list[int], index: int) -> int:
    """Take a handle out of `live`; the last one takes its place."""
    handle = live[index]
    live[index] = live[-1]
    live.pop()
    return handle


def run(allocator: Allocator, dist: int, n: int, pf: int, comp: int, seed: int) -> dict[str, int]:
    """`n` steps, a free with `pf` percent where anything is live; compaction every `comp` steps (0: never)."""
    draws, live = Draws(seed), list[int]()
    rejects = peak = digest = 0
    at: dict[int, int] = {}
    for step in range(1, n + 1):
        if draws.next() % 100 < pf and live:
            allocator.free(forget(live, draws.next() % len(live)))
        elif (handle := allocator.alloc(draws.size_bytes(dist))) > 0:
            live.append(handle)
        else:
            rejects += 1
        if comp and step % comp == 0:
            allocator.compact()
        digest = (31 * digest + allocator.pages) % 2**32
        peak = max(peak, allocator.pages)
        if step in (n // 4, n // 2, n):
            at[step] = allocator.pages
    pages = {"p25": at[n // 4], "p50": at[n // 2], "p100": at[n]}
    return pages | {"live": len(live), "rejects": rejects, "peak": peak, "hash": digest}


def run_reclaim(allocator: Allocator, dist: int, n: int, pf: int, limit: int, seed: int) -> dict[str, Any]:
    """`n` steps with a reclaim call of 8 tries before an alloc that finds more than `limit` pages."""
    draws, live = Draws(seed), list[int]()
    rejects = digest = successes = evicted = 0
    evictions: Counter[int] = Counter()

    def evict(handle: int) -> bool:
        nonlocal evicted
        evicted += 1
        allocator.free(forget(live, live.index(handle)))
        return True

    for _ in range(n):
        if draws.next() % 100 < pf and live:
            allocator.free(forget(live, draws.next() % len(live)))
        else:
            size_bytes = draws.size_bytes(dist)
            if allocator.pages > limit:
                evicted = 0
                successes += allocator.reclaim(evict, 8) > 0
                evictions[evicted] += 1
            if (handle := allocator.alloc(size_bytes)) > 0:
                live.append(handle)
            else:
                rejects += 1
        digest = (31 * digest + allocator.pages + 7 * len(live)) % 2**32
    most = max(evictions)
    return {
        "pages": allocator.pages,
        "live": len(live),
        "rejects": rejects,
        "calls": evictions.total(),
        "successes": successes,
        "evictions": sum(count * calls for count, calls in evictions.items()),
        "max_evictions_per_call": most,
        "hash": digest,
        "hist": ";".join(str(evictions[count]) for count in range(most + 1)),
    }


def replay(allocator: Allocator, ops: str) -> str:
    """Of `aN` (allocate N bytes), `fI` (free the I-th allocation), `c` (compact): pages after each; `!` refused."""
    handles, pages = list[int](), list[str]()
    for op in ops.split():
        refused = False
        if op == "c":
            allocator.compact()
        elif op[0] == "f":
            allocator.free(handles[int(op[1:])])
        else:
            handles.append(allocator.alloc(int(op[1:])))
            refused = handles[-1] < 0
        pages.append(f"{allocator.pages}{'!' * refused}")
    return " ".join(pages)
