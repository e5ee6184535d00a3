"""zsim.traces.write, order and convert: what is written is what is read back, complete or not there at all."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces.strategies import Row, as_csv, tables, write_csv
from zsim.errors import TraceError, UsageError, ZsimError
from zsim.traces import open_table, open_trace
from zsim.traces.columns import Columns, Table
from zsim.traces.convert import convert
from zsim.traces.order import rows_of
from zsim.traces.write import write_table

SHIPPED = Path(__file__).parents[2] / "traces"
SUFFIXES = [".csv", ".csv.gz", ".csv.zst", ".trace.parquet"]


@given(tables(), st.sampled_from(SUFFIXES), st.sampled_from(SUFFIXES), st.booleans())
@settings(max_examples=30, deadline=None)
def test_formats_hold_the_same_trace(rows: list[Row], first: str, second: str, hexadecimal: bool) -> None:
    """Converting from one format to another and on to a third changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.csv"
        source.write_text(as_csv(rows, hexadecimal))
        expected = open_trace(source).digest
        assert convert(str(source), f"{folder}/a{first}").digest == expected
        assert open_trace(f"{folder}/a{first}").digest == expected
        convert(f"{folder}/a{first}", f"{folder}/b{second}")
        assert open_trace(f"{folder}/b{second}").digest == expected
        back = convert(f"{folder}/b{second}", f"{folder}/c.csv")
        assert (Path(folder) / "c.csv").read_text().split() == reordered(as_csv(rows))
        assert back.digest == expected


def reordered(text: str) -> list[str]:
    """CSV text with its columns in the order in which they are written."""
    header, *lines = (line.split(",") for line in text.split())
    order = [header.index(name) for name in ("t_us", "task", "page", "op", "kind", "content") if name in header]
    return [",".join(line[i] for i in order) for line in (header, *lines)]


@given(tables())
@settings(max_examples=30, deadline=None)
def test_trace_in_memory_can_be_written(rows: list[Row]) -> None:
    """A trace written from memory opens as an equal one, tasks started where they were."""
    with tempfile.TemporaryDirectory() as folder:
        trace = open_trace(write_csv(Path(folder) / "a.csv", rows))
        write_table(rows_of(trace), f"{folder}/b.trace.parquet")
        assert open_trace(f"{folder}/b").digest == trace.digest


def test_names_with_commas_and_quotes(tmp_path: Path) -> None:
    """Task and file names that need quotes in CSV get them, and come back."""
    (tmp_path / "a.csv").write_text('page,op,task,file\n1,R,"a,b",x\n2,W,"say ""hi""",y\n')
    trace = convert(str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))
    assert [task.name for task in trace.tasks] == ["a,b", 'say "hi"']
    assert open_trace(tmp_path / "b.csv").digest == trace.digest


def test_header_is_carried(tmp_path: Path) -> None:
    """What a CSV's comment lines say is in the columnar file, and in the CSV made from that."""
    (tmp_path / "a.csv").write_text("#k=7 unit=us\npage,op\n1,R\n")
    convert(str(tmp_path / "a.csv"), str(tmp_path / "b.trace.parquet"))
    convert(str(tmp_path / "b"), str(tmp_path / "c.csv"))
    assert (tmp_path / "c.csv").read_text() == "#k=7 unit=us\npage,op\n1,R\n"


def test_recording_goes_along(tmp_path: Path) -> None:
    """Converting a recording to another name takes images and notes with it; not when told not to."""
    done = convert(str(SHIPPED / "sort"), str(tmp_path / "s.csv.zst"))
    assert open_trace(tmp_path / "s").digest == done.digest == open_trace(SHIPPED / "sort").digest
    assert open_trace(tmp_path / "s").header["k"] == 96
    convert(str(SHIPPED / "sort"), str(tmp_path / "bare.csv.zst"), carry_images=False)
    assert {path.name for path in tmp_path.glob("bare*")} == {"bare.csv.zst", "bare.json"}
    assert open_trace(tmp_path / "bare").images is None


def test_another_form_beside_the_first(tmp_path: Path) -> None:
    """Within one recording only the accesses are written, and the shorter `limit` is kept to."""
    convert(str(SHIPPED / "sort"), str(tmp_path / "s.trace.parquet"), limit=1000)
    convert(str(tmp_path / "s.trace.parquet"), str(tmp_path / "s.csv"))
    assert (tmp_path / "s.csv").read_text().count("\n") == 1002
    assert open_trace(tmp_path / "s.csv").digest == open_trace(tmp_path / "s").digest


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    """An existing file, of the accesses or beside them, is refused without force."""
    for name in ("s.csv", "s.json"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(UsageError, match=f"{name} exists; choose another name or give --force"):
            convert(str(SHIPPED / "sort"), str(tmp_path / "s.csv"))
        assert {path.name for path in tmp_path.iterdir()} == {name}
        (tmp_path / name).unlink()
    (tmp_path / "s.csv").write_text("mine")
    convert(str(SHIPPED / "sort"), str(tmp_path / "s.csv"), force=True, limit=10)
    assert open_trace(tmp_path / "s.csv").accesses == 10


@pytest.mark.parametrize("text", ["page,op\n1,R\n2,X\n", "page,op,t_us\n1,R,5\n1,R,4\n", "page,op\n"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bad_input_leaves_nothing(tmp_path: Path, text: str, suffix: str) -> None:
    """What is found wrong at any point of a conversion leaves no file, not even a temporary one."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(TraceError):
        convert(str(tmp_path / "a.csv"), str(tmp_path / f"b{suffix}"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_interrupt_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    """Ctrl-C in the middle leaves no file."""
    (tmp_path / "a.csv").write_text("page,op\n1,R\n")
    run = next(open_table(str(tmp_path / "a.csv")).chunks)

    def runs() -> Iterator[Columns]:
        yield run
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(Table(runs()), tmp_path / f"b{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A missing directory, an unknown suffix and a failing disk are each one line."""
    (tmp_path / "a.csv").write_text("page,op\n1,R\n")
    with pytest.raises(UsageError, match="there is no directory"):
        convert(str(tmp_path / "a.csv"), str(tmp_path / "none" / "b.csv"))
    with pytest.raises(UsageError, match=r"no format has this suffix; expected \.csv"):
        convert(str(tmp_path / "a.csv"), str(tmp_path / "b.txt"))
    with pytest.raises(ZsimError, match="none/b.csv: No such file or directory"):
        write_table(open_table(str(tmp_path / "a.csv")), tmp_path / "none" / "b.csv")


@pytest.mark.skipif(not Path("/dev/full").exists() or os.name != "posix", reason="no /dev/full")
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is one line naming the file."""
    table = open_table(str(SHIPPED / "sort.trace.parquet"))
    monkeypatch.setattr(Path, "with_name", lambda self, name: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
    with pytest.raises(ZsimError, match=r"b\.csv: .*[Nn]o space"):
        write_table(table, tmp_path / "b.csv")


def test_converting_onto_itself_is_refused(tmp_path: Path) -> None:
    """A recording is not converted into its own files under another spelling of its name."""
    convert(str(SHIPPED / "sort"), str(tmp_path / "s.trace.parquet"), limit=10)
    with pytest.raises(UsageError):
        convert(str(tmp_path / "s"), f"{tmp_path}/../{tmp_path.name}/s.csv", force=True)
