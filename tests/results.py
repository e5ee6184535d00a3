"""Small results for tests: real replays of traces made by hand, a few milliseconds each."""

import random
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from tests.machines import make_trace
from zsim.config import load_config
from zsim.results import Result
from zsim.run import replay
from zsim.traces import Trace

PAGES = 120


@cache
def busy_trace(seed: int = 1, name: str = "busy") -> Trace:
    """A task that walks 120 pages, the low ones more often, writing a third of the time."""
    choose = random.Random(seed)
    accesses = [(min(int(choose.expovariate(1 / 30)), PAGES - 1), int(choose.random() < 0.3)) for _ in range(3000)]
    trace = make_trace([[(page, 1) for page in range(PAGES)] + accesses])
    trace.name, trace.digest = name, f"{seed:064x}"
    trace.header = {"k": 2, "min_memory_pages": 4}
    return trace


def busy_config(**overrides: Any) -> Any:
    """A machine that is too small for it, with a pool that fills."""
    return load_config(**{"memory": str(64 * 4096), "memory__watermark_min_pages": 2, "memory__watermark_low_pages": 4,
                          "memory__watermark_high_pages": 6} | overrides)  # fmt: skip


def busy_result(**overrides: Any) -> Result:
    """The result of that, replayed once and copied for each who asks."""
    return deepcopy(_replayed(tuple(sorted(overrides.items()))))


@cache
def _replayed(overrides: tuple[tuple[str, Any], ...]) -> Result:
    return replay(busy_trace(), busy_config(**dict(overrides)))


def oom_result() -> Result:
    """Nothing may go to the device and the pool is small: memory runs out."""
    return busy_result(writeback="none", zswap__max_pool_percent=1)


def write_csv(path: Path, accesses: int = 3000, pages: int = PAGES) -> Path:
    """The same kind of trace as a CSV file."""
    choose = random.Random(accesses)
    rows = [f"{page},W" for page in range(pages)]
    rows += [f"{choose.randrange(pages)},{choose.choice('RRW')}" for _ in range(accesses - pages)]
    path.write_text("page,op\n" + "\n".join(rows) + "\n")
    return path
