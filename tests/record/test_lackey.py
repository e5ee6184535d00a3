"""lackey's lines, and what comes of them."""

import os
from pathlib import Path

import pytest

from tests.record.programs import both, job, needs_valgrind
from zsim.errors import UsageError
from zsim.record import lackey
from zsim.record.journal import Journal, Limit
from zsim.record.lackey import Watcher
from zsim.traces import open_trace


def test_rows_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """First touches and first writes in batches of K pages, cut pieces put together, what valgrind says passed over."""
    rows = []
    book = Journal(None, Limit(8 * 4096))  # type: ignore[arg-type]
    book._append = lambda key, row: (rows.append((row.page, row.write)), book.batch.setdefault(key, row))  # type: ignore
    watcher = Watcher(os.getpid(), job("true", content="none"), book, lambda: None)
    reading, writing = os.pipe()
    data = b"==1== Lackey\n L 0000a000,8\n L 0000a008,8\n S 0000a000,8\nI  0000b000,2\n S 0000b000,2\n"
    data += b" M 0000cfff,2\n L 0000a000,8\n"
    os.write(writing, data[:20])
    monkeypatch.setattr(lackey, "PIPE_BYTES", 33)
    os.write(writing, data[20:])
    os.close(writing)
    watcher.follow(reading)
    assert rows == [(10, False), (10, True), (11, False), (11, True), (12, True), (13, True), (10, False)]
    assert watcher.accesses == 7 and book.batches == 2


def test_valgrind_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the way to get it is told, and the way that needs nothing."""
    here = job("true")
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UsageError, match=r"needs valgrind \(Debian and Ubuntu: .*\); --via ptrace needs nothing"):
        lackey.check(here)


@needs_valgrind
def test_program_under_lackey(tmp_path: Path) -> None:
    """A real program is as it would be, and its trace has images."""
    (plain, traced), notes = both(tmp_path, ["/bin/echo", "hello"], "1M", "lackey")
    assert plain == traced == (b"hello\n", 0)
    assert notes["all_accesses"] > 50_000 and notes["k"] == 64
    trace = open_trace(tmp_path / "r")
    assert trace.images is not None and trace.images.count > 5 and [task.name for task in trace.tasks] == ["echo"]
