"""zsim.files: complete files or none, and a cache that stays within its limit."""

import os
from pathlib import Path

import pytest

from zsim.errors import UsageError
from zsim.files import cache_path, keep, prune, refuse_overwrite, replacing


def test_replacing_is_all_or_nothing(tmp_path: Path) -> None:
    """The file has its new contents after the block, and its old ones after a block that failed."""
    path = tmp_path / "a"
    with replacing(path) as part:
        part.write_text("new")
        assert not path.exists()
    with pytest.raises(KeyboardInterrupt), replacing(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_refusals(tmp_path: Path) -> None:
    """An existing file needs force; a missing directory cannot be written to."""
    path = tmp_path / "a"
    refuse_overwrite(path)
    path.write_text("")
    refuse_overwrite(path, force=True)
    with pytest.raises(UsageError, match="exists; choose another name or give --force"):
        refuse_overwrite(path)
    with pytest.raises(UsageError, match="there is no directory"):
        refuse_overwrite(tmp_path / "none" / "a")


def test_cache_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is in XDG_CACHE_HOME, else in ~/.cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_path("a") == tmp_path / "x" / "zsim" / "a"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_path("a") == tmp_path / ".cache" / "zsim" / "a"


def test_keep_never_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be kept is not, and leaves nothing behind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def full(part: Path) -> None:
        part.write_text("half")
        raise OSError(28, "No space left on device")

    keep("a", full)
    assert list((tmp_path / "zsim").iterdir()) == []
    keep("a", lambda part: part.write_text("whole"))
    assert (tmp_path / "zsim" / "a").read_text() == "whole"
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    keep("a", lambda part: part.write_text("whole"))


def test_oldest_files_go_first(tmp_path: Path) -> None:
    """A cache above its limit loses what was used longest ago."""
    for age, name in enumerate(("new", "middle", "old")):
        (tmp_path / name).write_text("x" * 10)
        os.utime(tmp_path / name, (1000 - age, 1000))
    prune(tmp_path, limit_bytes=25)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "middle"}
