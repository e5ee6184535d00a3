"""`zsim trace` as a user runs it: in a process of its own."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from tests.cli import entry
from zsim.cli.trace import trace
from zsim.traces import open_trace

SHIPPED = Path(__file__).parents[2] / "traces"


def run(*arguments: object, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """`zsim trace ...` with these arguments."""
    command = [sys.executable, "-m", "zsim", "trace", *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, check=False)


def inside(*arguments: object) -> str:
    """What the command prints, run in this process."""
    result = CliRunner().invoke(trace, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_info_of_a_shipped_recording() -> None:
    """The table has the figures that matter and a picture."""
    text = inside("info", SHIPPED / "sqlite.csv")
    for words in ("231,204, 31.2% writes", "2,271 pages (8.87 MiB)", "under lz4", "ratio 1.69", "ratio 2.36"):
        assert words in text
    assert "LRU at 25 %" in text and "+----" in text and "task 1" in text


def test_info_as_json() -> None:
    """--json prints one object with a schema, and -c chooses the codecs."""
    said = json.loads(inside("info", SHIPPED / "sort", "--json", "-c", "lzo", "-c", "deflate"))
    assert (said["schema"], said["accesses"], said["footprint_pages"]) == (1, 654_620, 3053)
    assert [row["compressor"] for row in said["compressibility"]] == ["lzo", "deflate"]


def test_info_draws(tmp_path: Path) -> None:
    """--plot writes a figure, and does not overwrite one unasked."""
    inside("info", SHIPPED / "sort", "--limit", "5k", "--plot", tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")
    refused = entry.run(tmp_path, "trace", "info", SHIPPED / "sort", "--limit", "5k", "--plot", "a.svg")
    assert refused.returncode == 2 and "exists" in refused.stderr


def test_generate_convert_and_info_in_a_pipe(tmp_path: Path) -> None:
    """A generated trace goes through a pipe, is converted from stdin, and is the same at the end."""
    made = run("generate", "zipf", "-n", "20k", "--pages", "500", "-o", "-")
    assert made.returncode == 0 and made.stderr == b""
    assert made.stdout.startswith(b"#generated=zipf pages=500 alpha=1.0 seed=1\npage,op\n")
    target = tmp_path / "z.trace.parquet"
    written = run("convert", "-", target, "--json", data=made.stdout)
    said = json.loads(written.stdout)
    inside("generate", "zipf", "-n", "20k", "--pages", "500", "-o", tmp_path / "z.csv.gz")
    assert said["digest"] == open_trace(target).digest == open_trace(tmp_path / "z.csv.gz").digest
    shown = run("info", "-", "--json", data=zstandard.compress(made.stdout))
    assert json.loads(shown.stdout)["digest"] == said["digest"]
    assert run("convert", target, "-").stdout == made.stdout


def test_generate_every_kind(tmp_path: Path) -> None:
    """Each kind takes its figures."""
    for kind in ("loop", "zipf", "uniform", "phase", "hotcold"):
        text = inside("generate", kind, "--accesses", "1.5k", "--pages", 40, "-o", tmp_path / f"{kind}.csv")
        assert text == f"{tmp_path}/{kind}.csv: 1,500 accesses, 40 pages\n"
    said = json.loads(inside("generate", "loop", "-n", "10", "-o", tmp_path / "loop.csv", "--force", "--json"))
    assert said["schema"] == 1 and said["accesses"] == 10


BAD = {
    "missing": (None, "no such trace"),
    "column": (b"page,rw\n1,R\n", "t.csv:1: no column 'op'"),
    "negative": (b"page,op\n-1,R\n", "t.csv:2: column 'page': '-1'"),
    "word": (b"page,op\n1,R\nx,R\n", "t.csv:3: column 'page': 'x'"),
    "large": (b"page,op\n18446744073709551616,R\n", "below 2^64"),
    "op": (b"page,op\n1,Q\n", "t.csv:2: column 'op': 'Q'; expected R or W"),
    "kind": (b"page,op,kind\n1,R,x\n", "t.csv:2: column 'kind': 'x'; expected anon or file"),
    "back": (b"page,op,t_us\n1,R,2\n1,R,1\n", "t.csv:3: column 'time'"),
    "empty": (b"", "empty"),
    "header": (b"page,op\n", "no accesses"),
    "gzip": (gzip.compress(b"page,op\n1,R\n")[:-9], "truncated"),
    "zstd": (zstandard.compress(b"page,op\n1,R\n" * 99)[:-3], "truncated"),
    "garbage": (os.urandom(64) + b"\0\n\xff", "not text"),
    "parquet": (b"PAR1" + b"x" * 100, "not a readable Parquet file"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_input(tmp_path: Path, case: str) -> None:
    """Each kind of bad input ends with status 2 and one line on stderr that names the place."""
    data, words = BAD[case]
    path = tmp_path / "t.csv"
    if data is not None:
        path.write_bytes(data)
    result = entry.run(tmp_path, "trace", "info", path)
    message = result.stderr
    assert (result.returncode, result.stdout) == (2, "")
    assert message.startswith("zsim: ") and message.count("\n") == 1
    assert words in message and "Traceback" not in message


def test_bad_arguments(tmp_path: Path) -> None:
    """Wrong names and figures end with status 2, and nothing is written."""
    for arguments in (
        ["generate", "zipff", "-o", tmp_path / "a.csv"],
        ["generate", "zipf", "-o", tmp_path / "a.txt"],
        ["generate", "zipf", "-n", "1.5", "-o", tmp_path / "a.csv"],
        ["generate", "phase", "--pages", "3", "-o", tmp_path / "a.csv"],
        ["convert", SHIPPED / "sort", tmp_path / "none" / "a.csv"],
        ["convert", SHIPPED / "sort", tmp_path / "a.csv", "--from", "csvv"],
        ["info", SHIPPED / "sort", "-c", "lz5"],
    ):
        result = entry.run(tmp_path, "trace", *arguments)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_existing_files_are_kept(tmp_path: Path) -> None:
    """Without --force neither generate nor convert replaces a file."""
    path = tmp_path / "a.csv"
    path.write_text("mine")
    for arguments in (["generate", "loop", "-o", path], ["convert", SHIPPED / "sort", path]):
        result = entry.run(tmp_path, "trace", *arguments)
        assert result.returncode == 2 and "give --force" in result.stderr
    assert path.read_text() == "mine"


def test_reduce(tmp_path: Path) -> None:
    """The threshold in pages or as a size, one of the two; what is left is said, and known to info."""
    inside("generate", "uniform", "-o", tmp_path / "a.csv", "--pages", "60", "-n", "3000")
    by_pages = inside("reduce", tmp_path / "a.csv", tmp_path / "b.csv", "--pages", "50", "--json")
    by_size = inside("reduce", tmp_path / "a.csv", tmp_path / "c.csv", "--min-memory", "200K", "--json")
    assert json.loads(by_pages)["digest"] == json.loads(by_size)["digest"]
    assert json.loads(by_pages)["accesses"] < 2000
    text = inside("info", tmp_path / "b.csv")
    assert "valid from            50 pages" in text and "reduced               sad" in text
    for wrong in ([], ["--pages", "9", "--min-memory", "1M"], ["--pages", "1"], ["--min-memory", "25%"]):
        result = entry.run(tmp_path, "trace", "reduce", "a.csv", "d.csv", *wrong)
        assert result.returncode == 2 and "Traceback" not in result.stderr


def test_what_is_made_up_is_said(tmp_path: Path) -> None:
    """Accesses drawn from regions are called that, by convert and by info."""
    regions = Path(__file__).parents[1] / "traces" / "fixtures" / "small.damo.txt"
    result = entry.run(tmp_path, "trace", "convert", regions, tmp_path / "a.trace.parquet")
    assert result.returncode == 0 and "made up from regions" in result.stderr
    text = inside("info", tmp_path / "a")
    assert "imported from         damo" in text and "made up from          regions" in text
