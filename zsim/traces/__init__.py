"""Traces: one file per format behind one way to open them."""

from pathlib import Path

from zsim.registry import Registry
from zsim.traces.trace import NO_CONTENT, ContentLog, Images, TaskTrace, Trace

READERS = Registry("trace format", {"csv": "zsim.traces.csv:read", "columnar": "zsim.traces.columnar:read"})
"""Format -> read(path, limit) -> Table; rows come run by run and are checked as they come."""


def open_trace(path_or_name: str | Path, limit: int | None = None, format: str | None = None) -> Trace:
    """Read a trace: any file of a recording, its bare name, or "-" for a CSV on stdin.

    limit   read only the first so many accesses
    format  one of READERS; None: by what the file holds
    Raises `TraceError` naming file, line and column for anything that is not as documented.
    """
    from zsim.traces import converted, images, recording
    from zsim.traces.build import build

    found = recording.find(str(path_or_name))
    header = found.header()
    known = images.read_images(found.images, found.pages) if found.images else None
    table = converted.table(found.table, limit, format)
    table.header = header | table.header
    return build(table, found.name, known, "stdin" if found.table == "-" else found.table)


__all__ = ["NO_CONTENT", "READERS", "ContentLog", "Images", "TaskTrace", "Trace", "open_trace"]
