"""zsim against recorded file runs of which only totals are known: settings that no shipped case has.

    python benchmarks/file_totals.py            the table of docs/validation.md
    python benchmarks/file_totals.py --update docs/validation.md

Each run is a shipped case of the same trace with another swappiness, or with a file that is written to; anonymous and
file faults after the fill were recorded in the same guests, outcomes and counters are not at hand.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from zsim.files import around
from zsim.validation.cases import find_cases
from zsim.validation.replay import replay_case

BEGIN, END = "<!-- file totals: begin -->\n", "<!-- file totals: end -->"


class Run(NamedTuple):
    """A recorded run: the case it differs from, in what, and its major faults."""

    case: str
    guest: dict[str, Any]
    anon_faults: int
    file_faults: int


RUNS = (
    Run("f61-none-f_hot-sw60", {"swappiness": 100}, 813, 3698),
    Run("f61-zsmalloc-lz4-f_hot-sw60", {"swappiness": 100}, 1300, 3859),
    Run("f612-zsmalloc-lz4-f_hot-sw60-fresh-classic", {"swappiness": 100}, 1115, 3814),
    Run("f612-none-f_hot-sw60-mglru", {"swappiness": 100}, 3630, 1762),
    Run("f612-zsmalloc-lz4-f_hot-sw60-mglru", {"swappiness": 100}, 5561, 1921),
    Run("f61-zsmalloc-lz4-f_stream-sw60", {"swappiness": 180}, 4128, 8323),
    Run("f612-zsmalloc-lz4-f_stream-sw60-classic", {"swappiness": 180}, 2963, 7823),
    Run("f61-zsmalloc-lz4-f_stream-sw60", {"file_rw": 1}, 1470, 9591),
    Run("f612-zsmalloc-lz4-f_stream-sw60-fresh-classic", {"file_rw": 1}, 1339, 9509),
    Run("f612-zsmalloc-lz4-f_stream-sw60-mglru", {"file_rw": 1}, 5550, 8307),
)


def main() -> None:
    """Print the table or put it into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", type=Path, help="a page with the two markers of the table")
    page = parser.parse_args().update
    if page is None:
        print(table(), end="")
        return
    before, after = around(page.read_text(), BEGIN, END)
    page.write_text(before + BEGIN + table() + END + after)


def table() -> str:
    """Markdown: a row per run."""
    head = "| as | but | anonymous faults, kernel | zsim | error | file faults, kernel | zsim | error |\n"
    return head + "|---|---|--:|--:|--:|--:|--:|--:|\n" + "".join(rows(RUNS))


def rows(runs: tuple[Run, ...]) -> Iterator[str]:
    """What was recorded and what a replay gives."""
    for run in runs:
        (case,) = find_cases(names=[run.case])
        found = replay_case(replace(case, config=case.config | run.guest)).zsim
        change = ", ".join(f"{name} {value}" for name, value in run.guest.items())
        yield f"| {run.case} | {change} | {_pair(run.anon_faults, found['anon_faults'])} "
        yield f"| {_pair(run.file_faults, found['file_faults'])} |\n"


def _pair(kernel: int, zsim: int) -> str:
    return f"{kernel} | {zsim} | {zsim / kernel - 1:+.1%}"


if __name__ == "__main__":
    main()
