"""How fast traces of others are read, and how large they and their copies are.

    python benchmarks/imports.py [--accesses 1000000]

A zipf trace (50,000 pages, 30 % writes) is written in each format, as its own tool would, and read back with nothing
built from it. Rows are those of the trace that comes out; speed is by CPU time, the median of three.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from zsim.traces import open_table
from zsim.traces.generate import Pattern, generate
from zsim.traces.write import write_table

Access = tuple[int, int, int]
"""(number, page, write)"""
PAGES = 50_000
LINES: dict[str, Callable[[Access], str]] = {
    "lackey": lambda a: f"I  {0x401000 + a[0] % 900:08x},3\n {'LS'[a[2]]} {a[1] << 12 | 0x128:08x},8\n",
    "perf": lambda a: f"  python 4242/4242 {a[0] // 10**6}.{a[0] % 10**6:06}: cpu/mem-{_op(a)}s/P: {a[1] << 12:16x}\n",
    "libcachesim-csv": lambda a: f"{a[0] // 1000},{a[1]},4096\n",
    "drmemtrace": lambda a: (
        f"{a[0]:12}{a[0]:12}: {4242:11} {_verb(a):8}{8:5} byte(s) @ 0x{a[1] << 12:016x} by PC 0x401000\n"
    ),
    "msr": lambda a: f"{128166372003061629 + a[0] * 9},src1,0,{_verb(a).title()},{a[1] << 12},4096,4112\n",
    "fiu": lambda a: f"{a[0] * 900} 4892 syslogd {a[1] << 3} 8 {'RW'[a[2]]} 6 0 {a[1] * 2654435761 % 2**128:032x}\n",
}


def _op(access: Access) -> str:
    return ("load", "store")[access[2]]


def _verb(access: Access) -> str:
    return ("read", "write")[access[2]]


def kaplan(path: Path, faults: int) -> None:
    """Faults of a memory of 1,000 pages that is gone through in a circle."""
    with path.open("wb") as file:
        for number in range(faults):
            image = number.to_bytes(8, "little") * 512
            file.write(b"C%04x" % (number % 4000) + image)
            file.write(b"N" if number < 1000 else b"R%04x" % ((number - 1000) % 4000) + image)


def damo(path: Path) -> None:
    """Ten snapshots of regions of 10,000 pages, used as often as eight times."""
    lines = []
    for number in range(10):
        lines.append(f"monitoring_start: {number} s\nmonitoring_end: {number + 1} s\ntarget_id: 42")
        lines += [f"{i * 40_960_000:x}-{(i + 1) * 40_960_000:x} ( 39.062 MiB):  {i + 1}" for i in range(8)]
    path.write_text("\n".join(lines) + "\n")


def measure(name: str, path: Path, folder: Path) -> None:
    """One row of the table."""
    seconds = []
    for _ in range(3):
        began = time.process_time()
        rows = sum(map(len, open_table(str(path), format=name).chunks))
        seconds.append(time.process_time() - began)
    sizes = []
    for suffix in (".csv", ".trace.parquet"):
        write_table(open_table(str(path), format=name), folder / f"copy{suffix}")
        sizes.append((folder / f"copy{suffix}").stat().st_size)
    size, speed = path.stat().st_size, rows / median(seconds) / 1e6
    print(
        f"{name:<16}{rows:10,}{size / 1e6:9.1f}{size / median(seconds) / 1e6:9.0f}{speed:10.2f}"
        f"{sizes[0] / 1e6:9.1f}{sizes[1] / 1e6:9.2f}"
    )


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accesses", type=int, default=1_000_000)
    accesses = parser.parse_args().accesses
    trace = generate(Pattern("zipf", pages=PAGES, accesses=accesses))
    columns = trace.numbers[trace.tasks[0].accesses >> 1].tolist(), (trace.tasks[0].accesses & 1).tolist()
    print(f"{'format':<16}{'rows':>10}{'MB':>9}{'MB/s':>9}{'M rows/s':>10}{'csv MB':>9}{'columns':>9}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for format, line in LINES.items():
            with (folder / format).open("w") as file:
                file.writelines(map(line, zip(range(accesses), *columns, strict=True)))
            measure(format, folder / format, folder)
        write_table(open_table(str(folder / "msr"), format="msr"), folder / "oracleGeneral.oracleGeneral.bin")
        measure("oracleGeneral", folder / "oracleGeneral.oracleGeneral.bin", folder)
        kaplan(folder / "kaplan", 20_000)
        measure("kaplan", folder / "kaplan", folder)
        damo(folder / "damo")
        measure("damo", folder / "damo", folder)


if __name__ == "__main__":
    main()
