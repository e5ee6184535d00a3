"""Written sets, asked from the kernel while the program runs."""

import shutil
from pathlib import Path

import pytest

from tests.record.programs import BARE, both, needs_wp, recorded
from zsim.traces import open_trace
from zsim.traces.images import read_images, read_pages

pytestmark = needs_wp
WRITES = """
import mmap, time
region = mmap.mmap(-1, 500 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
time.sleep(0.3)
for page in range(500):
    region[page * 4096 : page * 4096 + 4] = b"mine"
time.sleep(0.3)
"""


def test_written_pages_are_told_with_their_contents(tmp_path: Path) -> None:
    """All pages that are written in a quiet moment are rows of writes, with images of what was written."""
    notes = recorded(tmp_path / "r", *BARE, WRITES, via="wp")
    assert notes["write_share"] == 1 and notes["reads_recorded"] is False
    images = read_images(tmp_path / "r.images.parquet", tmp_path / "r.pages.zst")
    assert sum(data.startswith(b"mine") for _, data in read_pages(images)) == 1
    assert notes["distinct_pages"] >= 500 and notes["rows"] < 5000


@pytest.mark.parametrize("program", ["java", "sh"])
def test_programs_are_as_untraced(tmp_path: Path, program: str) -> None:
    """A JVM runs, and so do forks and execs."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    command = ["java", "--version"] if program == "java" else ["sh", "-c", "x=$(echo 7 | cat); echo $x; exit $x"]
    (plain, traced), notes = both(tmp_path, command, via="wp")
    assert plain == traced and plain[1] == (0 if program == "java" else 7), (plain, traced)
    assert open_trace(tmp_path / "r").accesses == notes["rows"]
