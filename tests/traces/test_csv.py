"""zsim.traces.csv, lines and streams: CSV traces, good and bad."""

import gzip
import io
import sys
from pathlib import Path

import pytest
import zstandard

from zsim.errors import TraceError
from zsim.traces import csv, lines, open_trace, streams
from zsim.traces.columns import Columns

GOOD = "page,op\n1,R\n2,W\n1,W\n"


def written(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(path: Path) -> str:
    """The one line that opening it ends with, without the folder."""
    with pytest.raises(TraceError) as error:
        open_trace(path)
    message = str(error.value)
    assert "\n" not in message
    return message.removeprefix(f"{path.parent}/")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.removesuffix("\n"),
        "\ufeff" + GOOD,
        "# made by hand\n#k=3\n\n" + GOOD,
        "page,op\n0x1,R\n0X2,W\n1,W\n",
        "page,op\n 1 , R\n2,w\n1,1\n",
        "page,op\n\n1,r\n\n2,1\n1,W\n\n",
        'page,op\n"1",R\n2,"W"\n1,W\n',
        "other,op,page\nx,R,1\n,W,2\n7,W,1\n",
    ],
)
def test_ways_to_write_the_same_trace(tmp_path: Path, text: str) -> None:
    """Line ends, comments, hexadecimal, case, spaces, quotes, empty lines and other columns change nothing."""
    assert open_trace(written(tmp_path, text)).digest == open_trace(written(tmp_path, GOOD, "good.csv")).digest


def test_comment_lines_are_kept(tmp_path: Path) -> None:
    """What `#key=value` lines say is in the trace's header, whole numbers as numbers."""
    trace = open_trace(written(tmp_path, "# zsim-trace 1, page_size=4096, k=192\n#unit=us\n" + GOOD))
    assert trace.header == {"page_size": 4096, "k": 192, "unit": "us"}


@pytest.mark.parametrize("column, scale", [("time_ns", 1), ("t_us", 1000), ("time_us", 1000)])
def test_units_of_time(tmp_path: Path, column: str, scale: int) -> None:
    """The column's name says its unit."""
    trace = open_trace(written(tmp_path, f"page,op,{column}\n1,R,0\n1,R,7\n"))
    assert trace.tasks[0].times_ns is not None
    assert trace.tasks[0].times_ns.tolist() == [0, 7 * scale]


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.zst", "t.csv"])
def test_compressed_by_what_it_holds(tmp_path: Path, name: str) -> None:
    """gzip and zstd are recognised, under any name; several frames or members are one stream."""
    plain = open_trace(written(tmp_path, GOOD, "plain.csv")).digest
    half = len(GOOD) // 2
    parts = GOOD[:half].encode(), GOOD[half:].encode()
    assert open_trace(written(tmp_path, b"".join(map(gzip.compress, parts)), name)).digest == plain
    frames = b"".join(zstandard.compress(part) for part in parts)
    assert open_trace(written(tmp_path, frames, name)).digest == plain


