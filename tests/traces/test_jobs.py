"""traces/jobs and traces/record.sh: the inputs of the shipped recordings, held to the images in them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from zsim.traces import open_trace
from zsim.traces.images import read_pages

SHIPPED = Path(__file__).parents[2] / "traces"
LINE = re.compile(rb"(?<=[\n\0])w\d{5} w\d{5} \d+ user\d{5} /var/log/app/w\d{5}\.log(?=[\n\0])")


def pages_of(name: str) -> list[bytes]:
    """The images of a shipped recording."""
    images = open_trace(SHIPPED / name).images
    assert images is not None
    return [page for _, page in read_pages(images)]


def made(job: str, where: Path, name: str) -> str:
    """What a script of traces/jobs writes to the file `name`."""
    subprocess.run([sys.executable, SHIPPED / "jobs" / job], cwd=where, check=True, env=os.environ)
    return (where / name).read_text()


def test_sort_input(tmp_path: Path) -> None:
    """The lines in the images are lines of the input, but for two that a merge was overwriting; half are there."""
    lines = set(made("lines.py", tmp_path, "l2.txt").encode().splitlines())
    found = {line for page in pages_of("sort") for line in LINE.findall(page)}
    assert len(lines) == 110_000
    assert len(found & lines) > 50_000 and len(found - lines) <= 2


def test_gcc_input(tmp_path: Path) -> None:
    """The three pages of source text that were kept are in the input as they stand."""
    source = made("functions.py", tmp_path, "mid.c")
    kept = [page.decode() for page in pages_of("gcc") if page.count(b"double d;char n[16]") > 10 and page.isascii()]
    assert kept and all(page in source for page in kept)
    assert source.count("static int f") == 140 and 43_000 < len(source) < 45_000


def test_sqlite_input() -> None:
    """The buffer that the queries were read into holds the input, nothing before or after it."""
    queries = (SHIPPED / "jobs" / "q2.sql").read_bytes()
    assert any(b"\0" + queries + b"\0" in page for page in pages_of("sqlite"))


def test_every_recording_can_be_made_again() -> None:
    """record.sh is a shell script with a job for each shipped recording."""
    script = SHIPPED / "record.sh"
    subprocess.run(["sh", "-n", script], check=True)
    jobs = set(re.findall(r"^(\w+)_\(\) \{", script.read_text(), re.M))
    assert jobs == {path.name.removesuffix(".json") for path in SHIPPED.glob("*.json")}


def test_a_typo_is_said_before_anything_is_made(tmp_path: Path) -> None:
    """The names there are, for a wrong one and for none at all; no folder."""
    script = str(SHIPPED / "record.sh")
    for words, said in (([str(tmp_path / "made"), "sorrt"], "no recording sorrt"), ([], "usage: ")):
        done = subprocess.run(["sh", script, *words], capture_output=True, text=True)
        assert done.returncode == 2 and said in done.stderr and "sort sqlite" in done.stderr
    assert list(tmp_path.iterdir()) == []
