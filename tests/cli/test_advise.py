"""`zsim advise`: real replays in processes, and bad options."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.results import write_csv
from zsim.cli import zsim as command


def test_the_command(tmp_path: Path) -> None:
    """Processes replay a file; a JSON object comes out."""
    trace = write_csv(tmp_path / "t.csv", 250)
    ran = CliRunner().invoke(command, ["advise", str(trace), "--era", "6.19", "--swap", "optane", "--json", "-j", "1"])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.output)
    assert found["schema"] == 1 and found["best"] in {row["name"] for row in found["tried"]}
    assert set(found["smallest_bytes"]) == set(found["sizes"])


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--max-slowdown", "much"], "expected a share"), (["-o", "x.jpg"], ".svg"), (["--swap", "nvm"], "nvme")],
)
def test_bad_options(tmp_path: Path, options: list[str], message: str) -> None:
    """Each is said in a line before anything is replayed."""
    ran = CliRunner().invoke(command, ["advise", str(write_csv(tmp_path / "t.csv", 200)), *options])
    assert ran.exit_code != 0 and message in f"{ran.output}{ran.exception}"
