"""Which accesses of a trace can be left out: seen row by row, in the order of the trace.

A sieve sees runs of rows (`Rows`) and says which of all rows so far are left out (`Sifted`).
"""

from typing import NamedTuple

NONE = -1


class Rows(NamedTuple):
    """A run of rows as a sieve sees it.

    first    number of its first row; page: dense page of each row, below `pages`, which grows
    op       kind << 1 | write; content: image id, or -1; pinned: rows that must stay
    """

    first: int
    page: list[int]
    pages: int
    op: list[int]
    content: list[int]
    pinned: list[bool]


class Sifted(NamedTuple):
    """Rows that are left out, images that other rows name in their place, and how far the sieve has made up its mind.

    settled  rows below this stay as they are
    """

    dropped: list[int]
    content: dict[int, int]
    settled: int


class Window:
    """The most recently used pages of a sequence: since when have `pages` others been touched?

    A list of all pages by last use, the newest behind the sentinel 0; the `edge` is the page at place pages + 1.
    """

    def __init__(self, pages: int) -> None:
        self.pages = pages
        self.newer, self.older, self.last = [0], [0], [NONE]
        self.edge = 0
        self.held = 0

    def starts(self, rows: Rows) -> list[int]:
        """Before each row, the row at which the page at the edge was last used; NONE while there are too few pages."""
        newer, older, last, edge = self.newer, self.older, self.last, self.edge
        fresh = range(len(last), rows.pages + 1)
        newer += fresh
        older += fresh  # a page that was never used is linked to itself
        last += [NONE] * len(fresh)
        found = []
        for row, dense in enumerate(rows.page, rows.first):
            page = dense + 1
            start = last[edge]
            found.append(start)
            if last[page] < start or page == edge:
                edge = newer[edge]
            newer[older[page]], older[newer[page]] = newer[page], older[page]
            newest = older[0]
            newer[newest] = older[0] = page
            newer[page], older[page] = 0, newest
            if last[page] == NONE:
                self.held += 1
                if self.held == self.pages + 1:
                    edge = newer[0]
            last[page] = row
        self.edge = edge
        return found


class SafelyAllowedDrop:
    """The middle one of three accesses to a page goes where at most `pages` pages are touched from first to last.

    In no LRU memory of `pages` or more can that page have been evicted in between; every other page's evictions and
    faults depend on the pages touched since, of which it is one with or without the middle access. A write goes only
    where the first was one (the page is dirty from then on), an image only where the page gets another with the last,
    which otherwise takes it over. What a page's first image is stays, for it tells what the page held before.
    """

    def __init__(self, pages: int) -> None:
        self.window = Window(pages)
        self.last: list[int] = []
        self.before: list[int] = []
        self.op: list[int] = []
        self.loose: list[bool] = []
        self.dirty: list[bool] = []
        self.content: list[int] = []
        self.named: list[bool] = []

    def sift(self, rows: Rows) -> Sifted:
        """The rows that the next ones show to be of no account."""
        last, before, op, content = self.last, self.before, self.op, self.content
        loose, dirty, named = self.loose, self.dirty, self.named
        fresh = rows.pages - len(last)
        for numbers in (last, before, op, content):
            numbers += [NONE] * fresh
        for flags in (loose, dirty, named):
            flags += [False] * fresh
        dropped, moved = [], {}
        starts = self.window.starts(rows)
        columns = zip(rows.page, starts, rows.op, rows.content, rows.pinned, strict=True)
        for row, (page, start, now, image, pinned) in enumerate(columns, rows.first):
            held = content[page]
            same = now >> 1 == op[page] >> 1
            if same and before[page] > start and loose[page] and (held < 0 or image < 0 or named[page]):
                dropped.append(last[page])
                if image < 0 <= held:
                    moved[row] = image = held
            elif same:
                before[page] = last[page]
                dirty[page] = op[page] & 1 != 0
                named[page] = named[page] or held >= 0
            else:  # first touched, or come back as the other kind of memory
                before[page], dirty[page], named[page] = NONE, False, False
            last[page], op[page], content[page] = row, now, image
            loose[page] = not pinned and (dirty[page] or not now & 1)
        return Sifted(dropped, moved, self.window.last[self.window.edge] + 1)


class Batches:
    """Of each batch of `pages` distinct pages the first touch of each page, and its first write, stay.

    An image that a row left out names goes to the page's last row of the batch that stays.
    """

    def __init__(self, pages: int) -> None:
        self.pages = pages
        self.batch, self.start, self.distinct = 0, 0, 0
        self.batch_of: list[int] = []
        self.op: list[int] = []
        self.kept: list[int] = []

    def sift(self, rows: Rows) -> Sifted:
        """The rows that repeat what their batch has."""
        fresh = rows.pages - len(self.kept)
        for numbers in (self.batch_of, self.op, self.kept):
            numbers += [NONE] * fresh
        dropped, moved = [], {}
        columns = zip(rows.page, rows.op, rows.content, rows.pinned, strict=True)
        for row, (page, op, image, pinned) in enumerate(columns, rows.first):
            if self.batch_of[page] != self.batch:
                self._enter(page, row)
                self.op[page] = op
            elif op == self.op[page] | 1 and op != self.op[page] or op >> 1 != self.op[page] >> 1 or pinned:
                self.op[page] = op
            else:
                dropped.append(row)
                if image >= 0:
                    moved[self.kept[page]] = image
                continue
            self.kept[page] = row
        return Sifted(dropped, moved, self.start)

    def _enter(self, page: int, row: int) -> None:
        """The page is one more of the batch, or the first of the next."""
        if self.distinct == self.pages:
            self.batch, self.start, self.distinct = self.batch + 1, row, 0
        self.distinct += 1
        self.batch_of[page] = self.batch
