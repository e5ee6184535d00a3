"""zsim.traces.converted: copies of large traces in the cache."""

import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from zsim.errors import TraceError
from zsim.traces import Trace, converted, csv, open_trace
from zsim.traces.columns import Table

SHIPPED = Path(__file__).parents[2] / "traces"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for one test, and any file large enough to be copied."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(converted, "LARGE_BYTES", 1)
    return tmp_path / "cache" / "zsim"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A trace with everything a trace can have."""
    path = tmp_path / "large.csv"
    path.write_text(
        "#k=3\nt_us,task,page,op,kind,content\n0,a,1,R,anon,\n2,a,1,W,file,1\n0,b,1,W,anon,0\n3,a,1,R,anon,2\n"
    )
    return path


def same(one: Trace, other: Trace) -> None:
    """Two traces are equal in all but their images."""
    assert (one.name, one.digest, one.header, one.pages, one.footprint_pages) == (
        other.name,
        other.digest,
        other.header,
        other.pages,
        other.footprint_pages,
    )
    for a, b in zip(one.tasks, other.tasks, strict=True):
        assert (a.name, a.starts_after, a.remaps) == (b.name, b.starts_after, b.remaps)
        assert a.accesses.dtype == b.accesses.dtype and a.accesses.flags.writeable
        assert np.array_equal(a.accesses, b.accesses)
    assert one.content == other.content


def test_copy_equals_the_trace(cache: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second opening gives the same trace without reading the CSV."""
    first = open_trace(large)
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr(csv, "read", None)
    same(open_trace(large), first)


def test_changed_file_is_read_again(cache: Path, large: Path) -> None:
    """A file whose time or size changed has another copy."""
    first = open_trace(large)
    os.utime(large, ns=(1, 1))
    same(open_trace(large), first)
    with large.open("a") as file:
        file.write("9,a,7,R,anon,\n")
    assert open_trace(large).accesses == first.accesses + 1
    assert len(list(cache.iterdir())) == 3


def test_damaged_copy_is_made_again(cache: Path, large: Path) -> None:
    """A copy that cannot be read is not used."""
    first = open_trace(large)
    copy = next(cache.iterdir())
    for damage in (b"", b"{}\n", copy.read_bytes()[:-200]):
        copy.write_bytes(damage)
        same(open_trace(large), first)


def test_unwritable_cache_costs_nothing_but_time(tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no cache can be made, traces open all the same."""
    monkeypatch.setattr(converted, "LARGE_BYTES", 1)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    same(open_trace(large), open_trace(large))


def test_bad_and_cut_traces_leave_no_copy(cache: Path, large: Path) -> None:
    """Neither a trace found wrong nor one opened with a limit is kept."""
    open_trace(large, limit=2)
    with large.open("a") as file:
        file.write("1,a,7,R,anon,\n")
    with pytest.raises(TraceError, match="large.csv:7: column 'time'"):
        open_trace(large)
    assert not cache.exists() or not list(cache.iterdir())


def test_images_are_not_part_of_the_copy(cache: Path, tmp_path: Path) -> None:
    """Images that shrink after the copy was made are noticed."""
    for suffix in ("trace.parquet", "images.parquet"):
        shutil.copy(SHIPPED / f"sort.{suffix}", tmp_path)
    first = open_trace(tmp_path / "sort")
    same(open_trace(tmp_path / "sort"), first)
    table = parquet.read_table(tmp_path / "sort.images.parquet")
    parquet.write_table(pa.table(table).slice(0, 10), tmp_path / "sort.images.parquet")
    with pytest.raises(TraceError, match="column 'content': 7282; expected an image id below 10"):
        open_trace(tmp_path / "sort")


def test_small_files_and_stdin_have_no_copy(large: Path) -> None:
    """Only what takes long to read is copied."""
    assert converted.copy_name("-") is None
    assert converted.copy_name(str(large)) is None


def test_header_that_json_cannot_hold_is_not_kept(cache: Path, large: Path) -> None:
    """A header with other than plain values is no reason to fail."""
    trace = open_trace(large)
    trace.header["table"] = Table(iter(()))
    converted.save(trace, "odd")
    assert not (cache / "odd").exists()
