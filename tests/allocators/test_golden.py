"""Every golden row: the models against the kernel's own code compiled in user space, page count by page count."""

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.allocators.driver import replay, run, run_reclaim
from zsim.allocators import make_allocator

DATA = Path(__file__).parents[1] / "data"

MODELS: dict[str, list[tuple[str, int]]] = {
    "zbud": [("zbud@3.11", 0), ("zbud@6.12", 0)],
    "zbud_v311": [("zbud@3.11", 0), ("zbud@6.1", 0)],
    "zbud_v311_v61": [("zbud@3.11", 0), ("zbud@6.1", 0)],
    "zbud_zcache1": [("zcache1-zbud", 0)],
    "zbud_zcache2": [("zcache2-zbud", 0)],
    "z3fold_v410": [("z3fold@4.8", 0), ("z3fold@4.10", 0)],
    "z3fold_v614_sync": [("z3fold@4.14", 0), ("z3fold@6.1", 0), ("z3fold@6.14", 0)],
    "zsmalloc_v310_staging": [("zsmalloc@2013", 0)],
    "zsmalloc_v41": [("zsmalloc@4.1", 0)],
    "zsmalloc_v410_v61": [("zsmalloc@4.10", 0), ("zsmalloc@6.1", 0)],
    "zsmalloc_v63_chain8": [("zsmalloc@6.3", 0)],
    "zsmalloc_v63_reclaim": [("zsmalloc@6.3", 0)],
    "zsmalloc_v64_v612_chain8": [("zsmalloc@6.4", 0), ("zsmalloc@6.12", 0)],
    "zsmalloc_v64_v612_chain4": [("zsmalloc@6.12", 4)],
    "xvmalloc_v30": [("xvmalloc", 0)],
    "zblock_2025": [("zblock", 0)],
}
"""The name of a model in the tables -> the allocators it stands for, with their chain size."""


def rows(table: str) -> list[Any]:
    """Every row of a table, once for each allocator it holds for."""
    params = []
    for line, row in enumerate(csv.DictReader((DATA / f"{table}.csv").open()), start=2):
        model = row.pop("model")
        row.pop("kind", None)
        for spec, chain_size in MODELS[model]:
            params.append(pytest.param(spec, chain_size, row, id=f"{model}-{spec}-line{line}"))
    return params


def split(row: dict[str, str], *inputs: str) -> tuple[list[int], dict[str, str]]:
    """The driver's arguments and the columns it must reproduce."""
    return [int(row[name]) for name in inputs], {name: row[name] for name in row if name not in inputs}


@pytest.mark.parametrize(("spec", "chain_size", "row"), rows("golden_mini"))
def test_mini_trace(spec: str, chain_size: int, row: dict[str, str]) -> None:
    """A trace short enough to be followed by hand."""
    allocator = make_allocator(spec, chain_size=chain_size)
    assert replay(allocator, row["ops"]) == row["pages"]
    allocator.validate()


@pytest.mark.parametrize(("spec", "chain_size", "row"), rows("golden"))
def test_long_run(spec: str, chain_size: int, row: dict[str, str]) -> None:
    """20,000 or 60,000 operations; the hash covers the page count after each."""
    allocator = make_allocator(spec, chain_size=chain_size)
    arguments, expected = split(row, "dist", "N", "pf", "comp", "seed")
    assert {name: str(value) for name, value in run(allocator, *arguments).items()} == expected
    allocator.validate()


@pytest.mark.parametrize(("spec", "chain_size", "row"), rows("golden_reclaim"))
def test_reclaim(spec: str, chain_size: int, row: dict[str, str]) -> None:
    """Reclaim at a limit: pages freed, evictions per call, and what is left."""
    allocator = make_allocator(spec, chain_size=chain_size)
    arguments, expected = split(row, "dist", "N", "pf", "limit", "seed")
    assert {name: str(value) for name, value in run_reclaim(allocator, *arguments).items()} == expected
    allocator.validate()
