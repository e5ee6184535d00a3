"""Traces: one file per format behind one way to open them."""

from pathlib import Path
from typing import TYPE_CHECKING

from zsim.registry import Registry
from zsim.traces.trace import NO_CONTENT, ContentLog, Images, TaskTrace, Trace

if TYPE_CHECKING:
    from zsim.traces.columns import Table

READERS = Registry(
    "trace format",
    {
        "csv": "zsim.traces.csv:read",
        "columnar": "zsim.traces.columnar:read",
        "lackey": "zsim.traces.formats.lackey:read",
        "perf": "zsim.traces.formats.perf:read",
        "oracleGeneral": "zsim.traces.formats.oracle_general:read",
        "libcachesim-csv": "zsim.traces.formats.libcachesim_csv:read",
        "drmemtrace": "zsim.traces.formats.drmemtrace:read",
        "msr": "zsim.traces.formats.msr:read",
        "fiu": "zsim.traces.formats.fiu:read",
        "kaplan": "zsim.traces.formats.kaplan:read",
        "damo": "zsim.traces.formats.damo:read",
    },
)
"""Format -> read(path, limit) -> Table; rows come run by run and are checked as they come."""

WRITERS = Registry(
    "trace format to write",
    {
        "csv": "zsim.traces.write:CsvWriter",
        "columnar": "zsim.traces.write:ColumnarWriter",
        "oracleGeneral": "zsim.traces.formats.oracle_general:Writer",
    },
)
"""Format -> Writer(part, table, name), which writes run by run to `part`, to be called `name` once it is closed."""

_ENDINGS = (".gz", ".zst", ".bin", ".txt", ".csv")


def open_trace(path_or_name: str | Path, limit: int | None = None, format: str | None = None) -> Trace:
    """Read a trace: any file of a recording, its bare name, or "-" for a CSV on stdin.

    limit   read only the first so many accesses
    format  one of READERS; None: by what the file holds
    A large file leaves a converted copy in the user's cache ($XDG_CACHE_HOME/zsim), from which it opens at once.
    Raises `TraceError` naming file, line and column for anything that is not as documented.
    """
    from zsim.traces import converted, images, recording
    from zsim.traces.build import build, digest

    found = recording.find(str(path_or_name))
    known = images.read_images(found.images, found.pages) if found.images else None
    copy = converted.copy_name(found.table, format) if limit is None else None
    if copy is not None and (trace := converted.load(copy, found.name, known)) is not None:
        converted.check_content(trace, found.table)
        trace.digest = digest(trace)
    else:
        table = open_table(found.table, limit, format)
        trace = build(table, found.name, known, "stdin" if found.table == "-" else found.table)
        if copy is not None:
            converted.save(trace, copy)
    trace.header = found.header() | trace.header
    return trace


def open_table(path: str, limit: int | None = None, format: str | None = None) -> "Table":
    """The rows of one trace file ("-": stdin) as they are read, with nothing built from them yet."""
    table: Table = READERS.load(format or sniff(path))(path, limit)
    return table


def sniff(path: str) -> str:
    """The format of a file: "columnar" by its first bytes, another by a name such as x.lackey.gz, else "csv"."""
    from zsim.traces.streams import PARQUET, open_bytes

    if path != "-" and Path(path).is_file():  # a pipe's first bytes cannot be read twice
        with open_bytes(path) as file:
            if file.read(4) == PARQUET:
                return "columnar"
    return named_format(path) or "csv"


def named_format(path: str) -> str | None:
    """The format that a file name names: NAME.FORMAT, with .bin, .txt, .csv, .gz or .zst behind it; None for none."""
    name = Path(path)
    while name.suffix in _ENDINGS:
        name = name.with_suffix("")
    return next((known for known in READERS.names() if name.suffix == f".{known}"), None)


__all__ = ["NO_CONTENT", "READERS", "WRITERS", "ContentLog", "Images", "TaskTrace", "Trace", "open_table", "open_trace"]
