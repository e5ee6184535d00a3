"""How exact a recording is, and what it costs.

    python benchmarks/recording.py exact [PROGRAM ...]    LRU faults of ptrace recordings against every access
    python benchmarks/recording.py spread [SEED ...]    those of python3 in its own environment, by hash seed
    python benchmarks/recording.py cost [WAY [PROGRAM ...]]    slowdown, rows, pages, images and files of programs

Every access is what valgrind's lackey sees. All need the programs they run: valgrind; sort, sqlite3, gcc, python3,
node, tar. Minutes each.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet

from zsim.record import Job, Limit, record
from zsim.record.launch import cpu_ns_untraced, environment, find_program
from zsim.record.memory import Memory
from zsim.traces import open_trace
from zsim.traces.info import ordered
from zsim.traces.recording import BATCHES_IN_MEMORY
from zsim.traces.reuse import reuse

MIB = 1 << 20
SCRIPT = """import json
words = {}
for number in range(1500):
    words.setdefault(f"w{number * 7919 % 701}", []).append([number, "x" * (number % 40)])
print(len(json.dumps(sorted(words.items()))), sum(len(json.loads(json.dumps(value))) for value in words.values()))
"""
QUERIES = """create table t(a integer, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 8000)
insert into t select i * 7919 % 8009, hex(i * i) || 'x', i * 0.37 from n;
create index ta on t(a); create index tb on t(b);
select b, count(*), sum(c) from t group by substr(b, 1, 3) order by 3 desc limit 3;
update t set c = c * 2 where a % 3 = 0; delete from t where a % 5 = 0; select count(*), sum(c) from t;
"""
PROGRAMS = {
    "sort": "sort -S 4M lines -o sorted",
    "sqlite3": "sqlite3 :memory: -init queries .quit",
    "gcc": "gcc -O2 -c m.c -o m.o",
    "python3": "python3 -I -S script.py",
    "node": "node -e 'console.log([...Array(60000).keys()].map(String).sort().join().length)'",
    "tar": "sh -c 'tar -c lines script.py | gzip | sha1sum'",
}
CC1 = subprocess.run(["gcc", "-print-prog-name=cc1"], capture_output=True, text=True, check=False).stdout.strip()
EXACT = {
    "python3": "python3 -s -S script.py",
    "sort": "sort --parallel=1 -S 4M lines -o sorted",
    "sqlite3": "sqlite3 :memory: -init fewer .quit",
    "cc1": f"{CC1} -quiet -O1 short.c -o short.s",
}
"""Each one process that ends in some minutes under lackey."""
ENVIRON = environment() | {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0"}
MEMORIES = (256, 384, 512, 768, 1024)
KS = (64, 128, 256)


def job(command: str, limit: Limit, **more: Any) -> Job:
    import shlex

    words = shlex.split(command)
    return Job(find_program(words[0], ENVIRON), words, ENVIRON, limit, **more)


def make_inputs() -> None:
    import random

    chance = random.Random(1)
    Path("lines").write_text(
        "".join(f"{chance.getrandbits(48):012x} {'ab' * chance.randint(3, 40)}\n" for _ in range(30_000))
    )
    Path("queries").write_text(QUERIES)
    Path("fewer").write_text(QUERIES.replace("8000", "4000"))
    Path("script.py").write_text(SCRIPT)
    functions = [f"int f{n}(int x) {{ return x * {n} + f{n // 2}(x); }}\n" for n in range(2, 60)]
    Path("m.c").write_text("int f1(int x) { return x; }\n" + "".join(functions))
    Path("short.c").write_text("int f1(int x) { return x; }\n" + "".join(functions[:4]))


def exact(*names: str) -> None:
    """LRU faults, first touches included, at five memories: by every access of a program, and by batches of them.

    For each K two figures: all accesses that lackey sees cut into batches, and a ptrace recording of another run.
    Pages are counted by address, as lackey has them: a recording tells a page of a file from the private copy of it.
    """
    print("| program | K | rows cut, recorded |", *(f"{memory} |" for memory in MEMORIES))
    print("|---|---|---|" + "---|" * len(MEMORIES))
    for name in names or EXACT:
        command = EXACT[name]
        rows = every_access(name, command)
        zsim("trace", "reduce", "--pages", str(MEMORIES[0]), f"{name}.trace.parquet", f"{name}-least.trace.parquet")
        every = faults(f"{name}-least")
        print(f"| {name} | every access | {rows:,} |", *(f"{count:,} |" for count in every), flush=True)
        for k in KS:
            compare(name, command, k, every)


def every_access(name: str, command: str) -> int:
    """Write all accesses of a program as the trace `name`; how many there are."""
    lines = f"valgrind --tool=lackey --trace-mem=yes --log-fd=9 {command} 9>&1 >/dev/null 2>/dev/null"
    convert = f"{sys.executable} -m zsim trace convert --from lackey --json - {name}.trace.parquet"
    done = subprocess.run(f"{lines} | {convert}", shell=True, check=True, env=ENVIRON, stdout=subprocess.PIPE)
    rows: int = json.loads(done.stdout)["accesses"]
    return rows


def under_valgrind() -> dict[str, str]:
    """The environment of a program under valgrind, which adds variables: they move what the program has in memory."""
    command = ["valgrind", "--tool=lackey", "--log-file=/dev/null", "env"]
    done = subprocess.run(command, check=True, env=ENVIRON, stdout=subprocess.PIPE, text=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def compare(name: str, command: str, k: int, every: list[int]) -> None:
    """One row: by how many per cent cut and recorded batches of K pages are off; in brackets below their promise."""
    least = str(k * BATCHES_IN_MEMORY)
    cut, by_ptrace = f"{name}-cut{k}", f"{name}-k{k}"
    zsim("trace", "reduce", "--method", "batches", "--pages", least, f"{name}.trace.parquet", f"{cut}.trace.parquet")
    recorded_rows = recorded(by_ptrace, command, k, under_valgrind())
    rows = parquet.read_metadata(f"{cut}.trace.parquet").num_rows
    cells = []
    for memory, whole, *parts in zip(MEMORIES, every, faults(cut), faults(by_ptrace), strict=True):
        cell = ", ".join(f"{(part / whole - 1) * 100:+.1f}" for part in parts)
        cells.append(f"{cell} |" if memory >= k * BATCHES_IN_MEMORY else f"({cell}) |")
    print(f"| | {k} | {rows:,}, {recorded_rows:,} |", *cells, flush=True)


def recorded(name: str, command: str, k: int, environ: dict[str, str]) -> int:
    """Record a program by ptrace as the trace `name`, pages by address; how many rows it has."""
    Memory.identity = lambda self, area, page, write: (page, None)  # type: ignore[method-assign]
    what = job(command, Limit(k * BATCHES_IN_MEMORY * 4096), content="none", file_calls=False)
    status, notes = record(replace(what, environ=environ), name)
    assert status == 0
    rows: int = notes["rows"]
    return rows


def spread(*seeds: str) -> None:
    """How far a cliff moves by itself: recordings of python3 with K = 128 that differ in the seed of its hashes."""
    print("| hash seed | rows |", *(f"{memory} |" for memory in MEMORIES))
    print("|---|---|" + "---|" * len(MEMORIES))
    for seed in seeds or ("0", "1"):
        rows = recorded(f"seed{seed}", EXACT["python3"], 128, ENVIRON | {"PYTHONHASHSEED": seed})
        print(f"| {seed} | {rows:,} |", *(f"{count:,} |" for count in faults(f"seed{seed}")), flush=True)


def faults(name: str) -> list[int]:
    """Faults of an LRU memory of each of MEMORIES, first touches included."""
    found = reuse(ordered(open_trace(name)) >> np.uint32(1))
    assert found.rate == 1
    return [found.faults(memory) + found.cold for memory in MEMORIES]


def zsim(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "zsim", *words], check=True, stdout=subprocess.DEVNULL)


def cost(via: str = "ptrace", *names: str) -> None:
    """One line for each program: CPU time untraced, recording time, slowdown, and what comes of it."""
    said = "images seen | not touched again soon | different | on disk"
    print(f"| program | CPU | recorded in | slowdown | rows | pages | {said} |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in names or PROGRAMS:
        what = job(PROGRAMS[name], Limit(share=0.25))
        cpu_ns = min(cpu_ns_untraced(what) for _ in range(3))
        status, notes = record(what, name, via=via, cpu_ns=cpu_ns)
        assert status == 0, name
        sizes = [sum(Path(name + suffix).stat().st_size for suffix in each) for each in SUFFIXES]
        images = [notes[key] for key in ("images_captured", "images_not_touched_again_soon", "image_versions")]
        print(
            f"| {name} | {cpu_ns / 1e9:.2f} s | {notes['recording_s']:.0f} s | {notes['slowdown']:.0f}",
            f"| {notes['rows']:,} | {notes['distinct_pages']:,} |",
            " | ".join(f"{count * 4096 / MIB:.1f} MiB" for count in images),
            f"| {sizes[0] / 1e6:.2f} + {sizes[1] / 1e6:.2f} + {sizes[2] / 1e6:.2f} MB |",
            flush=True,
        )


SUFFIXES = [(".trace.parquet",), (".images.parquet",), (".pages.zst",)]


if __name__ == "__main__":
    import os

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_inputs()
        {"exact": exact, "spread": spread, "cost": cost}[sys.argv[1]](*sys.argv[2:])
