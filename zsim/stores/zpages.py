"""The compressed pages of one kind in a zcache: a tmem pool over an allocator."""

from typing import NamedTuple

from zsim.allocators import Allocator
from zsim.stores.tmem import Key, TmemPool


class Zpage(NamedTuple):
    """What tmem keeps of a page (Linux: pampd); `handle` 0: zero-filled, a marker without space."""

    handle: int
    size_bytes: int
    content: int
    page: int


class Zpages:
    """The ephemeral or the persistent pages of a zcache, and the frames they are in.

    header_bytes  added to each object; exclusive: a load takes the page out
    """

    def __init__(self, allocator: Allocator, header_bytes: int, exclusive: bool) -> None:
        self.allocator = allocator
        self.header_bytes = header_bytes
        self.tmem: TmemPool[Zpage] = TmemPool(exclusive, self._free)
        self.zbytes = 0
        self.zero_filled = 0
        self.key_of: dict[int, Key] = {}

    @property
    def zpages(self) -> int:
        """Pages kept, zero-filled ones included."""
        return self.tmem.pages

    @property
    def pageframes(self) -> int:
        """Frames of the allocator."""
        return self.allocator.pages

    def keep(self, key: Key, size_bytes: int, content: int, page: int) -> Zpage | None:
        """Room for a compressed page; None: there is none."""
        handle = self.allocator.alloc(size_bytes + self.header_bytes)
        if handle < 0:
            return None
        self.key_of[handle] = key
        self.zbytes += size_bytes
        return Zpage(handle, size_bytes, content, page)

    def keep_zero(self, content: int, page: int) -> Zpage:
        """A zero-filled page takes no room."""
        self.zero_filled += 1
        return Zpage(0, 0, content, page)

    def drop(self, handle: int) -> bool:
        """Forget the page of an object that the allocator wants rid of."""
        return self.tmem.flush_page(self.key_of[handle])

    def _free(self, zpage: Zpage) -> None:
        if not zpage.handle:
            self.zero_filled -= 1
            return
        del self.key_of[zpage.handle]
        self.zbytes -= zpage.size_bytes
        self.allocator.free(zpage.handle)

    def validate(self) -> None:
        """Recount pages, objects and bytes; tmem and allocator audit themselves."""
        kept = list(self.tmem.items())
        assert self.key_of == {zpage.handle: key for key, zpage in kept if zpage.handle}
        assert self.zbytes == sum(zpage.size_bytes for _, zpage in kept)
        assert self.zero_filled == len(kept) - len(self.key_of)
        self.tmem.validate()
        self.allocator.validate()
