"""zsim.traces.formats: traces as others write them, from small files in their exact layout, made by hand."""

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from zsim.errors import TraceError, UsageError, ZsimError
from zsim.traces import READERS, Trace, named_format, open_table, open_trace, streams
from zsim.traces.convert import convert
from zsim.traces.formats import oracle_general

FIXTURES = Path(__file__).parent / "fixtures"
Row = tuple[object, ...]


def rows(trace: Trace) -> list[Row]:
    """(task, time in ns, page, op) of every access, task after task."""
    found: list[Row] = []
    for task in trace.tasks:
        times = [None] * len(task.accesses) if task.times_ns is None else task.times_ns.tolist()
        for time, access in zip(times, task.accesses.tolist(), strict=True):
            found.append((task.name, time, hex(trace.numbers[access >> 1]), "RW"[access & 1]))
    return found


def requests(*objects: int, times: list[int] | None = None) -> bytes:
    """oracleGeneral records."""
    records = np.zeros(len(objects), oracle_general.RECORD)
    records["object"] = objects
    records["time"] = times or 0
    return records.tobytes()


def refusal(path: Path, format: str) -> str:
    """The one line that reading it ends with, without the folder."""
    with pytest.raises(TraceError) as error:
        open_trace(path, format=format)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{path.parent}/")


def test_lackey() -> None:
    """Accesses to the page of the access before are one; a range over two pages is two; M and S are writes."""
    trace = open_trace(FIXTURES / "small.lackey")
    stack, stack_end, data = "0x1fff000", "0x1fff001", "0x4a2b"
    assert rows(trace) == [
        ("0", 0, "0x401", "R"),
        ("0", 1, stack, "W"),
        ("0", 1, "0x401", "R"),
        ("0", 2, stack, "R"),
        ("0", 2, stack_end, "R"),
        ("0", 2, data, "W"),
        ("0", 2, "0x401", "R"),
        ("0", 2, "0x402", "R"),
        ("0", 3, data, "R"),
        ("0", 3, data, "W"),
    ]
    assert trace.header == {"imported": "lackey", "instruction_ns": 1}


