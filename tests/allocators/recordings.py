"""The kernel's recordings of its own allocators: sequences of operations and what each allocator made of them."""

import csv
import gzip
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from zsim.allocators import Allocator

FOLDER = Path(__file__).parents[1] / "data/kernel/allocators"


class Op(NamedTuple):
    """`a`llocate an object `id` of a size, or `f`ree it."""

    op: str
    id: int
    size_bytes: int


@cache
def recorded(name: str) -> Any:
    """One of `pages`, `alloc_evict`, `alloc_shrink`: kernel -> allocator -> what it did."""
    return json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))


@cache
def index() -> dict[str, int]:
    """Every sequence, and the row from which on results are per operation."""
    with (FOLDER / "sequences/index.csv").open() as file:
        return {row["name"]: int(row["split"]) for row in csv.DictReader(file)}


@cache
def sequence(name: str) -> list[Op]:
    """The rows of a sequence."""
    with gzip.open(FOLDER / f"sequences/{name}.csv.gz", "rt") as file:
        next(file)
        return [Op(op, int(number), int(size_bytes or 0)) for op, number, size_bytes in csv.reader(file)]


class Player:
    """Plays rows on an allocator and keeps the books the recorder kept."""

    def __init__(self, allocator: Allocator) -> None:
        self.allocator = allocator
        self.handles: dict[int, int] = {}
        self.names: dict[int, int] = {}
        self.sizes: dict[int, int] = {}
        self.refused: dict[int, list[int]] = {}
        self.live_bytes = 0

    def play(self, op: Op) -> None:
        """One row; a free of a refused object does nothing."""
        if op.op == "a":
            handle = self.allocator.alloc(op.size_bytes)
            if handle < 0:
                self.refused.setdefault(-handle, []).append(op.size_bytes)
                return
            self.handles[op.id], self.names[handle], self.sizes[op.id] = handle, op.id, op.size_bytes
            self.live_bytes += op.size_bytes
        elif op.id in self.handles:
            self.allocator.free(self.handles.pop(op.id))
            self.live_bytes -= self.sizes.pop(op.id)

    def play_all(self, ops: Iterable[Op], checkpoints: Iterable[int]) -> list[tuple[int, int, int, int]]:
        """Pages, live objects, live bytes and refusals so far at each checkpoint."""
        wanted, seen = set(checkpoints), []
        for count, op in enumerate(ops, start=1):
            self.play(op)
            if count in wanted:
                refused = sum(map(len, self.refused.values()))
                seen.append((self.allocator.pages, len(self.handles), self.live_bytes, refused))
        return seen

    def errors(self) -> list[tuple[int, int, int, int]]:
        """Per errno: how often, and the smallest and largest size refused."""
        return [(errno, len(sizes), min(sizes), max(sizes)) for errno, sizes in sorted(self.refused.items())]

    def reclaim_once(self) -> tuple[int, list[int]]:
        """One reclaim call of 8 tries: its result, and the ids evicted, in order."""
        evicted: list[int] = []

        def evict(handle: int) -> bool:
            self.allocator.free(handle)
            evicted.append(self.names.pop(handle))
            del self.handles[evicted[-1]]
            return True

        return self.allocator.reclaim(evict, 8), evicted
