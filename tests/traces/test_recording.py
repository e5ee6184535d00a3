"""zsim.traces.recording and images: families of files, and what is said where a file is missing or wrong."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from zsim.errors import TraceError
from zsim.traces import open_trace
from zsim.traces.images import read_images, read_pages
from zsim.traces.recording import find

SHIPPED = Path(__file__).parents[2] / "traces"
FAMILY = ("trace.parquet", "images.parquet", "pages.zst", "json")


@pytest.fixture
def sort(tmp_path: Path) -> Path:
    """A copy of a shipped recording."""
    for suffix in FAMILY:
        shutil.copy(SHIPPED / f"sort.{suffix}", tmp_path)
    return tmp_path / "sort"


@pytest.mark.parametrize("suffix", ["", ".csv", ".csv.zst", *(f".{suffix}" for suffix in FAMILY)])
def test_any_file_names_the_recording(suffix: str) -> None:
    """Each file of the family, the bare name, and a form that is not there all open it."""
    found = find(f"{SHIPPED}/sqlite{suffix}")
    assert (found.name, found.table) == ("sqlite", f"{SHIPPED}/sqlite.trace.parquet")
    assert None not in (found.images, found.pages, found.notes)


def test_bare_name_is_looked_for_in_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside traces/, a recording's name is enough."""
    monkeypatch.chdir(SHIPPED.parent)
    assert find("sqlite").table == "traces/sqlite.trace.parquet"


def test_file_that_is_named_is_the_one_read(tmp_path: Path) -> None:
    """Where CSV and columnar file lie side by side, the one named is read; the columnar one for the bare name."""
    (tmp_path / "a.csv").write_text("page,op\n1,R\n")
    parquet.write_table(pa.table({"page": [1, 2], "op": [0, 1]}), tmp_path / "a.trace.parquet")
    assert open_trace(tmp_path / "a.csv").accesses == 1
    assert open_trace(tmp_path / "a").accesses == 2
    (tmp_path / "b.txt").write_text("page,op\n1,R\n")
    assert open_trace(tmp_path / "b.txt").accesses == 1


def test_missing_recording_says_what_was_tried_and_what_is_near(tmp_path: Path) -> None:
    """The message lists the names tried and the nearest recording, else those that are there."""
    with pytest.raises(TraceError, match=r"sqlit: no such trace \(tried .*\.trace\.parquet.*did you mean .*sqlite\?"):
        find(f"{SHIPPED}/sqlit")
    with pytest.raises(TraceError, match=r"recordings there: .*/gcc, .*/sort, .*/sqlite$"):
        find(f"{SHIPPED}/zzz.csv")
    with pytest.raises(TraceError, match=r"is a directory; expected a trace; recordings there: .*gcc"):
        find(str(SHIPPED))
    with pytest.raises(TraceError, match=r"no such trace \(tried [^;]*$"):
        find(str(tmp_path / "nothing"))


SHIPPED_FIGURES = [
    ("gcc", 320_693, 10_562, 3, 1024, 2048),
    ("sort", 654_620, 3053, 1, 96, 384),
    ("sqlite", 231_204, 2271, 1, 192, 384),
    ("pandas", 454_763, 24_057, 1, 4096, 8192),
    ("node", 230_713, 10_874, 1, 2048, 4096),
    ("build", 200_608, 10_578, 1, 768, 1536),
    ("tar", 23_778, 9147, 1, 256, 512),
]


@pytest.mark.parametrize("name, accesses, footprint, tasks, k, least", SHIPPED_FIGURES)
def test_shipped_recordings(name: str, accesses: int, footprint: int, tasks: int, k: int, least: int) -> None:
    """The shipped recordings have the figures that their README gives."""
    trace = open_trace(SHIPPED / name)
    assert (trace.accesses, trace.footprint_pages, len(trace.tasks)) == (accesses, footprint, tasks)
    assert (trace.header["k"], trace.header["min_memory_pages"]) == (k, least)
    assert trace.images is not None and trace.content is not None
    for before, task in zip(trace.tasks, trace.tasks[1:], strict=False):
        assert task.starts_after == (trace.tasks.index(before), len(before.accesses) - 1)


@pytest.mark.parametrize("name", [name for name, *_ in SHIPPED_FIGURES])
def test_notes_of_shipped_recordings_are_true(name: str) -> None:
    """What NAME.json says is what the files hold."""
    trace = open_trace(SHIPPED / name)
    said, images = trace.header, trace.images
    assert images is not None
    assert (said["rows"], said["distinct_pages"]) == (trace.accesses, trace.footprint_pages)
    assert (said["image_versions"], said["images_with_bytes"]) == (images.count, np.count_nonzero(images.slots >= 0))
    assert said["tasks"] == len(trace.tasks)
    writes = sum(int(np.count_nonzero(task.accesses & 1)) for task in trace.tasks)
    assert said["write_share"] == pytest.approx(writes / trace.accesses, abs=0.001)
    figures = [f"{said['rows']:,}", f"{said['distinct_pages']:,}", f"{images.count:,}", f"{said['min_memory_pages']:,}"]
    text = (SHIPPED / "README.md").read_text()
    assert [figure for figure in figures if figure not in text] == []


