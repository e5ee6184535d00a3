"""A trace from one format into another, with what belongs to the recording carried along."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from zsim.errors import UsageError
from zsim.files import refuse_overwrite, replacing
from zsim.traces import images, open_table, recording
from zsim.traces.build import build
from zsim.traces.columns import Columns, Table
from zsim.traces.trace import Trace
from zsim.traces.write import format_of, said, writing

KEPT = ("k", "min_memory_pages")
"""Notes that a replay needs: they go into the table's own header as well."""
RECORDED = ("csv", "columnar")
"""Formats whose rows can name images."""
Progress = Callable[[int], None]
"""Called with the rows read so far."""


def convert(  # noqa: PLR0913
    source: str,
    target: str,
    *,
    force: bool = False,
    carry_images: bool = True,
    format: str | None = None,
    to: str | None = None,
    limit: int | None = None,
    change: Callable[[Table], Table] | None = None,
    progress: Progress | None = None,
) -> Trace:
    """Write the trace `source` as `target` ("-": CSV to stdout) and return it.

    format, to  of READERS and of WRITERS; None: by what the source holds, and by the name of the target
    change      what is done to the rows on the way
    Where the target is another recording, images and notes are copied beside it. Everything is read and checked as
    for a replay, and no file takes its name before all are complete.
    """
    found = recording.find(source)
    to = to or format_of(target)
    base = recording.prefix(target)
    is_recording = to in RECORDED and target != "-"
    copies = _copies(found, base, carry_images) if is_recording and base != recording.prefix(found.table) else []
    for path in [Path(target), *(copy for _, copy in copies)] if target != "-" else []:
        refuse_overwrite(path, force)
    known = images.read_images(found.images, found.pages) if found.images else None
    table = open_table(found.table, limit, format)
    table.header = {key: value for key, value in found.header().items() if key in KEPT} | table.header
    table.chunks = counted(table.chunks, progress)
    table = change(table) if change else table
    with ExitStack() as stack:
        for original, copy in copies:
            with said(copy):
                shutil.copyfile(original, stack.enter_context(replacing(copy)))
        runs = stack.enter_context(closing(writing(table, target, to)))
        return build(Table(runs, table.header), found.name, known, found.table)


def write_pattern(table: Table, target: str, force: bool = False, progress: Progress | None = None) -> int:
    """Write generated rows to `target`; the number of rows."""
    if target != "-":
        refuse_overwrite(Path(target), force)
    with closing(writing(table, target)) as runs:
        return sum(len(run) for run in counted(runs, progress))


def counted(runs: Iterator[Columns], progress: Progress | None) -> Iterator[Columns]:
    """The runs, with `progress` told of every one that passes."""
    rows = 0
    for run in runs:
        rows += len(run)
        if progress is not None:
            progress(rows)
        yield run


def _copies(found: recording.Recording, base: str, carry_images: bool) -> list[tuple[Path, Path]]:
    """(file, its copy) for what lies beside the accesses."""
    files = [(found.notes, ".json")]
    if carry_images:
        files += [(found.images, ".images.parquet"), (found.pages, ".pages.zst")]
    copies = [(file, Path(base + suffix)) for file, suffix in files if file is not None]
    if any(original.resolve() == copy.resolve() for original, copy in copies):
        raise UsageError(f"{base} names the recording that is converted; choose another name")
    return copies
