"""zsim.traces.formats: block traces, cache traces, behaviour sequences, regions, from files in their exact layout."""

import tempfile
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces.test_formats import FIXTURES, refusal, rows
from zsim.traces import open_trace
from zsim.traces.convert import convert
from zsim.traces.objects import page_objects

IMAGE = 4096


def images(path: Path) -> list[int]:
    """The image that each row names, in the order of the CSV that it is converted to."""
    with tempfile.TemporaryDirectory() as folder:
        convert(str(path), f"{folder}/a.csv")
        header, *lines = [line.split(",") for line in Path(folder, "a.csv").read_text().splitlines() if line[0] != "#"]
        return [int(line[header.index("content")] or -1) for line in lines if line[0] != header[0]]


def test_msr() -> None:
    """Volumes are tasks and files; a request touches every page it reaches; a time that goes back stays."""
    trace = open_trace(FIXTURES / "small.msr.csv")
    assert rows(trace) == [
        ("made.0", 0, "0x2", "R"),
        ("made.0", 10_000, "0x3", "W"),
        ("made.0", 10_000, "0x4", "W"),
        ("made.0", 10_000, "0x5", "W"),
        ("made.0", 10_000, "0x0", "R"),
        ("made.1", 0, "0x2", "R"),
    ]
    assert trace.is_file.all()
    assert sorted(set(page_objects(trace)[0].tolist())) == [0, 1]


def test_msr_with_a_header_row(tmp_path: Path) -> None:
    """Some copies have one; line numbers count it."""
    path = tmp_path / "a.msr.csv"
    header = "Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime\n"
    path.write_text(header + (FIXTURES / "small.msr.csv").read_text())
    assert open_trace(path).digest == open_trace(FIXTURES / "small.msr.csv").digest
    path.write_text(header + "1,a,0,Erase,0,1,1\n")
    assert refusal(path, "msr") == "a.msr.csv:2: column 'Type': 'Erase'; expected read or write"


def test_fiu() -> None:
    """Equal hashes are one image; a request of two pages names that of its first."""
    path = FIXTURES / "small.fiu.txt"
    assert rows(open_trace(path)) == [
        ("6.0", 0, "0x2", "W"),
        ("6.0", 1500, "0x3", "W"),
        ("6.0", 3000, "0x2", "R"),
        ("6.0", 3000, "0x3", "R"),
        ("8.1", 0, "0x2", "R"),
    ]
    assert images(path) == [0, 1, 0, 1, -1]


def test_libcachesim_csv(tmp_path: Path) -> None:
    """Columns by name or by place; objects that are no numbers; delimiters."""
    expected = [("0", 0, "0x7", "R"), ("0", 0, "0x9", "W"), ("0", 2 * 10**9, "0x7", "R")]
    assert rows(open_trace(FIXTURES / "small.libcachesim-csv.csv")) == expected
    path = tmp_path / "a.libcachesim-csv"
    path.write_text("100\t7\t1\n101\t9\t1\n")
    assert [row[1:] for row in rows(open_trace(path))] == [(0, "0x7", "R"), (10**9, "0x9", "R")]
    path.write_text("time;key;size\n5;one;1\n5;two;1\n5;one;1\n")
    named = open_trace(path)
    assert named.accesses == 3 and named.pages == 2 and named.tasks[0].times_ns is None
    path.write_text("when,what\n1,2\n")
    assert refusal(path, "libcachesim-csv").endswith("expected columns time,obj_id,size, or names of such")


