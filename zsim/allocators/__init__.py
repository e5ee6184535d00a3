"""Allocators of compressed pages: Linux's zpool drivers and the allocators they were argued against."""

from collections.abc import Callable, Iterator
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from zsim.kernels import Kernel, split_version
from zsim.registry import Registry

ENOMEM = -12
"""No page frame to be had: zswap counts `reject_alloc_fail`."""
EINVAL = -22
"""A size the allocator cannot take at all: zswap counts `reject_alloc_fail`."""
ENOSPC = -28
"""The object is larger than the allocator packs: zswap counts `reject_compress_poor`."""
EAGAIN = -11
"""A reclaim call used up its tries without freeing a page."""

Evict = Callable[[int], bool]
"""Asked to give up one object (a handle). True: the object has been freed through `Allocator.free`. False: it stays."""

Grow = Callable[[int], bool]
"""Asked before the pool takes `n` more page frames; False refuses them and the allocation fails with ENOMEM."""


class Extent(NamedTuple):
    """One live object where it lies: `group` of pages it is in, byte `offset` in that group, `size_bytes`, `handle`."""

    group: int
    offset: int
    size_bytes: int
    handle: int


class Occupancy(NamedTuple):
    """A row of an allocator's own list or class view: `name`, pages held, objects held, objects it has room for."""

    name: str
    pages: int
    objects: int
    capacity: int


@runtime_checkable
class Compactable(Protocol):
    """An allocator that memory pressure compacts: its shrinker asks how much there is to gain."""

    def compactable_pages(self) -> int:
        """Page frames that `compact` would free."""
        ...


class ObjectPool(Protocol):
    """A pool of page frames holding compressed objects (Linux: struct zpool).

    A handle is a positive integer, unique among live objects. Sizes are bytes, `pages` whole 4 KiB frames.
    """

    pages: int
    can_reclaim: bool
    can_compact: bool
    max_size: int
    contiguous_pages: int

    def alloc(self, size_bytes: int) -> int:
        """A handle (> 0), or a negative errno: ENOSPC, EINVAL or ENOMEM."""
        ...

    def free(self, handle: int) -> None:
        """Give an object back; a handle that is not live is a `KeyError`."""
        ...

    def reclaim(self, evict: Evict, tries: int = 8) -> int:
        """Free one page frame (or zspage) by evicting what is in it: frames freed (> 0), EAGAIN, or EINVAL."""
        ...

    def compact(self) -> int:
        """Move objects together; page frames freed (0 where the allocator cannot)."""
        ...

    def extents(self) -> Iterator[Extent]:
        """Every live object and where it lies."""
        ...

    def occupancy(self) -> list[Occupancy]:
        """The allocator's own view of itself: lists by free chunks, size classes, block types."""
        ...

    def validate(self) -> None:
        """Recount everything from scratch; an `AssertionError` where the books are wrong."""
        ...


class Allocator(ObjectPool, Protocol):
    """A kind of such pools (Linux: struct zpool_driver), in the forms it had."""

    kernels: ClassVar[str]
    pages_per_object: ClassVar[str]

    @classmethod
    def at(cls, kernel: Kernel, chain_size: int = 0, grow: Grow | None = None) -> "Allocator":
        """The newest form not newer than `kernel`; `chain_size` 0: that kernel's own; `grow` may refuse frames."""
        ...


ALLOCATORS = Registry(
    "allocator",
    {
        "zbud": "zsim.allocators.zbud:Zbud",
        "z3fold": "zsim.allocators.z3fold:Z3fold",
        "zsmalloc": "zsim.allocators.zsmalloc:Zsmalloc",
        "zcache1-zbud": "zsim.allocators.zbud_zcache1:ZbudZcache1",
        "zcache2-zbud": "zsim.allocators.zbud_zcache2:ZbudZcache2",
        "xvmalloc": "zsim.allocators.xvmalloc:Xvmalloc",
        "zblock": "zsim.allocators.zblock:Zblock",
        "kmalloc": "zsim.allocators.kmalloc:Kmalloc",
        "buddy": "zsim.allocators.buddy:Buddy",
        "ideal": "zsim.allocators.ideal:Ideal",
    },
)


def make_allocator(name: str, kernel: str = "6.1", chain_size: int = 0, grow: Grow | None = None) -> Allocator:
    """The allocator `NAME` or `NAME@KERNEL`; a bare name is the form of `kernel`."""
    base, version = split_version(name, kernel)
    allocator: Allocator = ALLOCATORS.load(base).at(version, chain_size=chain_size, grow=grow)
    return allocator
