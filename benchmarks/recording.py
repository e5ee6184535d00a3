"""How exact a recording is, and what it costs.

    python benchmarks/recording.py exact    LRU faults of ptrace recordings against every access, by valgrind's lackey
    python benchmarks/recording.py cost [WAY]    slowdown, rows, pages, images and files of some programs

Both need the programs they run: valgrind; sort, sqlite3, gcc, python3, node, tar. Minutes each.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from zsim.record import Job, Limit, record
from zsim.record.launch import cpu_ns_untraced, environment, find_program
from zsim.record.memory import Memory
from zsim.traces import open_trace
from zsim.traces.info import ordered
from zsim.traces.reuse import Reuse, reuse

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


def job(command: str, limit: Limit, **more: Any) -> Job:
    import shlex

    environ = environment() | {"PATH": "/usr/bin:/bin"}
    words = shlex.split(command)
    return Job(find_program(words[0], environ), words, environ, limit, **more)


def make_inputs() -> None:
    import random

    chance = random.Random(1)
    Path("lines").write_text(
        "".join(f"{chance.getrandbits(48):012x} {'ab' * chance.randint(3, 40)}\n" for _ in range(30_000))
    )
    Path("queries").write_text(QUERIES)
    Path("script.py").write_text(SCRIPT)
    functions = [f"int f{n}(int x) {{ return x * {n} + f{n // 2}(x); }}\n" for n in range(2, 300)]
    Path("m.c").write_text("int f1(int x) { return x; }\n" + "".join(functions))


def reused(name: str) -> tuple[int, Reuse]:
    trace = open_trace(name)
    pages = ordered(trace) >> 1
    return trace.accesses, reuse(pages)


def exact() -> None:
    """LRU refaults + first touches at five memories, by all accesses and by recordings with several K.

    Pages are counted by address, as lackey has them: a recording tells a page of a file from the private copy of it.
    """
    command = PROGRAMS["python3"]
    lines = f"valgrind --tool=lackey --trace-mem=yes --log-fd=9 {command} 9>&1 >/dev/null 2>/dev/null"
    convert = f"{sys.executable} -m zsim trace convert --from lackey - all.trace.parquet > /dev/null"
    subprocess.run(f"{lines} | {convert}", shell=True, check=True, env=environment() | {"PATH": "/usr/bin:/bin"})
    rows, every = reused("all")
    memories = [256, 384, 512, 768, 1024]
    print(f"{command}: {every.cold} pages; faults, first touches included, with", *memories, "pages")
    print(f"| every access | {rows:,} |", " | ".join(f"{faults(every, memory):,}" for memory in memories), "|")
    reduce = ["trace", "reduce", "--method", "batches", "--pages", "512", "all.trace.parquet", "cut.trace.parquet"]
    subprocess.run([sys.executable, "-m", "zsim", *reduce], check=True)
    rows, cut = reused("cut")
    print(f"| in batches, K = 256 | {rows:,} |", *(f"{faults(cut, memory):,} |" for memory in memories), flush=True)
    Memory.identity = lambda self, area, page, write: (page, None)  # type: ignore[method-assign]
    for k in (512, 256):
        status, notes = record(job(command, Limit(2 * k * 4096), content="none", file_calls=False), f"k{k}")
        assert status == 0
        rows, found = reused(f"k{k}")
        cells = [f"{(faults(found, memory) / faults(every, memory) - 1) * 100:+.1f} %" for memory in memories]
        cells = [cell if memory >= 2 * k else f"({cell})" for cell, memory in zip(cells, memories, strict=True)]
        print(
            f"| K = {k}, {found.cold} pages, {notes['recording_s']} s | {rows:,} |", " | ".join(cells), "|", flush=True
        )


def faults(found: Reuse, memory_pages: int) -> int:
    return found.faults(memory_pages) + found.cold


def cost(via: str = "ptrace") -> None:
    """One line for each program: CPU time untraced, recording time, slowdown, and what comes of it."""
    said = "images seen | not touched again soon | different | on disk"
    print(f"| program | CPU | recorded in | slowdown | rows | pages | {said} |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, command in PROGRAMS.items():
        what = job(command, Limit(share=0.25))
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
        {"exact": exact, "cost": cost}[sys.argv[1]](*sys.argv[2:])
