"""What a trace is like: its size, mix, reuse, working set over time, and how well its pages compress."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zsim.traces.order import spans
from zsim.traces.reuse import reuse
from zsim.traces.trace import Trace
from zsim.units import PAGE_SIZE

if TYPE_CHECKING:
    from zsim.contents import Contents

SEGMENTS = 10
MEMORY_PERCENT = (25, 50, 75)
ORIGIN = ("command", "imported", "generated", "synthetic", "seed", "instruction_ns", "reduced", "k")
"""What the header may say of where the accesses come from."""


def describe(trace: Trace, contents: Mapping[str, "Contents"]) -> dict[str, Any]:
    """Everything `zsim trace info` says of a trace, ready for JSON; sizes in pages or bytes as named.

    contents  compressor name -> what the trace's pages hold and come to under it
    """
    accesses = ordered(trace)
    pages = accesses >> np.uint32(1)
    writes = int(np.count_nonzero(accesses & 1))
    file_pages = int(np.count_nonzero(trace.is_file))
    return {
        "schema": 1,
        "name": trace.name,
        "digest": trace.digest,
        "accesses": trace.accesses,
        "writes": writes,
        "write_share": round(writes / trace.accesses, 4),
        "footprint_pages": trace.footprint_pages,
        "footprint_bytes": trace.footprint_pages * PAGE_SIZE,
        "anon_pages": trace.pages - file_pages,
        "file_pages": file_pages,
        "remapped_pages": trace.pages - trace.footprint_pages,
        "written_pages": len(np.unique(pages[(accesses & 1) != 0])),
        "tasks": [_task(trace, i) for i in range(len(trace.tasks))],
        "origin": {key: trace.header[key] for key in ORIGIN if key in trace.header},
        "min_memory_pages": trace.header.get("min_memory_pages"),
        "reuse": _reuse(pages, trace.footprint_pages),
        "working_set_pages": working_set_pages(pages),
        "images": _images(trace),
        "compressibility": [{"compressor": name, **compressibility(held)} for name, held in contents.items()],
    }


def ordered(trace: Trace) -> npt.NDArray[np.uint32]:
    """Accesses of all tasks, each started where it was started."""
    parts = [trace.tasks[task].accesses[first:end] for task, first, end in spans(trace)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _task(trace: Trace, index: int) -> dict[str, Any]:
    task = trace.tasks[index]
    times = task.times_ns
    return {
        "name": task.name,
        "accesses": len(task.accesses),
        "pages": int(np.count_nonzero(trace.owner == index)),
        "runtime_ns": None if times is None else int(times[-1]),
        "starts_after": None if task.starts_after is None else list(task.starts_after),
    }


def _reuse(pages: npt.NDArray[np.uint32], footprint_pages: int) -> dict[str, Any]:
    found = reuse(pages)
    at = {percent: max(footprint_pages * percent // 100, 1) for percent in MEMORY_PERCENT}
    return {
        "sampled_share": round(found.rate, 6),
        "distance_pages": {f"p{percent}": found.percentile_pages(percent) for percent in (50, 90, 99)},
        "lru": [
            {
                "memory_percent": percent,
                "memory_pages": memory,
                "refaults": found.faults(memory),
                "miss_ratio": round((found.faults(memory) + found.cold) / len(pages), 5),
            }
            for percent, memory in at.items()
        ],
    }


def working_set_pages(pages: npt.NDArray[np.uint32]) -> list[int]:
    """Distinct pages touched in each tenth of the accesses."""
    return [len(np.unique(part)) for part in np.array_split(pages, SEGMENTS) if len(part)]


def _images(trace: Trace) -> dict[str, int] | None:
    images = trace.images
    if images is None:
        return None
    return {"count": images.count, "with_bytes": int(np.count_nonzero(images.slots >= 0))}


def compressibility(contents: "Contents") -> dict[str, Any]:
    """How well what the trace's pages hold compresses; without images, how well the population does.

    ratio  bytes before / bytes after, over pages that are not same-filled; one that does not fit counts as it is
    """
    first, end = (0, contents.images) if contents.images else (0, len(contents.size_bytes))
    same = np.frombuffer(contents.same_filled, np.uint8)[first:end] != 0
    sizes = np.array(contents.size_bytes[first:end])[~same]
    stored = np.minimum(sizes, PAGE_SIZE)
    return {
        "median_bytes": int(np.median(sizes)) if len(sizes) else None,
        "ratio": round(PAGE_SIZE * len(sizes) / int(stored.sum()), 3) if len(sizes) else None,
        "same_filled_share": round(float(same.mean()), 5),
        "does_not_fit_share": round(float((sizes > PAGE_SIZE).mean()), 5) if len(sizes) else 0.0,
        "drawn_share": round(contents.drawn_share, 4),
    }
