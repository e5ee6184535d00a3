"""Small studies for tests: a trace of a few thousand accesses, and an executor that needs no processes."""

from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from tests.results import write_csv

ROOMY = "memory = { watermark_min_pages = 2, watermark_low_pages = 4, watermark_high_pages = 6 }"
"""Marks that leave a machine of a hundred pages room."""


class Here(Executor):
    """Does the work at once, in this process."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of what is done already."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def write_study(folder: Path, text: str, name: str = "study", traces: tuple[str, ...] = ("small",)) -> Path:
    """A study's file beside its traces; `text` follows the traces and may end in tables."""
    for i, trace in enumerate(traces):
        if not (folder / f"{trace}.csv").exists():
            write_csv(folder / f"{trace}.csv", 3000 + i)
    given = f"traces = {list(traces)!r}" if len(traces) > 1 else f"trace = {traces[0]!r}"
    path = folder / f"{name}.toml"
    path.write_text(f"{given}\n{text}\n")
    return path


SIX = f"""
metrics = ["slowdown", "pswpout"]
[base]
{ROOMY}
[axes]
allocator = ["zbud", "zsmalloc"]
"memory.size" = ["50%", "60%", "70%"]
"""
"""A study of six runs."""
