"""The converted copy of a large trace: its arrays as they lie in memory, kept in the user's cache when first opened.

One line of JSON, padded, then the arrays one after the other. Opening it maps them: nothing is parsed, and processes
that replay the same trace share its memory.
"""

import hashlib
import json
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zsim.errors import TraceError
from zsim.files import cache_path, keep
from zsim.traces.trace import ContentLog, Images, TaskTrace, Trace

LARGE_BYTES = 20 << 20
FORM = 2
"""Changes when the meaning of a converted copy does."""
ALIGN = 64
LOG_TYPES = {"starts": "I", "rows": "I", "ids": "i"}


def copy_name(path: str, format: str | None = None) -> str | None:
    """What the copy of a large file is called: by its place, size, time of change; None where it is not large."""
    status = Path(path).stat() if path != "-" else None
    if status is None or status.st_size < LARGE_BYTES:
        return None
    key = f"{FORM} {format} {Path(path).resolve()} {status.st_size} {status.st_mtime_ns}"
    return f"trace-{hashlib.sha256(key.encode()).hexdigest()[:24]}"


def save(trace: Trace, name: str) -> None:
    """Keep the trace's arrays in the cache, where there is one; images and name are not part of it."""
    arrays = _arrays(trace)
    lengths = [[key, values.dtype.str, len(values)] for key, values in arrays.items()]
    said = {
        "tasks": [[task.name, task.starts_after, task.remaps] for task in trace.tasks],
        "pages": [trace.pages, trace.footprint_pages],
        "header": trace.header,
        "arrays": lengths,
    }
    try:
        line = json.dumps(said).encode()
    except TypeError:  # a header that JSON cannot hold
        return
    keep(name, lambda part: _write(part, line, list(arrays.values())))


def _arrays(trace: Trace) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {"owner": trace.owner, "is_file": trace.is_file, "numbers": trace.numbers}
    for i, task in enumerate(trace.tasks):
        found[f"accesses {i}"] = task.accesses
        if task.times_ns is not None:
            found[f"times_ns {i}"] = task.times_ns
    if trace.objects is not None:
        found["objects"] = trace.objects
    if trace.content is not None:
        found |= {key: np.asarray(getattr(trace.content, key)) for key in LOG_TYPES}
    return found


def _write(path: Path, line: bytes, arrays: list[npt.NDArray[Any]]) -> None:
    with path.open("wb") as file:
        file.write(line + b"\n")
        for values in arrays:
            file.write(b"\0" * (-file.tell() % ALIGN))
            np.ascontiguousarray(values).tofile(file)


def load(name: str, trace_name: str, images: Images | None) -> Trace | None:
    """The trace whose arrays were saved under `name`, its digest still to be made; None where there is no copy."""
    path = cache_path(name)
    try:
        if path is None or not path.is_file():
            return None
        return _read(path, trace_name, images)
    except (OSError, ValueError, KeyError, EOFError):
        return None


def _read(path: Path, name: str, images: Images | None) -> Trace:
    found: dict[str, Any] = {}
    with path.open("rb") as file:
        said = json.loads(file.readline())
        for key, dtype, length in said["arrays"]:
            start = file.tell() + -file.tell() % ALIGN
            file.seek(start)
            if key in LOG_TYPES:
                found[key] = array(LOG_TYPES[key])
                found[key].fromfile(file, length)
            else:
                mapped = np.memmap(path, dtype, "c", start, (length,)) if length else np.empty(0, dtype)
                found[key] = mapped.view(np.ndarray)
                file.seek(start + found[key].nbytes)
    tasks = [
        TaskTrace(
            task,
            found[f"accesses {i}"],
            found.get(f"times_ns {i}"),
            None if after is None else tuple(after),
            [(row, page) for row, page in remaps],
        )
        for i, (task, after, remaps) in enumerate(said["tasks"])
    ]
    content = ContentLog(*(found[key] for key in LOG_TYPES)) if "ids" in found else None
    pages, footprint = said["pages"]
    return Trace(
        name, "", tasks, pages, footprint, found["owner"], found["is_file"], found["numbers"], content, images,
        said["header"], found.get("objects"),
    )  # fmt: skip


def check_content(trace: Trace, place: str) -> None:
    """A `TraceError` where the trace names images that its recording does not have (any more)."""
    if trace.content is None or trace.images is None:
        return
    largest = int(np.asarray(trace.content.ids).max())
    if largest >= trace.images.count:
        raise TraceError(
            f"{place}: column 'content': {largest}; "
            f"expected an image id below {trace.images.count}, as many as the recording has"
        )
