"""What a recording says on the way: pages, rows, their rate, on stderr and on one line."""

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
        said = f"{len(journal.footprint):,} pages, {journal.rows:,} accesses, {rate:,.0f}/s, {seconds:.0f} s"
        self.out.write(f"\rzsim: recording: {said} \x1b[K")
        self.out.flush()

    def clear(self) -> None:
        """Leave the line empty."""
        if self._shown:
            self.out.write("\r\x1b[K")
            self.out.flush()
