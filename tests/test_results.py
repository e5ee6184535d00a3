"""Results on disk: complete or absent, equal for equal input, never another configuration's."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.results import busy_config, busy_result, busy_trace
from zsim.errors import ResultError
from zsim.metrics import METRICS
from zsim.resultfiles import check_directory, find_results
from zsim.results import Result, flat, load_results
from zsim.run import replay

FILES = {"result.json", "series.csv", "histograms.csv", "run.json"}


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of a folder but run.json, the part that may differ."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name != "run.json"}


def test_same_input_same_bytes(tmp_path: Path) -> None:
    """Two replays of one configuration leave the same bytes, but for host and time."""
    for name in ("a", "b"):
        replay(busy_trace(), busy_config()).save(tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert {file.name for file in (tmp_path / "a").iterdir()} == FILES


def test_both_engines_leave_the_same_bytes(tmp_path: Path) -> None:
    """Who replayed is not part of a result."""
    for engine in ("fast", "reference"):
        replay(busy_trace(), busy_config(), engine=engine, check=True).save(tmp_path / engine)
    assert contents(tmp_path / "fast") == contents(tmp_path / "reference")


def test_progress_changes_nothing(tmp_path: Path) -> None:
    """Looking at the clock leaves a replay as it is."""
    heard: list[tuple[int, int]] = []
    watched = replay(busy_trace(), busy_config(), progress=lambda done, total: heard.append((done, total)))
    assert watched.to_json() == busy_result().to_json()
    assert heard == sorted(heard) and len(heard) > 100 and heard[0] == (0, busy_trace().accesses)


def test_loads_as_it_was_saved(tmp_path: Path) -> None:
    """Everything comes back equal, from the directory or its result.json."""
    result = busy_result()
    result.run["origins"] = {"era": "default"}
    result.save(tmp_path / "deep" / "down")
    for path in (tmp_path / "deep" / "down", tmp_path / "deep" / "down" / "result.json"):
        loaded = Result.load(path)
        assert loaded == result
        assert loaded.origins == {"era": "default"}


def test_json_holds_what_is_promised() -> None:
    """Schema, every metric in order, every latency with its figures, and where it all comes from."""
    stored = busy_result().to_json()
    assert list(stored) == ["schema", "config", "trace", "outcome", "metrics", "latency_ns", "provenance"]
    assert list(stored["metrics"]) == list(METRICS)
    assert list(stored["latency_ns"]) == [
        "minor", "major_store", "major_device", "store", "writeback", "direct_reclaim", "free_page",
    ]  # fmt: skip
    assert set(stored["latency_ns"]["minor"]) == {"count", "mean", "p50", "p90", "p99", "p999", "max"}
    assert {"zsim_version", "model_version", "trace_digest", "config_digest", "digest", "seed"} == set(
        stored["provenance"]
    )
    json.dumps(stored, allow_nan=False)


def test_the_device_is_resolved_in_full() -> None:
    """The configuration of a result says what its swap device was, set or not."""
    device = busy_result(device__read_ns=7).config["device"]
    assert device["read_ns"] == 7 and device["write_ns"] == 20_000


def test_no_overwriting_of_another_configuration(tmp_path: Path) -> None:
    """The same run may be saved again, another one not."""
    busy_result().save(tmp_path / "r")
    (tmp_path / "r" / "time.svg").write_text("a figure stays")
    before = contents(tmp_path / "r")
    busy_result().save(tmp_path / "r")
    with pytest.raises(ResultError, match="another configuration"):
        busy_result(allocator="zsmalloc").save(tmp_path / "r")
    assert contents(tmp_path / "r") == before
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize("what", ["file", "folder", "damaged"])
def test_what_is_there_is_left_alone(tmp_path: Path, what: str) -> None:
    """A file, a folder of other things, a damaged result: refused with a reason, and as they were."""
    target = tmp_path / "there"
    if what == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / ("result.json" if what == "damaged" else "notes.txt")).write_text("mine")
    with pytest.raises(ResultError, match="is a file|holds no result|not a result, or damaged"):
        busy_result().save(target)
    assert [file.read_text() for file in tmp_path.rglob("*") if file.is_file()] == ["mine"]


def test_an_empty_directory_will_do(tmp_path: Path) -> None:
    """An existing empty directory is filled, and stays the same directory."""
    inode = tmp_path.stat().st_ino
    busy_result().save(tmp_path)
    assert tmp_path.stat().st_ino == inode and {file.name for file in tmp_path.iterdir()} == FILES


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """Where a file cannot be written to its end, there is no result, no rest of one, and a clear error."""
    result = busy_result()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(ResultError, match="cannot write the result: File too large"):
            result.save(tmp_path / "new" / "r")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_unwritable_places_are_known_beforehand(tmp_path: Path) -> None:
    """A parent that is no directory is refused before a replay is begun."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="cannot write in"):
        check_directory(tmp_path / "file" / "r", "digest")


def test_missing_and_damaged_results(tmp_path: Path) -> None:
    """Each has one clear error that names the place."""
    with pytest.raises(ResultError, match="nowhere: no result here"):
        Result.load(tmp_path / "nowhere")
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "result.json").write_text("[]")
    with pytest.raises(ResultError, match="not a zsim result of schema 1"):
        Result.load(tmp_path / "list")
    busy_result().save(tmp_path / "r")
    (tmp_path / "r" / "series.csv").unlink()
    with pytest.raises(ResultError, match="not complete"):
        Result.load(tmp_path / "r")


def test_histograms_give_the_figures(tmp_path: Path) -> None:
    """The buckets of histograms.csv hold as many values as result.json counts."""
    busy_result().save(tmp_path / "r")
    loaded = Result.load(tmp_path / "r")
    for kind, figures in loaded.latency_ns.items():
        assert sum(count for _, _, count in loaded.histograms[kind]) == figures["count"]


def test_load_results_is_a_frame(tmp_path: Path) -> None:
    """One row a run below a folder: metrics, latencies and configuration by name."""
    for percent in (10, 20):
        busy_result(zswap__max_pool_percent=percent).save(tmp_path / "study" / f"p{percent}")
    shutil.copytree(tmp_path / "study" / "p10", tmp_path / "study" / ".p10.0.part")
    frame = load_results(tmp_path / "study")
    assert list(frame["zswap.max_pool_percent"]) == [10, 20]
    assert set(METRICS) <= set(frame.columns) and {"trace", "outcome", "latency_ns.minor.p99"} <= set(frame.columns)
    assert len(frame.query("slowdown > 1")) == 2
    with pytest.raises(ResultError, match="no such file or directory"):
        load_results(tmp_path / "nowhere")


def test_find_results_takes_one_or_many(tmp_path: Path) -> None:
    """A result's directory, its file, or a folder above."""
    busy_result().save(tmp_path / "a" / "r")
    assert find_results(tmp_path) == find_results(tmp_path / "a" / "r") == [tmp_path / "a" / "r"]
    assert find_results(tmp_path / "a" / "r" / "result.json") == [tmp_path / "a" / "r"]


def test_flat() -> None:
    """Nested keys become dotted ones."""
    assert flat({"a": {"b": {"c": 1}}, "d": 2}) == {"a.b.c": 1, "d": 2}


def test_importing_zsim_is_light() -> None:
    """The API's names cost nothing until they are used."""
    code = "import sys, zsim; assert 'numpy' not in sys.modules; zsim.Result; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
