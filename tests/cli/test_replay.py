"""`zsim replay` as a user runs it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import zsim
from tests.cli.entry import process, run
from tests.results import write_csv
from zsim.run import replay

SHIPPED = Path(__file__).parents[2] / "traces"


def names(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a small trace in it."""
    write_csv(tmp_path / "small.csv")
    return tmp_path


ROOMY = ("--set", "memory.watermark_min_pages=2", "--set", "memory.watermark_low_pages=4",
         "--set", "memory.watermark_high_pages=6")  # fmt: skip


def test_table_on_stdout_messages_on_stderr(here: Path) -> None:
    """The default run prints its table, and says on stderr what it warns of and where the result is."""
    done = process(here, "replay", "small.csv", "--allocator", "zsmalloc", *ROOMY)
    assert done.returncode == 0
    assert "faults" in done.stdout and "result in" not in done.stdout
    (folder,) = (here / "results").iterdir()
    assert folder.name.startswith("small-zswap-zsmalloc-") and len(folder.name.split("-")[-1]) == 8
    assert f"result in results/{folder.name}\n" in done.stderr and "warning: 100.0% of the page" in done.stderr
    assert {path.name for path in folder.iterdir()} == {"result.json", "series.csv", "histograms.csv", "run.json"}
    assert json.loads((folder / "run.json").read_text())["origins"]["allocator"] == "--allocator"


def test_json_is_the_result_and_the_apis_twin(here: Path) -> None:
    """--json prints what result.json holds, and what the API gives for the same configuration."""
    done = run(here, "replay", "small.csv", "--json", "-q", "-o", "r", "--memory", "60%", *ROOMY)
    assert done.stderr == "" and done.stdout == (here / "r" / "result.json").read_text()
    twin = replay(here / "small.csv", zsim.load_config(
        memory="60%", memory__watermark_min_pages=2, memory__watermark_low_pages=4, memory__watermark_high_pages=6
    ))  # fmt: skip
    assert json.loads(done.stdout) == twin.to_json()


def test_twice_the_same(here: Path) -> None:
    """Run again, from stdin too, the bytes are the same but for the name of the trace."""
    for _ in range(2):
        run(here, "replay", "small.csv", "-q", *ROOMY)
        assert len(names(here / "results")) == 4
    again = run(here, "replay", "small.csv", "-q", "--json", "-o", "again", *ROOMY, "--engine", "reference", "--check")
    (folder,) = (here / "results").iterdir()
    assert again.stdout == (folder / "result.json").read_text()
    piped = process(here, "replay", "-", "-q", "--json", *ROOMY, data=(here / "small.csv").read_text())
    assert json.loads(piped.stdout)["metrics"] == json.loads(again.stdout)["metrics"]


def test_options_reach_the_configuration(here: Path) -> None:
    """File, --set and every named option, the named ones last."""
    (here / "my.toml").write_text('allocator = "z3fold"\nseed = 5\n[zswap]\nmax_pool_percent = 30\n')
    options = (
        "--config my.toml --set seed=6 --set cost.access_ns=50 --era 3.11 --compressor zstd --writeback none "
        "--reclaim fifo --memory 90% --swap hdd --seed 7"
    )
    done = run(here, "replay", "small.csv", "--json", "-q", *options.split(), *ROOMY)
    config = json.loads(done.stdout)["config"]
    assert (config["allocator"], config["seed"], config["zswap"]["max_pool_percent"]) == ("z3fold", 7, 30)
    assert (config["era"], config["compressor"], config["writeback"]) == ("3.11", "zstd", "none")
    assert (config["reclaim"]["policy"], config["swap"]["device"], config["memory"]["size"]) == ("fifo", "hdd", "90%")
    assert config["cost"]["access_ns"] == 50 and config["device"]["rpm"] == 7200