def test_drmemtrace(tmp_path: Path) -> None:
    """Threads share pages; the clock is the instructions; markers and results are no accesses."""
    path = FIXTURES / "small.drmemtrace.txt"
    assert rows(open_trace(path)) == [
        ("0", 0, "0x404", "R"),
        ("0", 1, "0x7fdf64e2a", "R"),
        ("0", 1, "0x404", "R"),
        ("0", 1, "0x405", "R"),
        ("0", 2, "0x7fdf64e2a", "W"),
    ]
    old = tmp_path / "old.drmemtrace"
    old.write_text(
        "T4242 ifetch  5 byte(s) @ 0x404a7e non-branch\nT4242 read 8 byte(s) @ 0x7fdf64e2adc8 by PC 0x404a7e\n"
    )
    assert rows(open_trace(old)) == rows(open_trace(path))[:2]
    old.write_text("1 1: W0.T7 ifetch 5 byte(s) @ 0x1000\n2 1: W1.T8 read 8 byte(s) @ 0x1000 by PC 0x1000\n")
    assert rows(open_trace(old)) == [("W0", 0, "0x1", "R"), ("W1", 1, "0x1", "R")]


def test_damo(tmp_path: Path) -> None:
    """A page of a region used n times is read in n of the eight parts of the snapshot; the seed makes it repeatable."""
    trace = open_trace(FIXTURES / "small.damo.txt")
    assert (trace.header["synthetic"], trace.header["seed"]) == ("regions", 1)
    found = rows(trace)
    first = [row[2] for row in found if int(str(row[1])) < 104_599_000]
    assert sorted(set(first)) == ["0x563ebaa02", "0x563ebaa03", "0x7fff66b0a", "0x7fff66b0b", "0x7fff66b0c"]
    assert len(first) == 2 * 1 + 3 * 8
    assert [row[2] for row in found[len(first) :]] == ["0x563ebaa00"] * 3
    assert open_trace(FIXTURES / "small.damo.txt").digest == trace.digest
    with_more = tmp_path / "more.damo"
    with_more.write_text((FIXTURES / "small.damo.txt").read_text().replace("1.205 s", "1 m 1.205 s"))
    times = open_trace(with_more).tasks[0].times_ns
    assert times is not None and 45 * 10**9 < times[-1] < 61_205_000_000


def record(page: int, image: int, evicted: int | None = None, dirty: bool = False, left: int = 0) -> bytes:
    """A fault of a page-image trace; images are pages of one byte's value."""
    fetched = b"C%04x" % page + bytes([image]) * IMAGE
    if evicted is None:
        return fetched + b"N"
    return fetched + (b"W" if dirty else b"R") + b"%04x" % evicted + bytes([left]) * IMAGE


def test_kaplan() -> None:
    """Who was used before the page that goes is used again; a page is written where it left dirty."""
    trace = open_trace(FIXTURES / "small.kaplan.zst")
    assert rows(trace) == [
        ("0", None, "0x1", "R"),
        ("0", None, "0x2", "W"),
        ("0", None, "0x1", "R"),
        ("0", None, "0xff", "R"),
        ("0", None, "0x2", "R"),
    ]
    assert trace.header == {"imported": "kaplan", "min_memory_pages": 2}
    assert images(FIXTURES / "small.kaplan.zst") == [0, 3, -1, 2, 3]


def lru(accesses: list[tuple[int, int]], pages: int) -> list[tuple[int, int | None, bool]]:
    """(page that faults, page that goes, whether it is dirty) of every fault of an LRU memory."""
    memory: OrderedDict[int, bool] = OrderedDict()
    faults: list[tuple[int, int | None, bool]] = []
    for page, write in accesses:
        if page not in memory:
            gone, dirty = memory.popitem(last=False) if len(memory) == pages else (None, False)
            faults.append((page, gone, dirty))
        memory[page] = memory.get(page, False) or bool(write)
        memory.move_to_end(page)
    return faults


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1)), min_size=1, max_size=80), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_kaplan_is_exact_from_its_memory_on(accesses: list[tuple[int, int]], pages: int) -> None:
    """What is made of the faults of a memory has the faults of the original there and in every larger memory."""
    faults = lru(accesses, pages)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.kaplan"
        path.write_bytes(b"".join(record(page, 1, gone, dirty, 2) for page, gone, dirty in faults))
        made = [(int(str(row[2]), 16), int(row[3] == "W")) for row in rows(open_trace(path))]
    for memory in range(pages, 10):
        assert [fault[:2] for fault in lru(made, memory)] == [fault[:2] for fault in lru(accesses, memory)]
    assert [fault[2] for fault in lru(made, pages)] == [fault[2] for fault in faults]


