"""zsim.traces.columnar: Parquet traces, good and bad."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from zsim.errors import TraceError
from zsim.traces import open_trace
from zsim.traces.columnar import read
from zsim.traces.generate import Pattern, table
from zsim.traces.write import write_table

CSV = "t_us,task,page,op,kind,content\n1,3,7,R,anon,\n2,3,8,W,file,5\n0,4,7,R,anon,6\n"
GOOD: dict[str, Any] = {
    "t_us": pa.array([1, 2, 0], pa.int64()),
    "task": pa.array([3, 3, 4], pa.uint8()),
    "page": pa.array([7, 8, 7], pa.uint64()),
    "op": pa.array([0, 1, 0], pa.uint8()),
    "kind": pa.array([0, 1, 0], pa.uint8()),
    "content": pa.array([-1, 5, 6], pa.int32()),
}


def written(folder: Path, **changed: Any) -> Path:
    """The good columns in a file, some of them changed, or left out where None."""
    columns = {key: values for key, values in (GOOD | changed).items() if values is not None}
    path = folder / "t.trace.parquet"
    parquet.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"task": pa.array(["3", "3", "4"])},
        {"task": pa.array(["3", "3", "4"]).dictionary_encode(), "page": pa.array([7, 8, 7], pa.int32())},
        {"op": pa.array(["R", "W", "r"]), "kind": pa.array(["anon", "file", "anon"])},
        {"op": pa.array([False, True, False]), "kind": pa.array([False, True, False])},
        {"content": pa.array([None, 5, 6], pa.int64())},
        {"t_us": None, "time_ns": pa.array([1000, 2000, 0], pa.uint64())},
        {"other": pa.array([0.5, 1.5, 2.5])},
    ],
)
def test_same_as_the_csv(tmp_path: Path, changed: dict[str, Any]) -> None:
    """The same rows are the same trace as in CSV, whichever of the accepted types the columns have."""
    csv = tmp_path / "c.csv"
    csv.write_text(CSV)
    assert open_trace(written(tmp_path, **changed)).digest == open_trace(csv).digest


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"op": None}, "no column 'op' (found: t_us, task, page, kind, content)"),
        ({"page": pa.array([1.0, 2.0, 3.0])}, "column 'page' has the type double; expected whole numbers"),
        ({"op": pa.array([0.0, 1.0, 0.0])}, "column 'op' has the type double; expected whole numbers or text"),
        ({"t_us": pa.array(["1", "2", "3"])}, "column 't_us' has the type string; expected whole numbers"),
        ({"page": pa.array([7, -8, 7])}, "row 2: column 'page': -8; expected a number not below 0"),
        ({"page": pa.array([7, None, 7])}, "row 2: column 'page': nothing; expected a number"),
        ({"op": pa.array([0, 1, 7])}, "row 3: column 'op': 7; expected R or W"),
        ({"op": pa.array(["R", None, "W"])}, "row 2: column 'op': nothing; expected a name"),
        ({"kind": pa.array([0, 2, 0], pa.uint8())}, "row 2: column 'kind': 2; expected anon or file"),
        ({"content": pa.array([0, 1, -2])}, "row 3: column 'content': -2; expected a number not below -1"),
        ({"content": pa.array([0, 2**31, 0])}, "row 2: column 'content': 2147483648; expected an image id below 2^31"),
        ({"t_us": pa.array([1, 2**62, 0])}, "row 2: column 't_us': 4611686018427387904; expected a time below 2^63 ns"),
        ({"t_us": pa.array([2, 1, 0])}, "row 2: column 'time': 1000 ns after 2000 ns"),
    ],
)
def test_bad_columns(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    """A wrong column or value is named with file, row, value and what was expected."""
    with pytest.raises(TraceError, match=re.escape(message)):
        open_trace(written(tmp_path, **changed))


def test_not_a_parquet_file(tmp_path: Path) -> None:
    """Garbage and a truncated file are refused in one line."""
    path = written(tmp_path)
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], b"PAR1 and then nonsense" * 9):
        path.write_bytes(data)
        with pytest.raises(TraceError, match="not a readable Parquet file") as error:
            open_trace(path)
        assert "\n" not in str(error.value)


def test_damage_inside(tmp_path: Path) -> None:
    """A damaged data page is found when it is read."""
    path = tmp_path / "t.trace.parquet"
    write_table(table(Pattern("uniform", accesses=5000)), path)
    data = bytearray(path.read_bytes())
    for at in range(200, len(data) // 2, 97):
        flipped = data.copy()
        flipped[at] ^= 4
        path.write_bytes(bytes(flipped))
        with pytest.raises(TraceError, match="damaged Parquet file|not a readable"):
            open_trace(path)


def test_empty(tmp_path: Path) -> None:
    """No rows are no trace."""
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table(GOOD).slice(0, 0), path)
    with pytest.raises(TraceError, match="no accesses"):
        open_trace(path)


def test_column_of_time_keeps_its_name(tmp_path: Path) -> None:
    """A table knows by what name and unit its times came."""
    assert read(str(written(tmp_path))).time == "t_us"
