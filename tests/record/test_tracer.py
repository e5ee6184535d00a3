"""The recorder at work: what it notes is what the program did, and the program does what it would do."""

import random
import shutil
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.record.programs import BARE, both, needs_ptrace, recorded
from zsim.traces.images import read_images, read_pages

pytestmark = needs_ptrace
PAGES = 3500
SWEEP = """
import ctypes, mmap, sys
pages = int(sys.argv[2])
region = mmap.mmap(-1, pages * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
with open(sys.argv[1], "w") as file:
    file.write(str(ctypes.addressof(ctypes.c_char.from_buffer(region)) >> 12))
for sweep in (1, 2):
    for page in range(pages):
        region[page * 4096 : page * 4096 + 8] = (page * 10 + sweep).to_bytes(8, "little")
sum(region[page * 4096] for page in range(0, pages, 2))
"""
QUERIES = """create table t(a integer, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
insert into t select i, hex(i * i) from n;
create index tb on t(b); select b, count(*) from t group by substr(b, 1, 1) order by 2 desc limit 5;"""
SOURCE = "int square(int x) { return x * x; }\nint main(void) { return square(3) - 2; }\n"


def test_pages_in_order_with_their_contents(tmp_path: Path) -> None:
    """Two sweeps of writes over a region and one of reads are its rows, in order, with the images they left."""
    notes = recorded(tmp_path / "r", *BARE, SWEEP, str(tmp_path / "address"), str(PAGES), memory="12M")
    first = int((tmp_path / "address").read_text())
    rows = parquet.read_table(tmp_path / "r.trace.parquet").to_pylist()
    swept = [row for row in rows if first <= row["page"] < first + PAGES]
    written = [row for row in swept if row["op"] == 1]
    assert [row["page"] - first for row in written] == 2 * [*range(PAGES)]
    read = [row["page"] - first for row in swept if row["op"] == 0]
    assert read[-PAGES // 2 :] == list(range(0, PAGES, 2)) and len(read) < PAGES // 2 + 20
    assert all(row["kind"] == 0 for row in swept) and notes["k"] == 768
    assert [row["t_us"] for row in rows] == sorted(row["t_us"] for row in rows)
    images = read_images(tmp_path / "r.images.parquet", tmp_path / "r.pages.zst")
    held = dict(read_pages(images))
    for sweep in (1, 2):
        part = written[(sweep - 1) * PAGES : sweep * PAGES]
        told = [(row["page"] - first, held[images.slots[row["content"]]][:8]) for row in part if row["content"] >= 0]
        assert len(told) > PAGES * 0.3
        assert all(int.from_bytes(data, "little") == page * 10 + sweep for page, data in told)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Inputs for real programs."""
    chance = random.Random(1)
    (tmp_path / "lines").write_text("".join(f"{chance.getrandbits(60):x}\n" for _ in range(20_000)))
    (tmp_path / "queries").write_text(QUERIES)
    (tmp_path / "m.c").write_text(SOURCE)
    return tmp_path


PROGRAMS = {
    "sort": ("sort --parallel=2 -S 2M {0}/lines", 0, "2M"),
    "sqlite3": ("sqlite3 :memory: -init {0}/queries .quit", 0, "2M"),
    "tar": ("tar -C {0} -c lines m.c | gzip -n | sha1sum", 0, "1M"),
    "gcc": ("gcc {0}/m.c -o {0}/m && {0}/m", 7, "64M"),
    "node": ("node -e 'console.log([...Array(9999).keys()].map(String).sort().join().length)'", 0, "64M"),
    "java": ("java --version", 0, "256M"),
    "find": ("find /etc -maxdepth 2 -name '*.conf' -newer {0}/lines -o -name passwd", 0, "1M"),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_real_programs_are_as_untraced(inputs: Path, program: str) -> None:
    """Output and exit status are what they are untraced."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    command, status, memory = PROGRAMS[program]
    (plain, traced), notes = both(inputs, ["/bin/sh", "-c", command.format(inputs)], memory)
    assert plain == traced and plain[1] == status, (plain, traced)
    assert notes["complete"] and notes["exit_status"] == status and notes["efault_retries"] == 0
