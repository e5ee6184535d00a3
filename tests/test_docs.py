"""The documentation runs: every zsim command and Python example of README and docs, as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.record.programs import NO_PTRACE

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.M | re.S)


def blocks(language: str) -> list[tuple[str, str]]:
    """(page, text) of every block of one language."""
    return [(page.name, text) for page in PAGES for lang, text in BLOCK.findall(page.read_text()) if lang == language]


def zsim_commands(page: str) -> list[str]:
    """The zsim command lines of a page, without the set-up before them."""
    lines = [line for name, text in blocks("sh") if name == page for line in text.splitlines()]
    return [line.split("&&")[-1].strip() for line in lines if ".venv/bin/zsim" in line]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has what a clone has for running commands in."""
    here = tmp_path_factory.mktemp("clone")
    for part in ("traces", "configs", "examples"):
        shutil.copytree(ROOT / part, here / part)
    return here


@pytest.mark.parametrize("page", [page.name for page in PAGES if ".venv/bin/zsim" in page.read_text()])
def test_commands_run(page: str, clone: Path) -> None:
    """Each command of the page succeeds, in order, in a fresh folder."""
    for command in zsim_commands(page):
        if NO_PTRACE and " record " in command:
            pytest.skip(NO_PTRACE)
        words = command.replace(".venv/bin/zsim", f"{sys.executable} -m zsim")
        done = subprocess.run(words, shell=True, cwd=clone, capture_output=True, text=True, env=os.environ)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert done.stdout, command


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_python_runs(page: str, text: str, clone: Path) -> None:
    """Each Python example runs as it stands."""
    done = subprocess.run([sys.executable, "-c", text], cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_readme_opens_with_the_two_commands() -> None:
    """The first block of the README sets up by itself and holds two commands: the replay and the tests."""
    first = blocks("sh")[0][1].splitlines()
    assert len(first) == 2
    assert all(line.startswith("python3 -m venv .venv && .venv/bin/pip install") for line in first)
    assert " replay " in first[0]
    assert "pytest" in first[1]


def test_pages_link_to_what_exists() -> None:
    """No link of a page leads nowhere."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
