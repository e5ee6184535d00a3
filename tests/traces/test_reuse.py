"""zsim.traces.reuse: LRU stack distances, and the faults that follow from them."""

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsim.traces import reuse
from zsim.traces.generate import Pattern, generate


def lru_refaults(pages: list[int], memory: int) -> int:
    """Refaults of an LRU list, page by page."""
    held: OrderedDict[int, None] = OrderedDict()
    seen: set[int] = set()
    refaults = 0
    for page in pages:
        if page in held:
            held.move_to_end(page)
            continue
        refaults += page in seen
        seen.add(page)
        held[page] = None
        if len(held) > memory:
            held.popitem(last=False)
    return refaults


@given(st.lists(st.integers(0, 12), min_size=1, max_size=120), st.integers(1, 13))
@settings(max_examples=80, deadline=None)
def test_stack_distances_give_lru_faults(pages: list[int], memory: int) -> None:
    """The refaults that follow from stack distances are those of an LRU list, for any memory."""
    found = reuse.reuse(np.array(pages, np.uint32))
    assert found.faults(memory) == lru_refaults(pages, memory)
    assert (found.cold, found.rate) == (len(set(pages)), 1.0)
    assert found.reuses == len(pages) - found.cold


@given(st.lists(st.integers(0, 12), min_size=1, max_size=120), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_chunks_do_not_matter(pages: list[int], rows: int) -> None:
    """Each begins with the LRU stack that the one before left."""
    sequence = np.array(pages, np.uint32)
    whole = reuse.reuse(sequence).counts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reuse, "CHUNK_ROWS", rows)
        assert reuse.reuse(sequence).counts.tolist() == whole.tolist()


@given(st.permutations(list(range(40))))
@settings(max_examples=50, deadline=None)
def test_larger_before(order: list[int]) -> None:
    """Larger elements before each one are counted right."""
    expected = [sum(other > value for other in order[:i]) for i, value in enumerate(order)]
    assert reuse.larger_before(np.array(order)).tolist() == expected


def test_percentiles() -> None:
    """Percentiles are distances that occur."""
    found = reuse.reuse(np.array([0, 0, 1, 0, 2, 1, 3, 3], np.uint32))
    assert found.counts.tolist() == [2, 1, 1, 0]
    assert [found.percentile_pages(percent) for percent in (0, 50, 100)] == [0, 0, 2]
    assert reuse.reuse(np.arange(3, dtype=np.uint32)).percentile_pages(50) is None


def test_sampling_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of the pages gives LRU faults and distances within some per cent of the exact ones."""
    pages = generate(Pattern("zipf", pages=20_000, accesses=400_000, alpha=0.6)).tasks[0].accesses >> 1
    exact = reuse.reuse(pages)
    monkeypatch.setattr(reuse, "SAMPLE_ROWS", 80_000)
    monkeypatch.setattr(reuse, "SAMPLE_PAGES", 1_000)
    sampled = reuse.reuse(pages)
    assert 0.15 < sampled.rate < 0.25
    for memory in (5000, 10_000, 15_000):
        assert sampled.faults(memory) == pytest.approx(exact.faults(memory), rel=0.06)
    assert sampled.percentile_pages(90) == pytest.approx(exact.percentile_pages(90), rel=0.06)


def test_few_pages_are_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the sequence: of a few hundred pages a sample would say nothing."""
    monkeypatch.setattr(reuse, "SAMPLE_ROWS", 1_000)
    pages = generate(Pattern("zipf", pages=300, accesses=20_000, alpha=0.6)).tasks[0].accesses >> 1
    assert reuse.reuse(pages).rate == 1.0
