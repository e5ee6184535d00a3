"""A study whose numbers were chosen by hand: one small replay, copied, with other figures in it."""

import json
from pathlib import Path
from typing import Any

from tests.results import busy_result
from zsim.results import Result
from zsim.studyfiles import FAILED, Point, Study, run_directory, write_studies

AXES: dict[str, list[Any]] = {
    "trace": ["gcc", "sort"], "allocator": ["zbud", "zsmalloc"], "memory.size": ["40%", "60%", "80%"],
}  # fmt: skip

NUMBERS = {
    ("gcc", "zbud", "40%"): (4.0, 1000),
    ("gcc", "zbud", "60%"): (2.0, 600),
    ("gcc", "zbud", "80%"): (1.5, 200),
    ("gcc", "zsmalloc", "40%"): (3.0, 800),
    ("gcc", "zsmalloc", "60%"): (2.5, 660),
    ("gcc", "zsmalloc", "80%"): (1.2, 100),
    ("sort", "zbud", "40%"): (8.0, 0),
    ("sort", "zbud", "60%"): (4.0, 300),
    ("sort", "zsmalloc", "40%"): (4.0, 50),
    ("sort", "zsmalloc", "60%"): (1.0, 300),
    ("sort", "zsmalloc", "80%"): (1.0, 0),
}
"""(slowdown, pgmajfault) of each run; sort, zbud, 80% is missing."""

OOM = ("sort", "zsmalloc", "80%")
BROKEN = ("sort", "zbud", "60%")
ERROR = "OSError: <no space> left & gone"
TEXT = "The **claim**: denser.\n\n# A heading\n\n<script>alert(1)</script> ![picture](http://example.org/x.png)\n"


def handmade_result(place: tuple[str, str, str], number: int) -> Result:
    """A result with these figures: RAM of 100 pages' footprint, and a pool that holds twice its frames."""
    trace, allocator, memory = place
    result = busy_result()
    slowdown, faults = NUMBERS[place]
    result.metrics |= {
        "slowdown": slowdown,
        "pgmajfault": faults,
        "stored_pages_peak": 60,
        "pool_pages_peak": 20 + number,
    }
    result.trace |= {"name": trace, "digest": f"{trace:>064}", "footprint_pages": 100}
    result.config |= {"allocator": allocator}
    result.config["memory"] |= {"size": memory}
    result.outcome = "oom" if place == OOM else "done"
    result.provenance["digest"] = f"{number:016x}" + "0" * 48
    return result


def write_study(folder: Path, **changes: Any) -> Path:
    """The study's folder: 9 runs done, one out of memory, one failed, one missing."""
    points = []
    for number, place in enumerate(
        (t, a, m) for t in AXES["trace"] for a in AXES["allocator"] for m in AXES["memory.size"]
    ):
        point = Point(f"{number:016x}" + "0" * 48, place[0], dict(zip(AXES, place, strict=True)))
        points.append(point)
        directory = run_directory(folder, point.digest)
        if place == BROKEN:
            directory.mkdir(parents=True)
            failed = {"schema": 1, "digest": point.digest, "error": ERROR, "values": point.values}
            (directory / FAILED).write_text(json.dumps(failed))
        elif place in NUMBERS:
            handmade_result(place, number).save(directory)
    study = {
        "name": "density", "title": "Density <of> allocators", "text": TEXT, "metrics": ["slowdown", "pgmajfault"],
        "baseline": {"allocator": "zbud"}, "axes": AXES, "figures": [], "points": points, "folder": folder,
    } | changes  # fmt: skip
    write_studies(folder, [Study(**study)])
    return folder