PRIVATE = ("/work", "/root", "/home/", "http_proxy", "HTTP_PROXY", "PIP_", "index-url", "PS1=", "SSH_", "@gmail")
HARMLESS = ("/workbook", "/worker")
"""Of other programs' own texts that begin alike."""


@pytest.mark.parametrize("name", [name for name, *_ in SHIPPED_FIGURES])
def test_shipped_recordings_say_nothing_of_their_machine(name: str) -> None:
    """No host, user or directory name, proxy or package index is in images, notes or file names."""
    import socket

    trace = open_trace(SHIPPED / name)
    assert trace.images is not None
    table = parquet.read_table(SHIPPED / f"{name}.trace.parquet")
    files = set(table.column("file").to_pylist()) if "file" in table.column_names else set()
    text = (SHIPPED / f"{name}.json").read_text() + "\n".join(str(file) for file in files)
    held = b"".join(page for _, page in read_pages(trace.images)) + text.encode()
    for word in PRIVATE + ((socket.gethostname(),) if len(socket.gethostname()) > 5 else ()):
        at = held.find(word.encode())
        while at >= 0:
            assert held[at : at + 12].decode("latin-1").startswith(HARMLESS), held[max(at - 40, 0) : at + 60]
            at = held.find(word.encode(), at + 1)


def test_k_is_found_in_the_recorders_words(tmp_path: Path) -> None:
    """Notes without `k` but with "K=64" in the recorder's name give it."""
    (tmp_path / "a.csv").write_text("page,op\n1,R\n")
    (tmp_path / "a.json").write_text(json.dumps({"recorder": "some K=64"}))
    assert open_trace(tmp_path / "a").header["min_memory_pages"] == 256


@pytest.mark.parametrize("text", ["{", "[1]", "\xff"])
def test_bad_notes(tmp_path: Path, text: str) -> None:
    """Notes that are no JSON object are refused by name."""
    (tmp_path / "a.csv").write_text("page,op\n1,R\n")
    (tmp_path / "a.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(TraceError, match=r"a\.json: "):
        open_trace(tmp_path / "a")


def test_image_ids_beyond_the_images(sort: Path) -> None:
    """A content id that no image has is refused with its row."""
    table = parquet.read_table(f"{sort}.images.parquet")
    parquet.write_table(table.slice(0, 100), f"{sort}.images.parquet")
    with pytest.raises(TraceError, match=r"row \d+: column 'content': \d+; expected an image id below 100"):
        open_trace(sort)


def test_pages_are_read_in_slot_order(sort: Path) -> None:
    """Every image comes out of the page file whole, as many as there are slots."""
    trace = open_trace(sort)
    assert trace.images is not None
    slots = [slot for slot, page in read_pages(trace.images) if len(page) == 4096]
    assert slots == list(range(int(trace.images.slots.max()) + 1))


@pytest.mark.parametrize("keep", [0.4, 0.999])
def test_truncated_page_file(sort: Path, keep: float) -> None:
    """A page file cut short is refused, also where it is cut between two frames."""
    path = Path(f"{sort}.pages.zst")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    trace = open_trace(sort)
    assert trace.images is not None
    with pytest.raises(TraceError, match=r"sort\.pages\.zst: .*truncated"):
        list(read_pages(trace.images))
    path.write_bytes(data[: data.index(b"\x28\xb5\x2f\xfd", 100)])
    with pytest.raises(TraceError, match=r"256 page images; expected 3654: the file is truncated"):
        list(read_pages(trace.images))


def test_images_without_page_file_have_sizes_only(sort: Path) -> None:
    """Without the page file no image has a slot."""
    Path(f"{sort}.pages.zst").unlink()
    trace = open_trace(sort)
    assert trace.images is not None
    assert (trace.images.slots == -1).all()
    assert list(read_pages(trace.images)) == []


def test_bad_table_of_images(tmp_path: Path) -> None:
    """A table of images that lacks a column, or holds text, is refused by name."""
    path = tmp_path / "a.images.parquet"
    parquet.write_table(pa.table({"lz4": [1]}), path)
    with pytest.raises(TraceError, match="no column 'same_filled'"):
        read_images(path, None)
    parquet.write_table(pa.table({"lz4": ["x"], "same_filled": [False]}), path)
    with pytest.raises(TraceError, match="column 'lz4' has the type string; expected whole numbers"):
        read_images(path, None)
    parquet.write_table(pa.table({"same_filled": [True], "zero_filled": [False]}), path)
    images = read_images(path, None)
    assert images.zero_filled is not None
    assert (images.count, images.sizes_bytes, images.zero_filled.tolist()) == (1, {}, [0])
    assert images.same_filled.dtype == np.uint8
