"""Replays of recorded cases: one of each set near enough to the kernel, whichever engine makes them."""

import numpy as np
import pytest

from zsim.contents import load_contents
from zsim.engine import Engine, ReferenceEngine
from zsim.validation.cases import SHIPPED, Failure, find_cases
from zsim.validation.compare import compare
from zsim.validation.figure import draw
from zsim.validation.guest import config_of, load_guest_trace
from zsim.validation.output import BEGIN, END, FIGURES, as_csv, as_json, markdown_row, text, updated
from zsim.validation.replay import Watch, replay_case

FAST = ("k61-none-mixed", "k612-zsmalloc-lz4-mixed-classic", "m61-none-zipf_r", "f61-none-f_hot-sw60")
PAGE = SHIPPED.parents[2] / "docs" / "validation.md"


@pytest.fixture(scope="module")
def comparisons():
    """The fast cases, replayed once."""
    known = find_cases()
    return [compare(replay_case(case), known) for case in find_cases(names=FAST)]


def test_near_the_kernel(comparisons) -> None:
    """2 % of the faults, 95 % of the outcomes: what no change of the model may lose."""
    for each in comparisons:
        assert abs(each.error) < 0.02, each.case.name
        assert each.replayed.same_outcome > 0.95, each.case.name


def test_the_task_reclaims_its_share() -> None:
    """15 % of what 6.1 reclaimed with lz4 the task did itself, beside a kswapd on its processor."""
    (case,) = find_cases(names=["m61-zsmalloc-lz4-mixed"])
    trace, _ = load_guest_trace(case)
    config = config_of(case)
    engine = Engine(trace, config, load_contents(trace, config.compressor, kernel=case.config["kernel"]))
    engine.run()
    counters, recorded = engine.machine.counters, case.final
    assert counters.pgsteal_direct == pytest.approx(recorded["vm.pgsteal_direct"], rel=0.1)
    assert counters.pgsteal_kswapd == pytest.approx(recorded["vm.pgsteal_kswapd"], rel=0.05)


def test_both_engines_see_the_same() -> None:
    """Outcomes and free pages fault by fault, in both engines."""
    (case,) = find_cases(names=["m61-none-zipf_r"])
    trace, access = load_guest_trace(case)
    trace.tasks[0].accesses = trace.tasks[0].accesses[:20_000]
    config = config_of(case)
    seen = []
    for make in (Engine, ReferenceEngine):
        engine = make(trace, config, load_contents(trace, "lz4"))
        watch = Watch(engine, access, 64)
        engine.run()
        seen.append((watch.outcomes, watch.rows, watch.free))
    assert np.array_equal(seen[0][0], seen[1][0])
    assert seen[0][1:] == seen[1][1:]
    assert len(seen[0][1]) > 12_288


def test_json(comparisons) -> None:
    """The documented object."""
    import json

    found = json.loads(as_json(comparisons, [Failure("one", "bad")]))
    assert (found["schema"], found["failed"]) == (1, [{"name": "one", "why": "bad"}])
    assert [case["name"] for case in found["cases"]] == [each.case.name for each in comparisons]
    for case in found["cases"]:
        assert {"name", "set", "same_outcome", "outcome", "error", "verdict", "repeat", "more"} < set(case)
        assert list(case["kernel"]) == list(case["zsim"]) == list(FIGURES)
        assert 0 <= case["same_outcome"] <= 1


def test_table(comparisons) -> None:
    """Two lines and a verdict a case, a line a set; narrow enough for a wide terminal."""
    lines = text(comparisons).splitlines()
    assert sum(" kernel " in line for line in lines) == sum(" zsim " in line for line in lines) == len(comparisons)
    assert any(line.startswith("zswap-machine: 1 cases judged") for line in lines)
    assert max(map(len, lines[:3])) < 180


def test_csv_and_figure(comparisons) -> None:
    """A row a case, a panel a column and set."""
    rows = as_csv(comparisons).splitlines()
    assert len(rows) == len(comparisons) + 1
    assert len({row.count(",") for row in rows}) == 1
    assert len(draw(comparisons).axes) == 6


def test_docs_are_current(comparisons) -> None:
    """docs/validation.md says of these cases what they give now; else: zsim validate --update docs/validation.md."""
    page = PAGE.read_text()
    for each in comparisons:
        assert markdown_row(each) in page, f"{each.case.name}: run zsim validate --update docs/validation.md"


def test_update_replaces_between_the_markers(comparisons) -> None:
    """What stands around the tables stays."""
    page = f"before\n{BEGIN}old\n{END}\nafter\n"
    new = updated(page, comparisons)
    assert new.startswith(f"before\n{BEGIN}") and new.endswith(f"{END}\nafter\n")
    assert "old" not in new
    assert updated(new, comparisons) == new
