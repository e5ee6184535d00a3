"""The files of a recording while it is made, valid at every moment, and as they are when it is done.

While the program runs, rows go to NAME.csv in whole blocks and images before the rows that name them, so that a
recording that is killed leaves a shorter one. At the end NAME.trace.parquet takes the place of the CSV.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zsim.files import refuse_overwrite, replacing
from zsim.record.journal import Journal, Row
from zsim.record.versions import Versions
from zsim.traces.columns import Columns, Table
from zsim.traces.csv import read
from zsim.traces.recording import SIDECARS, TABLES
from zsim.traces.write import write_table

BLOCK_BYTES = 4096
FLUSH_NS = 1_000_000_000
HEADER = "t_us,task,page,op,kind,content,file\n"


class Blocks:
    """Lines written in whole blocks, padded with empty lines: a write of one block is never seen in part."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._lines = bytearray()

    def add(self, line: bytes) -> None:
        """Append a line."""
        if len(self._lines) + len(line) > BLOCK_BYTES:
            self.flush()
        self._lines += line

    def flush(self) -> None:
        """Write what there is."""
        if self._lines:
            self._file.write(self._lines + b"\n" * (-len(self._lines) % BLOCK_BYTES))
            self._lines.clear()

    def close(self) -> None:
        """Write what there is, and close the file."""
        self.flush()
        self._file.close()


def refuse(base: str, force: bool) -> None:
    """A `UsageError` where a file of the recording `base` exists (unless `force`), or none can be written."""
    for suffix in (*TABLES, *SIDECARS):
        refuse_overwrite(Path(base + suffix), force)


class Output:
    """All files of the recording `base`, in place of any that there are; a `Sink` for rows.

    content  "images", "sizes" or "none"; pages_in: keep the images of one page in so many
    """

    def __init__(self, base: str, content: str, pages_in: int, said: dict[str, Any]) -> None:
        for suffix in (*TABLES, *SIDECARS):
            Path(base + suffix).unlink(missing_ok=True)
        self.base = base
        self.said = said | {"format": 1, "name": Path(base).name}
        self.journal: Journal | None = None
        self.versions = None if content == "none" else Versions(base, pages_in if content == "images" else 0)
        self.csv_path = Path(base + ".csv")
        self._rows: list[Row] = []
        self._blocks = Blocks(self.csv_path)
        self._blocks.add(HEADER.encode())
        self._here = f"{os.getcwd()}/"
        self._due_ns = 0

    def write(self, row: Row) -> None:
        """Take the next row; it reaches the file at the next flush."""
        self._rows.append(row)

    def flush(self, wait_ns: int = FLUSH_NS) -> None:
        """Write images, then the rows that name them, then the notes; not more often than every `wait_ns`."""
        now = time.monotonic_ns()
        if now < self._due_ns and len(self._rows) < 1 << 18:
            return
        lines = [self._line(row) for row in self._rows]
        self._rows.clear()
        if self.versions is not None:
            self.versions.flush()
        self._write_notes(complete=False)
        for line in lines:
            self._blocks.add(line)
        self._blocks.flush()
        self._due_ns = time.monotonic_ns() + max(wait_ns, 10 * (time.monotonic_ns() - now))

    def _line(self, row: Row) -> bytes:
        content = ""
        if row.data is not None and self.versions is not None:
            content = str(self.versions.add(row.page, row.data))
        kind, file = ("anon", "") if row.file is None else ("file", quoted(row.file.removeprefix(self._here)))
        op = "W" if row.write else "R"
        return f"{row.time_ns // 1000},{quoted(row.task)},{row.page},{op},{kind},{content},{file}\n".encode()

    def _write_notes(self, complete: bool, **more: Any) -> dict[str, Any]:
        journal = self.journal
        assert journal is not None
        said = self.said | {
            "complete": complete,
            "k": journal.largest_k,
            "min_memory_pages": journal.min_memory_pages,
            "content_thinning_rows": journal.thinning_rows,
        }
        said |= self.figures() | more
        with replacing(Path(self.base + ".json")) as part:
            part.write_text(json.dumps(said, indent=1) + "\n")
        return said

    def figures(self) -> dict[str, Any]:
        """What the recording holds, in numbers."""
        journal, versions = self.journal, self.versions
        assert journal is not None
        return {
            "rows": journal.rows,
            "batches": journal.batches,
            "distinct_pages": len(journal.footprint),
            "file_pages": journal.file_pages,
            "tasks": len({task for _, task in journal.footprint}),
            "write_share": round(journal.writes / max(journal.rows, 1), 4),
            "images_captured": journal.captured,
            "images_not_touched_again_soon": versions.given if versions else 0,
            "image_versions": len(versions.slots) if versions else 0,
            "images_with_bytes": versions.written if versions else 0,
            "images_of_one_page_in": versions.pages_in if versions else 0,
        }

    def close(self, time_scale: float = 1.0, **more: Any) -> dict[str, Any]:
        """Finish the recording: columnar rows with their times scaled, images sorted; the notes, complete."""
        self.flush(0)
        self._due_ns = 0
        self.flush(0)
        self._blocks.close()
        if self.versions is not None:
            self.versions.close()
        notes = self._write_notes(complete=True, **more)
        table = read(str(self.csv_path))
        journal = self.journal
        assert journal is not None
        header = {"k": journal.largest_k, "min_memory_pages": journal.min_memory_pages}
        if journal.rows:
            chunks = _scaled(table.chunks, time_scale)
            write_table(Table(chunks, header, "t_us"), self.base + ".trace.parquet")
            self.csv_path.unlink()
        return notes


def _scaled(chunks: Iterator[Columns], scale: float) -> Iterator[Columns]:
    for chunk in chunks:
        assert chunk.time_ns is not None
        yield replace(chunk, time_ns=(chunk.time_ns * scale).astype(np.int64))


def quoted(text: str) -> str:
    """A CSV field."""
    text = text.replace("\n", "?").replace("\r", "?")
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text
