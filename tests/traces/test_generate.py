"""zsim.traces.generate: made-up traces do what their names say."""

import dataclasses

import numpy as np
import pytest

from zsim.errors import UsageError
from zsim.traces.generate import KINDS, Pattern, generate


def pages_of(pattern: Pattern) -> np.ndarray:
    """The dense page number of each access."""
    return generate(pattern).tasks[0].accesses >> 1


@pytest.mark.parametrize("kind", list(KINDS))
def test_seed_decides(kind: str) -> None:
    """The same pattern is the same trace; another seed draws other writes at least."""
    pattern = Pattern(kind, pages=200, accesses=3000)
    trace = generate(pattern)
    assert trace.digest == generate(pattern).digest
    assert trace.digest != generate(dataclasses.replace(pattern, seed=2)).digest
    assert (trace.accesses, trace.header["generated"]) == (3000, kind)
    assert trace.pages <= 200
    writes = np.count_nonzero(trace.tasks[0].accesses & 1)
    assert 0.25 < writes / 3000 < 0.35


def test_runs_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop goes on where the last run of rows ended."""
    monkeypatch.setattr("zsim.traces.generate.ROWS", 64)
    assert (pages_of(Pattern("loop", pages=100, accesses=1000)) == np.arange(1000) % 100).all()


def test_zipf_is_skewed() -> None:
    """The most used pages get the share that the law gives them; alpha 0 is uniform."""
    counts = np.sort(np.bincount(pages_of(Pattern("zipf", pages=1000, accesses=200_000))))[::-1]
    expected = 1 / np.arange(1, 1001)
    assert counts[:10].sum() / 200_000 == pytest.approx(expected[:10].sum() / expected.sum(), rel=0.05)
    flat = np.bincount(pages_of(Pattern("zipf", pages=100, accesses=100_000, alpha=0)))
    assert flat.max() < 1.2 * flat.min()


def test_phases_share_no_page() -> None:
    """Each phase has its own pages."""
    pages = pages_of(Pattern("phase", pages=90, accesses=9000, phases=3))
    sets = [set(part.tolist()) for part in np.split(pages, 3)]
    assert [len(part) for part in sets] == [30, 30, 30]
    assert not sets[0] & sets[1] and not sets[1] & sets[2]


def test_hot_pages_are_hot() -> None:
    """A tenth of the pages gets nine tenths of the accesses."""
    trace = generate(Pattern("hotcold", pages=1000, accesses=50_000))
    hot = trace.numbers < trace.numbers.min() + 100
    assert hot[trace.tasks[0].accesses >> 1].mean() == pytest.approx(0.9, abs=0.01)
    assert generate(Pattern("hotcold", pages=1, accesses=10)).pages == 1
    assert generate(Pattern("hotcold", pages=10, accesses=500, hot_pages=1)).pages == 10


def test_times() -> None:
    """An interval gives every access its time."""
    times = generate(Pattern("loop", pages=3, accesses=4, interval_ns=70)).tasks[0].times_ns
    assert times is not None and times.tolist() == [0, 70, 140, 210]


@pytest.mark.parametrize(
    "wrong", [{"kind": "zip"}, {"pages": 0}, {"write_share": 1.5}, {"alpha": -1.0}, {"kind": "phase", "phases": 300}]
)
def test_impossible_patterns(wrong: dict[str, object]) -> None:
    """What cannot be generated is a usage error."""
    with pytest.raises(UsageError):
        generate(Pattern(**{"kind": "zipf", "pages": 100, "accesses": 10, **wrong}))  # type: ignore[arg-type]
