"""The study that the tests of reports share."""

from pathlib import Path

import pytest

from tests.report.handmade import write_study
from zsim.report import Runs, gather


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study made by hand; for reading only."""
    return write_study(tmp_path_factory.mktemp("studies") / "density")


@pytest.fixture(scope="session")
def runs(study: Path) -> Runs:
    """Its runs."""
    return gather(study)[0]
