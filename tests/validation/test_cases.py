"""Cases on disk: what is found, what is said of bad ones."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zstandard

from zsim.errors import TraceError, UsageError
from zsim.validation.cases import SETS, SHIPPED, find_cases, read_case


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one case to damage."""
    for part in ("runs/k61-none-mixed/run.json", "runs/k61-none-mixed/outcome.u8.zst", "traces/mixed.parquet"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SHIPPED / "zswap" / part, tmp_path / part)
    return tmp_path


def test_what_ships() -> None:
    """Three sets in order, every case with its trace and as many outcomes as accesses."""
    cases = find_cases()
    assert list(dict.fromkeys(case.set for case in cases)) == list(SETS)
    assert len(cases) > 130
    assert all(case.trace_path.exists() for case in cases)
    assert all(case.free_pages() is not None for case in cases if case.is_machine)
    sizes = sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file())
    assert sizes < 10 << 20


def test_names_and_sets() -> None:
    """Patterns and sets narrow the choice."""
    assert [case.name for case in find_cases(names=["k61-none-mixed"])] == ["k61-none-mixed"]
    assert {case.set for case in find_cases(sets=["zswap-file"])} == {"zswap-file"}
    assert all(case.name.startswith("m61-zbud") for case in find_cases(names=["m61-zbud-*"]))


def test_what_the_guest_was() -> None:
    """MGLRU by its state, the limit by the mode, the kernel as a version."""
    found = {case.name: case for case in find_cases()}
    assert found["k612-zsmalloc-lz4-mixed-mglru"].is_mglru
    assert not found["k612-zsmalloc-lz4-mixed-classic"].is_mglru
    assert not found["k61-zbud-lz4-mixed"].is_mglru
    assert found["m61-none-mixed"].is_machine
    assert found["m612-zsmalloc-lz4-mixed-shrinker-mglru"].has_shrinker
    assert found["m612-none-mixed-mglru"].kernel == (6, 12)


def test_a_folder_of_ones_own(folder: Path) -> None:
    """Outside the three sets the mode says which bars hold; the kernel's own layout of run.json is enough."""
    (case,) = find_cases(folder)
    assert case.set == "zswap"
    assert len(case.outcomes()) == 53248
    assert case.free_pages() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not a recorded run"),
        ("[]", "not a recorded run"),
        ('{"config": {}}', "no config.kernel"),
        ('{"config": {"kernel": "new"}, "summary": {"final": {}, "accesses_after_fill": 1}}', "not a kernel version"),
    ],
)
def test_a_bad_run_is_named(folder: Path, text: str, said: str) -> None:
    """The file and what is wrong with it, in one line."""
    path = folder / "runs/k61-none-mixed/run.json"
    path.write_text(text)
    with pytest.raises(TraceError, match=said) as raised:
        find_cases(folder)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_bad_outcomes(folder: Path) -> None:
    """Damaged, missing, or not outcomes at all."""
    path = folder / "runs/k61-none-mixed/outcome.u8.zst"
    case = read_case(path.parent)
    path.write_bytes(zstandard.compress(bytes(np.full(53248, 9, np.uint8))))
    with pytest.raises(TraceError, match="not one outcome"):
        case.outcomes()
    path.write_bytes(b"nothing")
    with pytest.raises(TraceError, match="damaged"):
        case.outcomes()
    path.unlink()
    with pytest.raises(TraceError, match="cannot be read"):
        case.outcomes()


def test_nothing_found(tmp_path: Path) -> None:
    """A folder without cases, a name that no case has."""
    with pytest.raises(UsageError, match="no cases here"):
        find_cases(tmp_path)
    with pytest.raises(UsageError, match="did you mean 'k61-none-mixed'"):
        find_cases(names=["k61-none-mixd"])


def test_run_json_is_small() -> None:
    """What validation does not read does not ship."""
    for path in SHIPPED.rglob("run.json"):
        assert set(json.loads(path.read_text())["summary"]) == {"accesses_after_fill", "final"}
