"""`perf script`: sampled accesses or page faults with their data address.

    perf record -d -c 1 -e page-faults:u COMMAND      or: perf mem record COMMAND
    perf script -F comm,pid,tid,time,event,addr

A line is `COMMAND PID[/TID] [CPU] SECONDS: [PERIOD] EVENT: ADDRESS ...`; the tracepoints `exceptions:page_fault_*` are
known by their `address=` and `error_code=` (bit 1: a write). Layout: perf-script(1) and its output (6.1). Events that
name stores are writes, others reads: page-faults do not say. A task is a process by its number (a thread where the
line names only that); pages are anonymous memory. This is what perf saw, not every access: without page table tricks
a page faults once, so that page-faults give a cold start and no more.
"""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from zsim.traces.columns import Columns, Labels, Table
from zsim.traces.formats.accesses import PAGE_SHIFT, Clock
from zsim.traces.formats.text import Matches, matches
from zsim.units import NS_PER_S, NS_PER_US

ROW = (
    r" *\S.{0,15}? +(\d+)(?:/\d+)? +(?:\[\d+\] +)?(\d+)\.(\d{6}|\d{9}): +(?:\d+ +)?(\S+):"
    r" +(?:(?:0x)?([0-9a-f]+)(?: +[0-9a-f]{4,}(?: .*)?)? *"
    r"|address=(?:0x)?([0-9a-f]+)(?:.*?error_code=(?:0x)?([0-9a-f]+))?.*)"
)
OTHER = r" *#.*"
EXPECTED = "a line of perf script -F comm,pid,tid,time,event,addr (without addr it names code, not data)"
WRITE = 2
STORES = ("store", "write")


def read(path: str, limit: int | None = None) -> Table:
    """perf script, page-faults or mem events with `addr`: what perf saw; a task is a process."""
    return Table(_chunks(path), {"imported": "perf"}).limited(limit)


def _chunks(path: str) -> Iterator[Columns]:
    clock = Clock(1)
    for rows, where in matches(path, ROW, OTHER, EXPECTED):
        if rows:
            yield _columns(rows, clock, where)


def _columns(rows: Matches, clock: Clock, where: Callable[[int], str]) -> Columns:
    task, seconds, fraction, event, address, fault, code, _ = zip(*rows, strict=True)
    names = list(dict.fromkeys(task))
    codes = {name: i for i, name in enumerate(names)}
    tasks = Labels(np.array([codes[name] for name in task], np.int32), names)
    ticks = np.array(seconds).astype(np.int64) * NS_PER_S
    ticks += np.array(fraction).astype(np.int64) * (1 if len(fraction[0]) == 9 else NS_PER_US)
    byte = np.array([int(a or b, 16) for a, b in zip(address, fault, strict=True)], np.uint64)
    return Columns(
        page=byte >> np.uint64(PAGE_SHIFT),
        write=np.array(list(map(_writes, event, code)), np.uint8),
        time_ns=clock.times_ns(ticks, tasks),
        task=tasks,
        place=where,
    )


@cache
def _writes(event: str, code: str) -> bool:
    return bool(int(code, 16) & WRITE) if code else any(word in event for word in STORES)
