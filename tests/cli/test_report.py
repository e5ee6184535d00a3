"""`zsim compare` and `zsim plot`, each beside its twin in the API."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import zsim
from tests.results import busy_result
from zsim.cli import zsim as command
from zsim.errors import ZsimError


def run(*arguments: object) -> Result:
    """A command, in this process; a `ZsimError` comes through as it is."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if isinstance(result.exception, ZsimError):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two results in a folder."""
    folder = tmp_path_factory.mktemp("study")
    busy_result().save(folder / "a")
    busy_result(allocator="zsmalloc").save(folder / "b")
    return folder


def test_compare_is_the_apis_table(study: Path) -> None:
    """Text, JSON, CSV and Markdown of the same comparison; a folder stands for what is in it."""
    loaded = [zsim.Result.load(study / name) for name in "ab"]
    comparison = zsim.report.compare(loaded)
    assert run("compare", study / "a", study / "b").output == run("compare", study).output == comparison.to_text()
    assert json.loads(run("compare", study, "--json").output) == comparison.to_json()
    assert run("compare", study, "--csv").output == comparison.to_csv()
    assert run("compare", study, "--markdown").output == comparison.to_markdown()
    assert run("compare", study, "--all").output == zsim.report.compare(loaded, everything=True).to_text()


def test_compare_draws(study: Path, tmp_path: Path) -> None:
    """-o adds the figure; the table still goes to stdout."""
    done = run("compare", study, "-o", tmp_path / "c.svg")
    assert done.stdout.startswith(" ") and str(tmp_path / "c.csv") in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"c.svg", "c.csv"}


def test_plot_goes_into_the_result(study: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One result: time.svg beside it; several: compare.svg here; -o and --kind as asked."""
    monkeypatch.chdir(tmp_path)
    assert run("plot", study / "a").output.splitlines() == [str(study / "a" / f"time.{end}") for end in ("svg", "csv")]
    assert run("plot", study).output == "compare.svg\ncompare.csv\n"
    run("plot", study, "--kind", "latency", "-o", "tail.png")
    assert {path.name for path in tmp_path.iterdir()} == {"compare.svg", "compare.csv", "tail.png", "tail.csv"}
    assert busy_result().to_json() == zsim.Result.load(study / "a").to_json()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "a"], "two results or more"),
        (["compare", "a", "nowhere"], "nowhere: no such file or directory"),
        (["plot", "nowhere"], "nowhere: no such file or directory"),
        (["plot", "a", "--kind", "tme"], "did you mean 'time'"),
        (["plot", "a", "-o", "t.gif"], "ends in .svg, .pdf, .png"),
        (["plot", "a", "-o", "no/t.svg"], "no/t.svg: cannot be written"),
    ],
)
def test_errors(study: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str) -> None:
    """One clear message each."""
    monkeypatch.chdir(study)
    with pytest.raises(ZsimError) as caught:
        run(*arguments)
    assert message in str(caught.value)
