"""Dense numbers for page numbers, given out in the order of first touch, run by run and in bounded memory."""

import numpy as np
import numpy.typing as npt

from zsim.traces import arrow

LEAF_SHIFT = 4
LEAF_PAGES = 1 << LEAF_SHIFT


class Growing:
    """A flat array that grows in place: the old and the new copy never stand side by side."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self.data: npt.NDArray[np.generic] = np.empty(0, dtype)

    def __len__(self) -> int:
        return len(self.data)

    def extend(self, values: npt.NDArray[np.generic]) -> None:
        """Append `values`, cast to the array's type."""
        rows = len(self.data)
        self.data.resize(rows + len(values), refcheck=False)
        self.data[rows:] = values


def factorize(values: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
    """(code of each value, the distinct values in order of first appearance)."""
    encoded = arrow.array(values).dictionary_encode()
    return arrow.numbers(encoded.indices), arrow.numbers(encoded.dictionary)


class PageNumbers:
    """The page numbers of one task and their dense numbers: 0, 1, 2, ... as they are first touched.

    Like a page table: neighbouring pages share a leaf of 16 dense numbers, so that only leaves need hashing.
    """

    def __init__(self) -> None:
        self.pages = Growing(np.uint64)
        self._leaves = np.full((0, LEAF_PAGES), -1, np.int32)
        self._known: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._leaf_of_known: npt.NDArray[np.int64] = np.empty(0, np.int64)

    def number(self, pages: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """The dense number of each page, new ones given to pages not seen before."""
        codes, leaves = factorize(pages >> np.uint64(LEAF_SHIFT))
        cells = self._find(leaves)[codes]
        cells <<= LEAF_SHIFT
        cells |= (pages & np.uint64(LEAF_PAGES - 1)).view(np.int64)
        table = self._leaves.reshape(-1)
        dense = table[cells]
        new = np.flatnonzero(dense < 0)
        if new.size:
            codes, distinct = factorize(pages[new])
            dense[new] = codes + len(self.pages)
            table[cells[new]] = dense[new]
            self.pages.extend(distinct)
        return dense

    def _find(self, leaves: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """The index of each of the distinct `leaves`, new ones added."""
        order = np.argsort(leaves)
        wanted = leaves[order]
        at = np.searchsorted(self._known, wanted)
        fresh = np.ones(len(wanted), bool)
        inside = at < len(self._known)
        fresh[inside] = self._known[at[inside]] != wanted[inside]
        if fresh.any():
            self._add(wanted[fresh], at[fresh])
            at = np.searchsorted(self._known, wanted)
        found = np.empty(len(leaves), np.int64)
        found[order] = self._leaf_of_known[at]
        return found

    def _add(self, leaves: npt.NDArray[np.uint64], at: npt.NDArray[np.intp]) -> None:
        first = len(self._known)
        self._known = np.insert(self._known, at, leaves)
        self._leaf_of_known = np.insert(self._leaf_of_known, at, np.arange(first, first + len(leaves)))
        if len(self._known) > len(self._leaves):
            spare = np.full((max(len(self._leaves) // 4, len(leaves)), LEAF_PAGES), -1, np.int32)
            self._leaves = np.concatenate((self._leaves, spare))
