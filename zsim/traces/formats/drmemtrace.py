"""DynamoRIO's drmemtrace, as its view tool prints it: every access of a program, instruction fetches too.

    drrun -t drmemtrace -tool view -indir TRACE 2>&1 | zsim trace convert --from drmemtrace - NAME.trace.parquet

Access lines are `RECORD INSTRUCTION: THREAD ifetch|read|write SIZE byte(s) @ 0xADDRESS ...`, in older releases
`T<thread> ifetch ...`; THREAD may be W<workload>.T<thread>. What has no `byte(s) @` is no access and is passed over;
prefetches are, too. Layout: DynamoRIO manual, "Trace Format" and the README of drmemtrace_samples.

The threads of a workload share its memory: a workload is one task, in the order of the lines. All pages are anonymous
memory; the clock is the instructions so far, a nanosecond each. Of accesses to one page with no other in between, only
the first and the first write are kept.
"""

from collections.abc import Iterator

import numpy as np

from zsim.traces.columns import Columns, Labels, Table
from zsim.traces.formats.accesses import Program
from zsim.traces.formats.text import matches

ROW = (
    r"( *(?:\d+ +)?(?:\d+: *)?(?:W(\d{1,4})\.)?\S+) +"
    r"(ifetch|read|write) +(\d{1,9}) byte\(s\) @ 0x([0-9a-f]{1,16})(?: .*)?"
)
OTHER = r"(?!.*byte\(s\) @).*|.*\bpref.*"
EXPECTED = "a line of the view tool, such as '12 3: 4242 read 8 byte(s) @ 0x00007fff8044f6c0 by PC 0x...'"


def read(path: str, limit: int | None = None) -> Table:
    """DynamoRIO drmemtrace, text of its view tool: every access of a program, one nanosecond an instruction."""
    return Table(_chunks(path), {"imported": "drmemtrace", "instruction_ns": 1}).limited(limit)


def _chunks(path: str) -> Iterator[Columns]:
    program = Program()
    for rows, where in matches(path, ROW, OTHER, EXPECTED):
        if rows:
            _, workload, kind, size, address, _ = zip(*rows, strict=True)
            yield program.columns(
                np.array([int(text, 16) for text in address], np.uint64),
                np.array(size, np.uint64),
                np.array([text == "ifetch" for text in kind]),
                np.array([text == "write" for text in kind], np.uint8),
                where,
                _workloads(workload),
            )


def _workloads(numbers: tuple[str, ...]) -> Labels | None:
    """The workload of each row, where the lines name one."""
    if not numbers[0]:
        return None
    codes = np.array([int(number or 0) for number in numbers], np.int32)
    return Labels(codes, [f"W{number}" for number in range(int(codes.max()) + 1)])
