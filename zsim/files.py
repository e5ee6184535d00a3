"""Files that are complete or absent: atomic writing, and the user's cache directory."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zsim.errors import UsageError

CACHE_LIMIT_BYTES = 4 << 30


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` to write to; it takes the place of `path` when the block ends without error."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def around(page: str, begin: str, end: str) -> tuple[str, str]:
    """What stands before and after a part of a page that two markers enclose; a `UsageError` where they are not."""
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise UsageError(f"no tables to replace; expected the lines {begin.strip()} and {end}")
    return before, after


def refuse_overwrite(path: Path, force: bool = False) -> None:
    """A `UsageError` where `path` exists and `force` does not say to replace it, or where nothing can be written."""
    if path.exists() and not force:
        raise UsageError(f"{path} exists; choose another name or give --force")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no directory {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path}: the directory {path.parent} is not writable")


def cache_path(name: str) -> Path | None:
    """Where the user's cache keeps `name` ($XDG_CACHE_HOME/zsim); None where no cache can be written or read."""
    home = os.environ.get("XDG_CACHE_HOME") or Path("~").expanduser() / ".cache"
    folder = Path(home) / "zsim"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder / name


def keep(name: str, write: Callable[[Path], object]) -> None:
    """Put a file in the cache; a cache that cannot be written costs time later and nothing else."""
    path = cache_path(name)
    if path is None:
        return
    with suppress(OSError), replacing(path) as part:
        write(part)
    prune(path.parent)


def prune(folder: Path, limit_bytes: int = CACHE_LIMIT_BYTES) -> None:
    """Remove the files used longest ago until the folder is within `limit_bytes`."""
    with suppress(OSError):
        files = sorted((entry.stat().st_atime, entry.stat().st_size, entry.path) for entry in os.scandir(folder))
        excess_bytes = sum(size for _, size, _ in files) - limit_bytes
        for _, size_bytes, path in files:
            if excess_bytes <= 0:
                break
            os.unlink(path)
            excess_bytes -= size_bytes
