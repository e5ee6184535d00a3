"""Writing traces: CSV (plain, .gz, .zst) and columnar, complete under their name or not there at all."""

import json
import os
import re
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from zsim.errors import TraceError, UsageError, ZsimError
from zsim.files import replacing
from zsim.traces import WRITERS, arrow, named_format
from zsim.traces.columnar import HEADER_KEY
from zsim.traces.columns import SCALES_NS, Columns, Labels, Table

SUFFIXES = (".csv", ".csv.gz", ".csv.zst", ".parquet")
ZSTD_LEVEL = 9
_STRUCTURAL = re.compile(r'[",\r\n]|^\s|\s$')
_PLAIN = re.compile(r"[\w.+-]+")


def write_table(table: Table, path: str | Path) -> int:
    """Write a table to `path` in the format of its name ("-": CSV to stdout); the number of rows.

    A `UsageError` for a name that tells no format, a `ZsimError` where the file cannot be written.
    """
    rows = 0
    for run in writing(table, path):
        rows += len(run)
    return rows


def writing(table: Table, path: str | Path, format: str | None = None) -> Generator[Columns]:
    """The table's runs, each written to `path` as it passes; the file appears when all have passed.

    format  one of WRITERS; None: by the name
    """
    make = WRITERS.load(format or format_of(str(path)))
    written = 0
    with ExitStack() as stack:
        part = "-" if str(path) == "-" else str(stack.enter_context(_replacing(Path(path))))
        writer: Writer = make(part, table, str(path))
        for run in table.chunks:
            with said(path):
                writer.write(run)
            written += len(run)
            yield run
        if not written:
            raise TraceError(f"{path}: not written, as there is no access to write")
        with said(path):
            writer.close()


def format_of(path: str) -> str:
    """The format to write `path` in, by its name; a `UsageError` where that tells none."""
    format = named_format(path)
    if format in WRITERS.names():
        return str(format)
    if path.endswith(".parquet"):
        return "columnar"
    if path == "-" or path.endswith(SUFFIXES):
        return "csv"
    known = ", ".join([*SUFFIXES, ".oracleGeneral.bin"])
    raise UsageError(f"{path}: no format has this suffix; expected {known} (or - for CSV to stdout)")


class Writer(Protocol):
    """What writes the rows of a trace, run by run."""

    def write(self, run: Columns) -> None:
        """Append a run of rows."""

    def close(self) -> None:
        """Write what is left."""


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    with said(path), replacing(path) as part:
        yield part


@contextmanager
def said(path: str | Path) -> Iterator[None]:
    """An error of the system as one line with the name of the file."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else str(error)  # pyarrow's own words name the temporary file
        raise ZsimError(f"{path}: {words}") from None


class CsvWriter:
    """CSV rows under a header row; what the trace's header says as one comment line, as far as it is plain words.

    Compressed where the file's final `name` ends in .gz or .zst; `part` is what it is called until then.
    """

    def __init__(self, part: str, table: Table, name: str = "") -> None:
        import pyarrow as pa

        self.table = table
        self._columns: list[str] = []
        compression = {".gz": "gzip", ".zst": "zstd"}.get(Path(name).suffix)
        self._file = pa.PythonFile(sys.stdout.buffer, "w") if part == "-" else pa.output_stream(part, compression)
        words = {key: str(value) for key, value in self.table.header.items()}
        plain = [f"{key}={value}" for key, value in words.items() if _PLAIN.fullmatch(key) and _PLAIN.fullmatch(value)]
        if plain:
            self._file.write(f"#{' '.join(plain)}\n".encode())

    def write(self, run: Columns) -> None:
        """Append a run of rows."""
        from pyarrow import csv

        rows = batch(run, self.table.time, text=True)
        if not self._columns:
            self._columns = rows.schema.names
            self._file.write(f"{','.join(self._columns)}\n".encode())
        names = [name for labels in (run.task, run.file) if labels is not None for name in labels.names]
        quoting = "needed" if any(_STRUCTURAL.search(name) for name in names) else "none"
        csv.write_csv(rows, self._file, csv.WriteOptions(include_header=False, quoting_style=quoting))

    def close(self) -> None:
        """Write what is left."""
        self._file.flush()
        self._file.close()


class ColumnarWriter:
    """Parquet columns, made to be small; the trace's header goes into the schema's metadata."""

    def __init__(self, part: str, table: Table, name: str = "") -> None:
        self.part = part
        self.table = table
        self._file: Any = None

    def write(self, run: Columns) -> None:
        """Append a run of rows as a row group."""
        import pyarrow as pa

        rows = batch(run, self.table.time, text=False)
        if self._file is None:
            header = {HEADER_KEY: json.dumps(self.table.header)}
            self._file = self._open(rows.schema.with_metadata(header))
        self._file.write_table(pa.Table.from_batches([rows]), row_group_size=len(run))

    def _open(self, schema: Any) -> Any:
        from pyarrow import parquet

        times = {self.table.time: "DELTA_BINARY_PACKED"} if self.table.time in schema.names else None
        return parquet.ParquetWriter(
            self.part,
            schema,
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            use_dictionary=[name for name in schema.names if name != self.table.time],
            column_encoding=times,
            write_page_checksum=True,
        )

    def close(self) -> None:
        """Write the footer, without which the file is none."""
        if self._file is not None:
            self._file.close()


def batch(run: Columns, time: str, text: bool) -> Any:
    """A run as a pyarrow batch, times in the unit `time` names; `text` writes R/W and anon/file, not 0/1."""
    import pyarrow as pa

    scale = SCALES_NS[time]
    columns: dict[str, Any] = {}
    if run.time_ns is not None:
        columns[time] = arrow.array(run.time_ns if scale == 1 else run.time_ns // scale)
    if run.task is not None:
        columns["task"] = _text(run.task)
    columns["page"] = arrow.array(run.page)
    columns["op"] = _text(Labels(run.write.astype(np.int32), ["R", "W"])) if text else arrow.array(run.write)
    if run.kind is not None:
        columns["kind"] = _text(Labels(run.kind.astype(np.int32), ["anon", "file"])) if text else arrow.array(run.kind)
    if run.content is not None:
        columns["content"] = arrow.array(run.content, run.content >= 0 if text else None)
    if run.file is not None:
        columns["file"] = _text(run.file)
    return pa.RecordBatch.from_pydict(columns)


def _text(labels: Labels) -> Any:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(arrow.array(labels.codes), arrow.text(labels.names)).cast(pa.string())