@pytest.mark.parametrize(
    "format, text, message",
    [
        (
            "msr",
            b"1,a,0,Read,0,1,1\n1,a,0,Read,x,1,1\n",
            "a:2: column 'Offset': 'x'; expected a whole number below 2^64",
        ),
        ("msr", b"1,a,0,Read,0,1\n", "a:1: 6 fields in '1,a,0,Read,0,1'; expected Timestamp,Hostname,"),
        ("msr", b"\n1,a,0,Erase,0,1,1\n", "a:2: column 'Type': 'Erase'; expected read or write"),
        ("msr", b"1,a,0,Read,0,99999999999,1\n", "a:1: a size of 99999999999 bytes; expected at most"),
        ("msr", b"-1,a,0,Read,0,9,1\n", "a:1: column 'Timestamp': '-1'; expected a whole number"),
        ("fiu", b"1 2 x 3 8 W 6 0 aa\n1 2 x 3 8 W 6 aa\n", "a:2: 8 fields in '1 2 x 3 8 W 6 aa'; expected time,pid"),
        ("fiu", b"1 2 x 3 8 Q 6 0 aa\n", "a:1: column 'op': 'Q'; expected r or w"),
        ("fiu", b"1 2 x 3 99999999999999999999 W 6 0 aa\n", "a:1: column 'sectors': '99999999999999999999'; expected"),
        ("libcachesim-csv", b"1,2,3\n1,x,3\n", "a:2: column 'object': 'x'; expected a whole number"),
        ("libcachesim-csv", b"1,2,3\n1,2\n", "a:2: 2 fields in '1,2'; expected time,object,size"),
        ("libcachesim-csv", b"time,obj_id\n", "a: no accesses; expected at least one row"),
        (
            "drmemtrace",
            b"1 1: 7 read 8 byte(s) @ 0xzz\n",
            "a:1: '1 1: 7 read 8 byte(s) @ 0xzz'; expected a line of the",
        ),
        ("drmemtrace", b"nothing to see\n", "a: no accesses; expected at least one row"),
        ("damo", b"monitoring_start: 0 ns\nmonitoring_end: soon\n", "a:2: 'soon'; expected a time such as 104.599 ms"),
        ("damo", b"1000-2000 (4.000 KiB): 3\n", "a:1: 1000-2000; expected a region of a snapshot that lasts"),
        ("damo", b"monitoring_end: 1 s\n\n3000-2000 (4 KiB): 3\n", "a:3: 3000-2000; expected a region"),
        ("damo", b"x-y (4 KiB): 3\n", "a:1: 'x-y (4 KiB): 3'; expected a line of damo report access"),
        ("kaplan", record(1, 1) + b"X", "a: offset 4102: b'X'; expected C or F"),
        ("kaplan", b"C00g1" + bytes(4096), "a: offset 1: b'00g1'; expected a page in 4 hex digits"),
        ("kaplan", record(1, 1)[:-1], "a: offset 4101: the file ends within a record; it is truncated"),
        ("kaplan", record(1, 1, 2)[:-5], "a: offset 8197: the file ends within a record; it is truncated"),
        ("kaplan", record(1, 1)[:-1] + b"Q", "a: offset 4101: b'Q'; expected W, R or N"),
    ],
)
def test_bad_input(tmp_path: Path, format: str, text: bytes, message: str) -> None:
    """One line names the file, the line or offset, what is there and what was expected."""
    (tmp_path / "a").write_bytes(text)
    assert refusal(tmp_path / "a", format).startswith(message)


@pytest.mark.parametrize("format", ["msr", "fiu", "libcachesim-csv", "drmemtrace", "damo", "kaplan"])
def test_empty_file(tmp_path: Path, format: str) -> None:
    """An empty file is no trace."""
    (tmp_path / "a").write_bytes(b"")
    assert refusal(tmp_path / "a", format).startswith("a")
