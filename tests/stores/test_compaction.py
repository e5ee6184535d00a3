"""Compaction under memory pressure: when a pool's shrinker is asked, and by whom."""

import pytest

from tests.machines import config_of, make_trace, replayed
from zsim.allocators import make_allocator
from zsim.stores.compaction import Compaction


def half_empty(name: str = "zsmalloc") -> Compaction:
    """A pool of 1,000 objects of which every second is gone."""
    allocator = make_allocator(name, "6.1")
    for handle in [allocator.alloc(600) for _ in range(1000)][::2]:
        allocator.free(handle)
    return Compaction(allocator)


@pytest.mark.parametrize("priority", range(12, 2, -1))
def test_little_pressure_leaves_a_pool_alone(priority: int) -> None:
    """One pass at a high priority asks for less than a batch and less than there is."""
    compaction = half_empty()
    pages = compaction.allocator.pages
    compaction.shrink(priority)
    assert compaction.allocator.pages == pages


def test_pressure_compacts() -> None:
    """At priority 0 twice what is freeable is asked for, and the whole pool is compacted."""
    compaction = half_empty()
    pages, freeable = compaction.allocator.pages, compaction.allocator.compactable_pages()  # type: ignore[attr-defined]
    compaction.shrink(0)
    assert compaction.allocator.pages == pages - freeable < pages


def test_other_allocators_are_not_asked() -> None:
    """zbud has no shrinker."""
    compaction = half_empty("zbud")
    pages = compaction.allocator.pages
    compaction.shrink(0)
    assert compaction.allocator.pages == pages


@pytest.mark.parametrize(("mode", "compacts"), [("machine", True), ("memcg", False)])
def test_only_the_whole_machine_compacts(mode: str, compacts: bool) -> None:
    """Reclaim for a cgroup's limit calls no shrinker that knows nothing of cgroups."""
    config = config_of(pages=40, memory__mode=mode, allocator="zsmalloc", memory__min_free_kbytes=8)
    engine = replayed(make_trace([[(page % 90, 1) for page in range(2000)]]), config, check=True)
    assert bool(engine.machine.store.compaction) is compacts  # type: ignore[attr-defined]