def test_lackey_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the text is cut into blocks changes nothing."""
    whole = open_trace(FIXTURES / "small.lackey").digest
    for size in (20, 40, 64, 100):
        monkeypatch.setattr(streams, "BLOCK_BYTES", size)
        monkeypatch.setattr(streams, "PIECE_BYTES", size // 2)
        assert open_trace(FIXTURES / "small.lackey").digest == whole


def test_perf() -> None:
    """Processes are tasks with clocks of their own; stores and write faults are writes."""
    assert rows(open_trace(FIXTURES / "small.perf.txt")) == [
        ("4242", 0, "0x7f885ca51", "R"),
        ("4242", 7_000, "0x7f885ca6a", "R"),
        ("4242", 1_000_000, "0x55d0c0001", "W"),
        ("4242", 1_427_000, "0x7f50959c1", "W"),
        ("4242", 1_428_000, "0x7f50959a8", "R"),
        ("4300", 0, "0x7f885ca51", "R"),
    ]


def test_oracle_general(tmp_path: Path) -> None:
    """Every record reads a page; seconds count from the first."""
    path = tmp_path / "a.oracleGeneral.bin"
    path.write_bytes(requests(7, 2**64 - 1, 7, times=[100, 101, 103]))
    expected = [("0", 0, "0x7", "R"), ("0", 10**9, hex(2**64 - 1), "R"), ("0", 3 * 10**9, "0x7", "R")]
    assert rows(open_trace(path)) == expected
    path.write_bytes(requests(7, 9, times=[100, 100]))
    assert rows(open_trace(path)) == [("0", None, "0x7", "R"), ("0", None, "0x9", "R")]


@pytest.mark.parametrize("name", ["small.lackey", "small.perf.txt"])
@pytest.mark.parametrize(
    "change", [gzip.compress, zstandard.compress, lambda data: data.replace(b"\n", b"\r\n"), bytes.rstrip]
)
def test_compressed_and_other_line_ends(tmp_path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Compression, carriage returns and a missing last newline change nothing; nor does reading from stdin."""
    path = tmp_path / name
    path.write_bytes(change((FIXTURES / name).read_bytes()))
    assert open_trace(path).digest == open_trace(FIXTURES / name).digest


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its format named, a trace can come through a pipe."""
    data = (FIXTURES / "small.lackey").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))  # type: ignore[arg-type]
    assert open_trace("-", format="lackey").digest == open_trace(FIXTURES / "small.lackey").digest


@pytest.mark.parametrize(
    "format, text, message",
    [
        ("lackey", b" L 1000,8\nhello world\n", "a:2: 'hello world'; expected a line of lackey"),
        ("lackey", b" L 10g0,8\n", "a:1: ' L 10g0,8'; expected a line of lackey"),
        ("lackey", b" L 1000\n S 2000,4\n", "a:1: ' L 1000'; expected a line of lackey"),
        ("lackey", b" L 1000,\n", "a:1: ' L 1000,'; expected a line of lackey"),
        ("lackey", b" L 1000,x\n", "a:1: ' L 1000,x'; expected a line of lackey"),
        ("lackey", b" L 12345678123456781,4\n", "a:1: ' L 12345678123456781,4'; expected a line of lackey"),
        ("lackey", b" L 1000,99999999999\n", "a:1: ' L 1000,99999999999'; expected a line of lackey"),
        ("lackey", b"\n L ffffffffffffffff,9\n", "a:2: a size of 9 bytes; expected at most"),
        ("lackey", b"\x7fELF\x00\x01" * 9, "a:1: '\\x7fELF"),
        ("lackey", b"==1== nothing\n", "a: no accesses; expected at least one row"),
        ("lackey", b"", "a: no accesses; expected at least one row"),
        ("perf", b" sh 1/1 2.000001: page-faults: 1000\n sh 1/1 page-faults: 1000\n", "a:2: ' sh 1/1 page-faults"),
        ("perf", b" sh 1 2.000001: 1 page-faults: 1000 main+0x1 (/bin/sh)\n", "a:1: ' sh 1 2.000001: 1 page-faults"),
        ("perf", b" sh 1/1 2.000001: page-faults: xyz\n", "a:1: ' sh 1/1 2.000001: page-faults: xyz'; expected a"),
        ("perf", b"\x89PNG\r\n\x1a\n", "a:1: '\ufffdPNG'; expected a line of perf script"),
        ("perf", b"", "a: no accesses; expected at least one row"),
        ("oracleGeneral", b"x" * 23, "a: offset 0: 23 bytes; expected a record of 24, or the end"),
        ("oracleGeneral", b"x" * 50, "a: offset 48: 2 bytes; expected a record of 24, or the end"),
        ("oracleGeneral", b"", "a: no accesses; expected at least one row"),
    ],
)
def test_bad_input(tmp_path: Path, format: str, text: bytes, message: str) -> None:
    """One line names the file, the line or offset, what is there and what was expected."""
    (tmp_path / "a").write_bytes(text)
    assert refusal(tmp_path / "a", format).startswith(message)


@pytest.mark.parametrize("format", [name for name in READERS.names() if name not in ("csv", "columnar")])
def test_every_format(tmp_path: Path, format: str) -> None:
    """It explains itself in a line, says in the header what was imported, stops at a limit, and refuses noise."""
    fixture = next(path for path in sorted(FIXTURES.iterdir()) if named_format(str(path)) == format)
    assert (READERS.load(format).__doc__ or "").partition("\n")[0].endswith(".")
    table = open_table(str(fixture), 2)
    assert table.header["imported"] == format
    assert sum(map(len, table.chunks)) == 2
    noise = tmp_path / "noise"
    noise.write_bytes(np.random.default_rng(1).bytes(1001))
    assert refusal(noise, format).startswith("noise:")
    with pytest.raises(TraceError, match="no such trace|No such file"):
        open_trace(tmp_path / f"missing.{format}")


@pytest.mark.parametrize(
    "name, format",
    [("a.lackey", "lackey"), ("a.b.lackey.txt.gz", "lackey"), ("a.oracleGeneral.bin", "oracleGeneral"),
     ("a.oracleGeneral.zst", "oracleGeneral"), ("lackey", None), ("lackey.csv", None), ("perf.data", None)],
)  # fmt: skip
def test_names_that_tell_the_format(name: str, format: str | None) -> None:
    """NAME.FORMAT, with what says nothing of it behind."""
    assert named_format(name) == format


def links(path: Path) -> list[int]:
    """What each record says of the object's next request."""
    return [int(value) for value in np.fromfile(path, oracle_general.RECORD)["next"]]


