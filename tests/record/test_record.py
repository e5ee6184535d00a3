"""`record`: a job, a way, a recording."""

import json
from pathlib import Path

import pytest

from tests.record.programs import job, needs_ptrace, recorded
from zsim.errors import UsageError
from zsim.record import VIA, check, record
from zsim.traces import open_trace


def test_every_way_has_a_check_and_a_trace() -> None:
    """What the registry names is there; a wrong name gets the nearest."""
    for name, way in VIA.items():
        assert callable(way.check) and callable(way.trace), name
    with pytest.raises(UsageError, match="unknown way of recording 'lackei'; did you mean 'lackey'"):
        check(job("true"), "r", "lackei")


def test_nothing_is_touched_where_recording_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older recording is still there when the new one cannot be made, --force or not."""
    (tmp_path / "r.csv").write_text("page,op\n1,R\n")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(UsageError, match="riscv64"):
        record(job("true"), str(tmp_path / "r"), force=True)
    assert open_trace(tmp_path / "r").accesses == 1


@needs_ptrace
def test_notes_say_how_it_was_made(tmp_path: Path) -> None:
    """Command, way, K, figures, cost; times are scaled to the CPU time that is given."""
    status, notes = record(job("sh", "-c", "exit 3", memory="1M"), str(tmp_path / "r"), cpu_ns=5_000_000)
    assert status == notes["exit_status"] == 3
    assert notes == json.loads((tmp_path / "r.json").read_text())
    assert (notes["command"], notes["via"], notes["k"], notes["min_memory_pages"]) == (
        "sh -c exit 3",
        "ptrace",
        64,
        256,
    )
    assert (notes["native_cpu_ms"], notes["native_cpu"]) == (5.0, "measured") and notes["slowdown"] > 1
    trace = open_trace(tmp_path / "r")
    assert (trace.accesses, trace.footprint_pages) == (notes["rows"], notes["distinct_pages"])
    times = trace.tasks[0].times_ns
    assert times is not None and times[-1] == pytest.approx(5_000_000, rel=0.2)


@needs_ptrace
@pytest.mark.parametrize("content", ["images", "sizes", "none"])
def test_privacy(tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is not recorded; sizes only leave no byte of memory, and no content not even sizes."""
    monkeypatch.setenv("SECRET_TOKEN", "s3cret-of-the-environment")
    recorded(tmp_path / "r", "sh", "-c", "x=of-the-program; echo $x >/dev/null", content=content)
    names = {path.name for path in tmp_path.iterdir()}
    assert ("r.pages.zst" in names, "r.images.parquet" in names) == (content == "images", content != "none")
    if content == "images":
        from zsim.traces.images import read_images, read_pages

        held = b"".join(
            page for _, page in read_pages(read_images(tmp_path / "r.images.parquet", tmp_path / "r.pages.zst"))
        )
        assert b"s3cret" not in held and b"SECRET" not in held and b"of-the-program" in held
