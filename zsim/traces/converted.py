"""The converted copy of a large CSV: made as it is first read, used when it is opened again."""

from zsim.traces import READERS
from zsim.traces.columns import Table
from zsim.traces.streams import PARQUET, open_bytes

LARGE_BYTES = 20 << 20


def table(path: str, limit: int | None = None, format: str | None = None) -> Table:
    """The trace's table, from its converted copy where there is one."""
    result: Table = READERS.load(format or sniff(path))(path, limit)
    return result


def sniff(path: str) -> str:
    """The format of a file by its first bytes: "columnar", else "csv"."""
    if path == "-":
        return "csv"
    with open_bytes(path) as file:
        return "columnar" if file.read(4) == PARQUET else "csv"
