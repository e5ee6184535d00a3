"""First fit: an allocator of compressed pages for zsim. What each method promises: zsim.allocators.Allocator."""

from zsim.allocators import EINVAL, ENOMEM, ENOSPC, Extent, Occupancy
from zsim.units import PAGE_SIZE


class FirstFit:
    """Objects go into the first hole that is large enough, page by page. No headers, no reclaim, no compaction."""

    kernels, pages_per_object = "none (an example)", "as many objects a page as their sizes allow"
    can_reclaim = can_compact = False

    def __init__(self, grow=None):
        self.pages, self.max_size, self.contiguous_pages, self._grow, self._last_handle = 0, PAGE_SIZE, 1, grow, 0
        self._frames, self._live = {}, {}  # page number -> its extents by offset; handle -> extent

    at = classmethod(lambda cls, kernel, chain_size=0, grow=None: cls(grow))

    def alloc(self, size_bytes):
        if not 0 < size_bytes <= PAGE_SIZE:
            return EINVAL if size_bytes <= 0 else ENOSPC
        number, offset = self._hole(size_bytes)
        if number not in self._frames and self._grow and not self._grow(1):
            return ENOMEM
        self._last_handle += 1
        extent = self._live[self._last_handle] = Extent(number, offset, size_bytes, self._last_handle)
        self._frames[number] = sorted([*self._frames.get(number, ()), extent])
        self.pages = len(self._frames)
        return extent.handle

    def free(self, handle):
        extent = self._live.pop(handle)
        frame = [other for other in self._frames.pop(extent.group) if other != extent]
        self._frames |= {extent.group: frame} if frame else {}
        self.pages = len(self._frames)

    def reclaim(self, evict, tries=8):
        return EINVAL

    def compact(self):
        return 0

    def extents(self):
        return iter(self._live.values())

    def occupancy(self):
        return [Occupancy("all", self.pages, len(self._live), len(self._live))]

    def validate(self):
        assert sorted(sum(self._frames.values(), [])) == sorted(self._live.values())

    def _hole(self, size_bytes):
        for number, frame in self._frames.items():
            end = 0
            for extent in [*frame, Extent(number, PAGE_SIZE, 0, 0)]:
                if extent.offset - end >= size_bytes:
                    return number, end
                end = extent.offset + extent.size_bytes
        return max(self._frames, default=0) + 1, 0
