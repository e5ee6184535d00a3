"""The house: one direction of import, public names documented, nothing too large to hold in the head."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "zsim"

LAYERS = [
    ["cli", "__main__"],
    ["__init__"],
    [
        "advise",
        "report",
        "table",
        "sweeptable",
        "happened",
        "tablepool",
        "tabletext",
        "catalog",
        "configtext",
        "validation",
    ],
    ["batch", "executors", "runner", "study", "studytoml", "studyaxes", "studyfiles"],
    ["run", "pack", "resultfiles", "measures", "results"],
    ["engine"],
    ["sampler", "faults", "kswapd"],
    ["vmscan"],
    ["dirty"],
    ["audit"],
    ["machine"],
    ["stores", "room", "readahead", "writes"],
    ["writeback", "reclaim"],
    ["contents", "imagesizes", "record"],
    ["allocators", "compressors", "devices", "processor"],
    [
        "traces",
        "hits",
        "swap",
        "inversions",
        "plug",
        "tables",
        "tlb",
        "tasks",
        "memory",
        "zones",
        "config",
        "configfile",
        "configzram",
        "configzswap",
        "kernelsettings",
    ],
    ["shrinker", "configkey", "eras", "histogram", "metrics", "kernels", "registry", "style"],
    ["files", "units", "errors"],
]
"""From the top down: a module imports from its own layer and from those below it."""

RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
MODULES = sorted(ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    """The module or package of `zsim` a file belongs to."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imported_rooms(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The rooms that a module imports from, anywhere in its text but for types only, with the line."""
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing_only:
            parts = node.module.split(".")
            if parts[0] == "zsim":
                yield (parts[1] if len(parts) > 1 else "__init__"), node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    """No module imports from a layer above its own."""
    here = room_of(path)
    for room, line in imported_rooms(ast.parse(path.read_text())):
        assert RANK[room] >= RANK[here], f"{path.name}:{line}: {here} imports {room}, which is above it"


def test_time_lives_in_the_engine() -> None:
    """Only the engine, kswapd, its sampler and the writeback processes know SimPy."""
    users = {room_of(path) for path in MODULES if "import simpy" in path.read_text()}
    assert users <= {"engine", "kswapd", "sampler", "writeback", "stores"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small(path: Path) -> None:
    """A file has at most 400 lines, a function at most 60."""
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{path.name}:{node.lineno} {node.name}"


def test_command_line_starts_light() -> None:
    """Help needs none of the heavy libraries."""
    heavy = ("numpy", "pandas", "matplotlib", "numba", "pyarrow")
    code = f"import sys, zsim.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