def test_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects, sizes and the number of each one's next request, also across runs; and back again."""
    source = tmp_path / "a.csv"
    source.write_text("page,op,time_ns\n1,R,0\n2,W,0\n1,R,0\n3,R,2500000000\n1,W,2500000000\n2,R,9000000000\n")
    target = tmp_path / "b.oracleGeneral.bin"
    convert(str(source), str(target))
    records = np.fromfile(target, oracle_general.RECORD)
    assert records["object"].tolist() == [1, 2, 1, 3, 1, 2]
    assert records["time"].tolist() == [0, 0, 0, 2, 2, 9]
    assert set(records["size"].tolist()) == {4096}
    assert links(target) == [3, 6, 5, -1, -1, -1]
    with monkeypatch.context() as patch:
        patch.setattr(streams, "BLOCK_BYTES", 16)
        patch.setattr(streams, "PIECE_BYTES", 8)
        convert(str(source), str(tmp_path / "c"), to="oracleGeneral")
    assert links(tmp_path / "c") == links(target)
    convert(str(source), str(tmp_path / "d.oracleGeneral.zst"))
    back = open_trace(tmp_path / "d.oracleGeneral.zst")
    assert [row[2] for row in rows(back)] == [row[2] for row in rows(open_trace(source))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", target.name, "c", "d.oracleGeneral.zst"]


def test_export_of_several_tasks(tmp_path: Path) -> None:
    """Pages of different tasks are different objects; what does not fit is refused."""
    (tmp_path / "a.csv").write_text("page,op,task\n1,R,x\n1,R,y\n")
    convert(str(tmp_path / "a.csv"), str(tmp_path / "a.oracleGeneral"))
    assert np.fromfile(tmp_path / "a.oracleGeneral", oracle_general.RECORD)["object"].tolist() == [1, 1 << 48 | 1]
    (tmp_path / "b.csv").write_text(f"page,op,task\n{2**48},R,x\n1,R,y\n")
    with pytest.raises(ZsimError, match="room for pages below 2\\^48"):
        convert(str(tmp_path / "b.csv"), str(tmp_path / "b.oracleGeneral"))
    for target in ("-", f"{tmp_path}/c.oracleGeneral.gz"):
        with pytest.raises(UsageError, match="written to a file, plain or .zst"):
            convert(str(tmp_path / "a.csv"), target, to="oracleGeneral")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.oracleGeneral", "b.csv"]
    with pytest.raises(UsageError, match="unknown trace format to write 'lackey'"):
        convert(str(tmp_path / "a.csv"), str(tmp_path / "a.lackey"), to="lackey")


def test_misses_of_libcachesim(tmp_path: Path) -> None:
    """An exported trace has the same misses in libcachesim's LRU as in an exact LRU replay."""
    libcachesim = pytest.importorskip("libcachesim")
    from zsim import load_config, replay
    from zsim.traces.generate import Pattern, table
    from zsim.traces.write import write_table

    write_table(table(Pattern("zipf", pages=400, accesses=8_000, alpha=0.8)), tmp_path / "z.csv")
    target = tmp_path / "z.oracleGeneral.bin"
    trace = convert(str(tmp_path / "z.csv"), str(target))
    for name in (tmp_path / "z.csv", target):
        for pages in (20, 300):
            config = load_config(memory=str(pages * 4096), store="none", reclaim__policy="lru", reclaim__batch=1)
            metrics = replay(name, config).metrics
            reader = libcachesim.TraceReader(str(target), libcachesim.TraceType.ORACLE_GENERAL_TRACE)
            cache = libcachesim.LRU(pages * 4096)
            missed = sum(not cache.get(request) for request in reader)
            assert trace.pages + metrics["pgmajfault"] == missed
