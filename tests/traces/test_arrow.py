"""Arrow columns by their buffers: what pyarrow's own conversions give."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.results import write_csv
from zsim.traces import arrow


@pytest.mark.parametrize("kind", [pa.uint8(), pa.int32(), pa.int64(), pa.uint64(), pa.bool_()])
def test_there_and_back(kind: pa.DataType) -> None:
    """Numbers and truth values of each width, some missing, in whole, in part, and in chunks."""
    column = pa.array([1, 0, None, 1, 1, None, 0, 0, 1, 1]).cast(kind)
    gone = arrow.missing(column)
    assert gone.tolist() == [value is None for value in column.to_pylist()]
    assert arrow.numbers(column)[~gone].tolist() == [value for value in column.to_pylist() if value is not None]
    whole = column.drop_null()
    assert arrow.numbers(whole[3:]).tolist() == whole[3:].to_pylist()
    assert arrow.numbers(pa.chunked_array([whole, whole[2:]])).tolist() == whole.to_pylist() + whole[2:].to_pylist()
    assert arrow.array(arrow.numbers(column), ~gone).equals(column)
    assert arrow.array(arrow.numbers(whole)).equals(whole)
    assert len(arrow.numbers(whole[:0])) == len(arrow.array(np.empty(0, np.int32))) == 0


def test_text() -> None:
    """Strings of any alphabet, an empty one, none at all."""
    for values in (["ab", "", "Käse"], []):
        assert arrow.text(values).equals(pa.array(values, pa.string()))


@pytest.mark.parametrize("command", ["trace convert small.csv made.trace.parquet", "replay small.csv -o out"])
def test_commands_need_no_pandas(tmp_path: Path, command: str) -> None:
    """It takes half a second to import."""
    write_csv(tmp_path / "small.csv")
    words = [sys.executable, "-X", "importtime", "-m", "zsim", *command.split()]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "pyarrow" in done.stderr and "pandas" not in done.stderr
