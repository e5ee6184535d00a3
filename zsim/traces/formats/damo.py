"""DAMON's regions as damo prints them: not accesses but how often each region was seen used. A made-up trace.

    damo report access --raw_form > NAME.damo.txt        (damo report raw in older releases)

A snapshot says `monitoring_start:` and `monitoring_end:` with a time in words (`1 m 2.5 s`), then per target
`target_id:`, `nr_regions:` and a line for each region, `START-END ( SIZE)[:] NR_ACCESSES [AGE]`, in bytes and
hexadecimal. Layout: damo, USAGE.md and tests/report/expects (3.x).

Each snapshot is cut in PARTS equal parts; a page of a region that was seen used n times is read once in n of them (in
all of them from PARTS times on), in an order and at times drawn anew in each part by a seeded generator. So regions are
as hot as DAMON found them, and nothing finer is meant. A target is a task; its pages are anonymous memory.
"""

from collections.abc import Iterator

import numpy as np

from zsim.errors import TraceError
from zsim.traces.columns import ROWS, Columns, Labels, Table
from zsim.traces.formats.accesses import PAGE_SHIFT, Clock
from zsim.traces.formats.text import matches

ROW = (
    r"( *([0-9a-f]{1,16})-([0-9a-f]{1,16}) *\( *[0-9.,]+ \w+ *\):? +(\d{1,9})(?: .*)?"
    r"|(monitoring_start|monitoring_end|target_id): *(\S.*?) *)"
)
OTHER = r"(?:base_time_absolute|data source|monitoring_duration|nr_regions|intervals)\b.*|#.*"
EXPECTED = "a line of damo report access --raw_form"
UNITS_NS = {
    "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9,
}  # fmt: skip
PARTS = 8
SEED = 1
MAX_REGION_PAGES = 1 << 26


def read(path: str, limit: int | None = None) -> Table:
    """DAMON regions, text of damo report access --raw_form: a synthetic trace, drawn from how hot each region was."""
    return Table(_chunks(path), {"imported": "damo", "synthetic": "regions", "seed": SEED}).limited(limit)


def _chunks(path: str) -> Iterator[Columns]:
    rng, clock, snapshot = np.random.default_rng(SEED), Clock(1), Snapshot()
    for lines, where in matches(path, ROW, OTHER, EXPECTED):
        for row, (_, start, end, times, key, value, _) in enumerate(lines):
            if key:
                if snapshot.regions:
                    yield from snapshot.accesses(rng, clock)
                    snapshot.regions = []
                snapshot.said(key, value, where(row))
            else:
                snapshot.add(int(start, 16), int(end, 16), int(times), where(row))
    yield from snapshot.accesses(rng, clock)


class Snapshot:
    """The regions of one target at one time: (first page, end page, parts of the snapshot in which it is used)."""

    def __init__(self) -> None:
        self.start_ns, self.end_ns, self.target = 0, 0, "0"
        self.regions: list[tuple[int, int, int]] = []

    def said(self, key: str, value: str, place: str) -> None:
        """Take note of a line that says whose and when the regions below are."""
        if key == "target_id":
            self.target = value
        elif key == "monitoring_start":
            self.start_ns = _time_ns(value, place)
        else:
            self.end_ns = _time_ns(value, place)

    def add(self, first_byte: int, end_byte: int, times: int, place: str) -> None:
        """Take note of a region."""
        first, end = first_byte >> PAGE_SHIFT, -(-end_byte >> PAGE_SHIFT)
        if not 0 < end - first <= MAX_REGION_PAGES or self.end_ns <= self.start_ns:
            raise TraceError(f"{place}: {first_byte:x}-{end_byte:x}; expected a region of a snapshot that lasts")
        if times:
            self.regions.append((first, end, min(times, PARTS)))

    def accesses(self, rng: np.random.Generator, clock: Clock) -> Iterator[Columns]:
        """The accesses of the snapshot, part after part."""
        for part in range(PARTS):
            used = [np.arange(a, b) for a, b, n in self.regions if (part + 1) * n // PARTS > part * n // PARTS]
            pages = rng.permutation(np.concatenate(used)) if used else np.empty(0, np.int64)
            span = self.end_ns - self.start_ns
            times = self.start_ns + span * part // PARTS + np.arange(len(pages)) * (span // PARTS) // max(len(pages), 1)
            for row in range(0, len(pages), ROWS):
                run = slice(row, row + ROWS)
                who = Labels(np.zeros(len(pages[run]), np.int32), [self.target])
                page, write = pages[run].astype(np.uint64), np.zeros(len(pages[run]), np.uint8)
                yield Columns(page, write, clock.times_ns(times[run], who), who)


def _time_ns(text: str, place: str) -> int:
    """A time such as `0 ns`, `104.599 ms` or `1 m 2.5 s`."""
    words = text.replace(",", "").split()
    try:
        return sum(round(float(words[i]) * UNITS_NS[words[i + 1]]) for i in range(0, len(words), 2))
    except (ValueError, KeyError, IndexError):
        raise TraceError(f"{place}: {text[:40]!r}; expected a time such as 104.599 ms") from None
