"""What all tests share: a cache of their own, so that no test depends on the user's or leaves anything there."""

import os
import tempfile

import pytest
from hypothesis import settings


def pytest_configure(config: pytest.Config) -> None:
    """Point the cache at a directory of this test run; properties that do not say how often are tried 40 times."""
    settings.register_profile("zsim", max_examples=40)
    settings.load_profile("zsim")
    folder = tempfile.TemporaryDirectory(prefix="zsim-test-cache-")
    config.add_cleanup(folder.cleanup)
    os.environ["XDG_CACHE_HOME"] = folder.name