def test_out_of_memory_is_no_error(here: Path) -> None:
    """Exit status 0, a complete result, and a table that says so."""
    done = run(here, "replay", "small.csv", "--writeback", "none", "--set", "max_pool_percent=1", "-o", "r", *ROOMY)
    assert done.returncode == 0 and "OUT OF MEMORY after" in done.stdout
    assert json.loads((here / "r" / "result.json").read_text())["outcome"] == "oom"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nothere.csv"], 2, "nothere.csv: no such trace"),
        (["smal"], 2, "did you mean small"),
        (["small.csv", "--allocator", "zbdu"], 2, "unknown allocator 'zbdu'; did you mean 'zbud'?"),
        (["nothere.csv", "--allocator", "zbdu"], 2, "unknown allocator 'zbdu'"),
        (["small.csv", "--memory", "12Q"], 2, "memory.size: '12Q' is not a size"),
        (["small.csv", "--memory", "1K"], 2, "at least 8 pages"),
        (["small.csv", "--set", "zswap.max_pool_percent=101"], 2, "more than all of the RAM"),
        (["small.csv", "--set", "zswap.max_pol=3"], 2, "did you mean 'zswap.max_pool_percent'?"),
        (["small.csv", "--config", "no.toml"], 2, "no.toml: cannot read the configuration"),
        (["small.csv", "--engine", "fats"], 2, "did you mean 'fast'?"),
        (["small.csv", "-o", "small.csv/x"], 1, "small.csv/x: cannot write in small.csv"),
        (["small.csv", "-o", "small.csv"], 1, "small.csv is a file"),
        (["small.csv", "-o", "."], 1, ". is not empty and holds no result"),
    ],
)
def test_each_error_is_one_clear_line(here: Path, arguments: list[str], status: int, message: str) -> None:
    """The right exit status, no traceback, nothing written."""
    before = names(here)
    done = run(here, "replay", *arguments, *ROOMY)
    assert done.returncode == status and done.stdout == ""
    assert done.stderr.startswith("zsim: ") and message in done.stderr and done.stderr.count("\n") == 1
    assert names(here) == before and not (here / "results").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("page,opp\n1,R\n", "op"),
        ("page,op\n-1,R\n", "bad.csv:2"),
        ("page,op\n1,R\nx,R\n", "bad.csv:3"),
        ("page,op\n", "bad.csv"),
        ("", "bad.csv"),
        ("page,op,time_ns\n1,R,5\n2,R,4\n", "bad.csv:3"),
    ],
)
def test_bad_traces_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    """Wrong column, negative or non-numeric page, no rows, time going back."""
    (tmp_path / "bad.csv").write_text(text)
    done = run(tmp_path, "replay", "bad.csv")
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1
    assert names(tmp_path) == {"bad.csv"}


def test_an_error_in_a_process_of_its_own(here: Path) -> None:
    """The same line, the same status, from the installed entry point."""
    done = process(here, "replay", "small.csv", "--allocator", "zbdu")
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("zsim: unknown allocator 'zbdu'")


def test_another_result_is_not_overwritten(here: Path) -> None:
    """The error comes before the replay; the same configuration may be run again."""
    assert run(here, "replay", "small.csv", "-o", "r", *ROOMY).returncode == 0
    assert run(here, "replay", "small.csv", "-o", "r", *ROOMY).returncode == 0
    done = run(here, "replay", "small.csv", "-o", "r", "--seed", "2", *ROOMY)
    assert done.returncode == 1 and "r holds the result of another configuration" in done.stderr and not done.stdout


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_interrupted_nothing_is_left(tmp_path: Path, engine: str) -> None:
    """Ctrl-C in the middle of a replay: status 130, one line, no result and no rest of one."""
    write_csv(tmp_path / "long.csv", accesses=300_000, pages=2000)
    command = [sys.executable, "-m", "zsim", "replay", "long.csv", "--memory", "30%", "--engine", engine]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        time.sleep(1.5)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=20)
    assert started.returncode in (130, -signal.SIGINT) and out == "" and err.strip() == "zsim: interrupted"
    assert names(tmp_path) == {"long.csv"}


def test_a_closed_pipe_is_quiet(here: Path) -> None:
    """`zsim replay ... | head -1`: no traceback."""
    command = f"{sys.executable} -m zsim replay small.csv --json -q {' '.join(ROOMY)} | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=here, capture_output=True, text=True, check=False)
    assert done.stdout == "{\n" and "Traceback" not in done.stderr


def test_a_shipped_recording(tmp_path: Path) -> None:
    """The README's example."""
    done = process(tmp_path, "replay", SHIPPED / "sqlite.csv", "--allocator", "zbud")
    assert done.returncode == 0
    assert "sqlite: 231,204 accesses, 2,271 pages, 473 of them page cache" in done.stdout
