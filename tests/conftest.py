"""What all tests share: a cache of their own, so that no test depends on the user's or leaves anything there."""

import os
import tempfile

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Point the cache at a directory of this test run."""
    folder = tempfile.TemporaryDirectory(prefix="zsim-test-cache-")
    config.add_cleanup(folder.cleanup)
    os.environ["XDG_CACHE_HOME"] = folder.name
