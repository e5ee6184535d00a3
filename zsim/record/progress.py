"""What a recording says on the way: pages, rows, their rate, how much slower the program is; one line on stderr."""

import sys
import time
from typing import TextIO

from zsim.record.journal import Journal

EVERY_S = 0.5


class Progress:
    """A line that is written over as the recording grows, on a terminal only."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = sys.stderr if out is None else out
        self.begun = time.monotonic()
        self._due = self.begun + EVERY_S
        self._shown = False

    def show(self, journal: Journal) -> None:
        """Say where the recording is, not more often than every half second."""
        now = time.monotonic()
        if now < self._due or not self.out.isatty():
            return
        self._due = now + EVERY_S
        self._shown = True
        seconds = now - self.begun
        rate = journal.rows / seconds
        slowdown = seconds * 1e9 / max(sum(journal.times_ns.values()), 1)
        pages = f"{len(journal.footprint):,} pages, {journal.rows:,} accesses, {rate:,.0f}/s"
        said = f"{pages}, {seconds:.0f} s, {slowdown:,.0f} times slower"
        self.out.write(f"\rzsim: recording: {said} \x1b[K")
        self.out.flush()

    def clear(self) -> None:
        """Leave the line empty."""
        if self._shown:
            self.out.write("\r\x1b[K")
            self.out.flush()
