"""The line that says how far a recording is."""

import io

import pytest

from zsim.record.journal import Journal, Limit
from zsim.record.progress import Progress


class Terminal(io.StringIO):
    """An output that is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def shown(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is written two seconds into a recording of 30 accesses to 10 pages in 4 ms of the program's time."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    book = Journal(None, Limit())  # type: ignore[arg-type]
    for at in range(30):
        book.access(at * 4_000_000 // 29, "t", at % 10, False)
        book.batch.clear()
    progress = Progress(out)
    progress.show(book)
    now[0] += 2
    progress.show(book)
    progress.show(book)
    progress.clear()
    return out.getvalue()


def test_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages, accesses, their rate and the slowdown, not more often than twice a second, gone at the end."""
    line = "\rzsim: recording: 10 pages, 30 accesses, 15/s, 2 s, 500 times slower \x1b[K"
    assert shown(Terminal(), monkeypatch) == line + "\r\x1b[K"


def test_silence_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or pipe gets no line."""
    assert shown(io.StringIO(), monkeypatch) == ""