def test_stdin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ "-" reads a CSV from stdin, compressed or not."""
    for data in (GOOD.encode(), zstandard.compress(GOOD.encode())):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))  # type: ignore[arg-type]
        trace = open_trace("-")
        assert trace.name == "stdin"
        assert trace.digest == open_trace(written(tmp_path, GOOD)).digest


@pytest.mark.parametrize(
    "text, message",
    [
        ("page,op\n1,R\n-5,W\n", "t.csv:3: column 'page': '-5'; expected a page number, decimal or 0x hexadecimal"),
        ("page,op\nabc,R\n", "t.csv:2: column 'page': 'abc'; expected a page number"),
        ("page,op\n1.5,R\n", "t.csv:2: column 'page': '1.5'; expected a page number"),
        ("page,op\n,R\n", "t.csv:2: column 'page': ''; expected a page number"),
        (f"page,op\n{2**64},R\n", f"t.csv:2: column 'page': '{2**64}'; expected a page number below 2^64"),
        (
            "page,op\n0x10000000000000000,R\n",
            "t.csv:2: column 'page': '0x10000000000000000'; expected a page number be",
        ),
        ("#k=1\n\npage,op\n1,R\n\n1,X\n", "t.csv:6: column 'op': 'X'; expected R or W"),
        ("page,op\n1,\n", "t.csv:2: column 'op': ''; expected R or W"),
        ("page,op,kind\n1,R,disk\n", "t.csv:2: column 'kind': 'disk'; expected anon or file"),
        ("page,op,content\n1,R,-2\n", "t.csv:2: column 'content': '-2'; expected an image id, or nothing"),
        (f"page,op,content\n1,R,{2**31}\n", "t.csv:2: column 'content': '2147483648'; expected an image id"),
        ("page,op,time_ns\n1,R,-1\n", "t.csv:2: column 'time_ns': '-1'; expected a whole number, not negative"),
        ("page,op,t_us\n1,R,\n", "t.csv:2: column 't_us': ''; expected a whole number"),
        (
            f"page,op,t_us\n1,R,{2**62}\n",
            "t.csv:2: column 't_us': '4611686018427387904'; expected a time below 2^63 ns",
        ),
        ("page,op\n1,R,7\n", "t.csv:2: 3 fields in '1,R,7'; expected 2"),
        ("page,op\n1\n", "t.csv:2: 1 fields in '1'; expected 2"),
        ("page,rw\n1,R\n", "t.csv:1: no column 'op' in the header row 'page,rw'; expected at least page and op"),
        ("1,R\n2,W\n", "t.csv:1: no column 'page' in the header row '1,R'"),
        ("page,op,page\n1,R,1\n", "t.csv:1: a column is named twice"),
        ("page,op,t_us,time_ns\n1,R,1,1\n", "t.csv:1: two columns of time, t_us and time_ns"),
        ("", "t.csv: empty; expected a header row"),
        ("# only a comment\n", "t.csv: empty; expected a header row"),
        ("page,op\n", "t.csv: no accesses; expected at least one row"),
        (b"\x7fELF\x02\x01\x01\x00\x00\n\xff", "t.csv:1: not text; expected a CSV trace"),
        (b"page,op\n1,R\n\xff\xfe\x00,R\n", "t.csv:3: column 'page': '\ufffd\ufffd\\x00'; expected a page number"),
    ],
)
def test_bad_input(tmp_path: Path, text: str | bytes, message: str) -> None:
    """What is wrong is said in one line, with file, line, column, value and what was expected."""
    assert refusal(written(tmp_path, text)).startswith(message)


def test_lines_are_counted_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of an error is right far into a file, with empty lines on the way."""
    monkeypatch.setattr(streams, "BLOCK_BYTES", 64)
    monkeypatch.setattr(streams, "PIECE_BYTES", 50)
    text = "#k=1\npage,op\n" + "12345,R\n\n" * 100 + "12345,Q\n"
    assert refusal(written(tmp_path, text)).startswith("t.csv:203: column 'op': 'Q'")


@pytest.mark.parametrize("compress, name", [(gzip.compress, "gzip"), (zstandard.compress, "zstd")])
def test_truncated_and_damaged_streams(tmp_path: Path, compress: object, name: str) -> None:
    """A compressed stream that ends too early or is damaged is an error, wherever it is cut."""
    data = compress(b"page,op\n" + b"".join(b"%d,R\n" % i for i in range(5000)))  # type: ignore[operator]
    for cut in (5, len(data) // 2, len(data) - 1):
        assert f"the {name} stream ends too early; the file is truncated" in refusal(written(tmp_path, data[:cut]))
    damaged = bytearray(data)
    damaged[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    refusal(written(tmp_path, bytes(damaged)))


def test_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text without line ends is not read into memory whole."""
    monkeypatch.setattr(streams, "BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr(streams, "MAX_LINE_BYTES", 1 << 12)
    assert "not a text trace" in refusal(written(tmp_path, "page,op\n" + "1" * (1 << 21)))


def test_slow_parser_agrees_with_the_fast_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines parsed one by one give the same trace as blocks parsed at once."""
    text = "t_us,task,page,op,kind,content,file\n1,a,0xff,R,anon,,x\n2,b,255,W,file,7,y\n3,a,1,w,anon,-1,x\n"
    path = written(tmp_path, text)
    fast = open_trace(path).digest
    seen = []

    def slow(names: list[str], block: bytes, where: object) -> Columns:
        seen.append(names)
        raise csv.UnusualError

    monkeypatch.setattr(csv, "_fast", slow)
    assert open_trace(path).digest == fast
    assert seen


def test_number_parsers_refuse_python_spellings() -> None:
    """Underscores and signs that Python's int would take are no numbers here."""
    for text in ("1_000", "+1", "0b1", "", "0x"):
        with pytest.raises(lines.WrongError):
            lines.page(text)
