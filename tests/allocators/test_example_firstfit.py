"""An allocator from another package: found by its entry point, held to the same promises as the built-in ones."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.allocators import conformance
from zsim.allocators import ALLOCATORS, Allocator, Grow, make_allocator

FOLDER = Path(__file__).parents[2] / "examples/firstfit"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the package were installed: importable, with the entry points its pyproject.toml declares."""
    declared = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]["entry-points"]

    def entry_points(group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group) for name, value in declared.get(group, {}).items()]

    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr("zsim.registry.entry_points", entry_points)
    monkeypatch.delenv("ZSIM_DISABLE_PLUGINS", raising=False)
    yield


def make(grow: Grow | None = None) -> Allocator:
    """An empty pool."""
    return make_allocator("firstfit", grow=grow)


def test_is_listed_behind_the_built_in_ones() -> None:
    """One entry point, and it is an allocator like any other."""
    assert ALLOCATORS.names()[-1] == "firstfit"
    assert ALLOCATORS.load("firstfit").__doc__


def test_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ZSIM_DISABLE_PLUGINS=1`."""
    monkeypatch.setenv("ZSIM_DISABLE_PLUGINS", "1")
    assert "firstfit" not in ALLOCATORS.names()


def test_first_hole_first() -> None:
    """Not the best one."""
    pool = make()
    handles = [pool.alloc(size_bytes) for size_bytes in (1000, 3000, 500, 3500)]
    pool.free(handles[0])
    pool.free(handles[2])
    small = pool.alloc(500)
    assert {extent.handle: (extent.group, extent.offset) for extent in pool.extents()}[small] == (1, 0)


def test_keeps_every_promise() -> None:
    """The conformance checks."""
    conformance.check_sizes(make)
    conformance.check_dead_handles(make)
    conformance.check_any_order(make)
