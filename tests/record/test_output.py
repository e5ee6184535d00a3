"""The files of a recording: a valid shorter one at any moment, and the whole at the end."""

import json
from pathlib import Path

import pytest

from zsim.errors import UsageError
from zsim.record.journal import Journal, Limit
from zsim.record.output import BLOCK_BYTES, Blocks, Output, quoted, refuse
from zsim.traces import open_trace


def recording(base: Path, content: str = "images", batches: int = 40) -> tuple[Output, Journal]:
    """A recording in the making: two pages of three change in each batch."""
    output = Output(str(base), content, 1, {"command": "a b", "via": "x"})
    journal = output.journal = Journal(output, Limit(12 * 4096))
    for at in range(batches):
        for page in (at % 7, 100 + at, 1000):
            journal.access(at * 10_000, 'a "task", one', page, page < 1000, "/a,file" if page == 1000 else None)
            journal.holds(page, 'a "task", one', at.to_bytes(8, "little") * 512) if page < 1000 else None
        journal.next_batch()
        output.flush(0)
        output._due_ns = 0
    return output, journal


@pytest.mark.parametrize("content", ["images", "sizes", "none"])
def test_valid_at_any_moment_and_complete_at_the_end(tmp_path: Path, content: str) -> None:
    """Without being closed it is a trace of the rows that are out; closed it has them all, in columns, times scaled."""
    output, journal = recording(tmp_path / "a", content)
    short = open_trace(tmp_path / "a")
    assert 0 < short.accesses < journal.rows == 120
    assert not short.header["complete"] and short.header["min_memory_pages"] == 12
    journal.close()
    notes = output.close(0.5, more="said")
    whole = open_trace(tmp_path / "a")
    assert whole.accesses == 120 and whole.header == notes and notes["more"] == "said" and notes["complete"]
    assert (whole.images is None, (tmp_path / "a.pages.zst").exists()) == (content == "none", content == "images")
    assert [task.name for task in whole.tasks] == ['a "task", one']
    assert whole.tasks[0].times_ns is not None and whole.tasks[0].times_ns[-1] == 39 * 10_000 // 1000 * 1000 // 2
    names = {path.name for path in tmp_path.iterdir()}
    assert "a.trace.parquet" in names and "a.csv" not in names and not any("part" in name for name in names)
    if content != "none":
        assert whole.images is not None and whole.images.count == notes["image_versions"] > 0


def test_cut_anywhere_the_rows_before_are_there(tmp_path: Path) -> None:
    """Blocks are whole: a file cut after any of them has whole lines."""
    blocks = Blocks(tmp_path / "lines")
    lines = [f"{number} {'x' * (number % 90)}\n".encode() for number in range(500)]
    for line in lines:
        blocks.add(line)
    blocks.close()
    data = (tmp_path / "lines").read_bytes()
    assert len(data) % BLOCK_BYTES == 0
    for end in range(0, len(data), BLOCK_BYTES):
        whole = data[:end].split(b"\n")
        assert [line + b"\n" for line in whole if line] == lines[: len([line for line in whole if line])]


def test_existing_files_are_refused(tmp_path: Path) -> None:
    """Any file of the family is in the way unless replacing was asked for; then the old family goes."""
    (tmp_path / "a.pages.zst").write_text("old")
    with pytest.raises(UsageError, match=r"a\.pages\.zst exists"):
        refuse(str(tmp_path / "a"), False)
    refuse(str(tmp_path / "a"), True)
    with pytest.raises(UsageError, match="there is no directory"):
        refuse(str(tmp_path / "no" / "a"), True)
    Output(str(tmp_path / "a"), "sizes", 1, {})
    assert not (tmp_path / "a.pages.zst").exists()


def test_recording_without_rows(tmp_path: Path) -> None:
    """A program that touched nothing leaves notes that say so."""
    output = Output(str(tmp_path / "a"), "none", 1, {})
    output.journal = Journal(output, Limit())
    output.close()
    assert json.loads((tmp_path / "a.json").read_text())["rows"] == 0


def test_files_here_are_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file under the working directory is told without it: a recording need not say where it was made."""
    monkeypatch.chdir(tmp_path)
    output, journal = recording(tmp_path / "a", "none", 1)
    journal.access(1, "t", 5, False, f"{tmp_path}/data/x")
    journal.close()
    output.flush(0)
    text = (tmp_path / "a.csv").read_text()
    assert ",file,,data/x\n" in text and '"/a,file"' in text


def test_quoting() -> None:
    """Fields with commas, quotes and line ends stay one field."""
    assert [quoted(text) for text in ("a", "a,b", 'a"b', "a\nb")] == ["a", '"a,b"', '"a""b"', "a?b"]
