"""A result's directory: complete or absent, and never another configuration's."""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from zsim.errors import ResultError
from zsim.files import replacing

RESULT = "result.json"
FILES = ("series.csv", "histograms.csv", "run.json", RESULT)
FAILED = "failed.json"
"""What a run of a study that failed leaves in place of a result."""
SCHEMA = 1


def check_directory(directory: Path, digest: str) -> None:
    """A `ResultError` where the result `digest` may not or cannot be saved in `directory`; nothing is changed."""
    if (directory / RESULT).exists():
        held = read_object(directory).get("provenance", {}).get("digest")
        if held != digest:
            raise ResultError(f"{directory} holds the result of another configuration or trace; give another -o")
    elif directory.is_dir() and any(directory.iterdir()):
        raise ResultError(f"{directory} is not empty and holds no result; give a new or empty directory with -o")
    elif directory.exists() and not directory.is_dir():
        raise ResultError(f"{directory} is a file; give a directory with -o")
    parent = next(above for above in (directory.parent, *directory.parent.parents) if above.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise ResultError(f"{directory}: cannot write in {parent}")


def save_directory(directory: Path, files: dict[str, str], digest: str) -> None:
    """Write `files` (name -> text) as the result in `directory`; on any failure it is as it was before."""
    check_directory(directory, digest)
    put(directory, files)


def put(directory: Path, files: dict[str, str]) -> None:
    """Write `files` (name -> text) to a directory, all or nothing."""
    try:
        with _beside(directory) as part:
            for name, text in files.items():
                (part / name).write_text(text, encoding="utf-8", newline="\n")
            _move(part, directory)
    except OSError as error:
        raise ResultError(f"{directory}: cannot write the result: {error.strerror or error}") from None


@contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    """A temporary directory on the same filesystem, gone at the end; if all failed, so are parents made for it."""
    made = [above for above in directory.parents if not above.exists()]
    directory.parent.mkdir(parents=True, exist_ok=True)
    part, lock = _locked_part(directory)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.close(lock)
        if not directory.exists():
            for above in made:
                above.rmdir()


def _locked_part(directory: Path) -> tuple[Path, int]:
    """A new directory beside `directory`, and its lock, which is free as soon as this process has ended, however."""
    while True:
        part = directory.parent / f".{directory.name}.{uuid4().hex[:8]}.part"
        part.mkdir()
        with suppress(FileNotFoundError):  # `remove_stale` was quicker than the lock
            opened = os.open(part, os.O_RDONLY)
            try:
                locked = _lock(opened)
            except OSError:  # a filesystem without locks, where nothing is removed as stale
                locked = True
            if locked and part.exists():
                return part, opened
            os.close(opened)


def _lock(opened: int) -> bool:
    """Lock an open directory until it is closed; False where another process has locked it."""
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove_stale(folder: Path) -> None:
    """Remove what killed processes left half-written in `folder`; what is being written stays."""
    for part in folder.glob(".*.part"):
        if part.is_dir():
            _remove_unlocked(part)
        elif not _lives(part.name.split(".")[-2]):
            part.unlink(missing_ok=True)


def _remove_unlocked(part: Path) -> None:
    with suppress(OSError):
        opened = os.open(part, os.O_RDONLY)
        with suppress(OSError):
            if _lock(opened):
                shutil.rmtree(part, ignore_errors=True)
        os.close(opened)


def _lives(process: str) -> bool:
    """Whether the process that a temporary file is named after still runs here."""
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True
    except (ValueError, OSError):
        return False
    return True


def _move(part: Path, directory: Path) -> None:
    """To a new directory in one step; into one that exists file by file, the result last."""
    if not directory.exists():
        try:
            part.rename(directory)
            return
        except OSError as error:  # another process that does the same run was quicker
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
    for file in sorted(part.iterdir(), key=lambda file: file.name == RESULT):
        file.replace(directory / file.name)


def discard(directory: Path) -> None:
    """Remove a directory in one step, as seen by others."""
    with suppress(FileNotFoundError), _beside(directory) as part:
        directory.rename(part)


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """`replacing` a table's or a figure's file; a `ResultError` where that cannot be written."""
    try:
        with replacing(path) as part:
            yield part
    except OSError as error:
        raise ResultError(f"{path}: cannot be written: {error.strerror or error}") from None


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with writing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def read_object(path: Path) -> dict[str, Any]:
    """The object in result.json of a result's directory (or that file itself); a `ResultError` where there is none."""
    file = path / RESULT if path.is_dir() else path
    try:
        result = json.loads(file.read_bytes())
    except OSError as error:
        raise ResultError(f"{path}: no result here ({file.name}: {error.strerror})") from None
    except ValueError as error:
        raise ResultError(f"{file}: not a result, or damaged ({error})") from None
    if not isinstance(result, dict) or result.get("schema") != SCHEMA:
        raise ResultError(f"{file}: not a zsim result of schema {SCHEMA}")
    return result


def is_whole(directory: Path) -> bool:
    """Whether all files of a result are there, to their ends."""
    try:
        return all((directory / name).read_bytes()[-1:] == b"\n" for name in FILES)
    except OSError:
        return False


def read_failure(directory: Path) -> dict[str, Any] | None:
    """What is recorded of a run that failed, `error` at least; None where there is no record, or a result."""
    if (directory / RESULT).exists():
        return None
    try:
        failure = json.loads((directory / FAILED).read_bytes())
        return failure if isinstance(failure["error"], str) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_results(path: Path, failed: bool = False) -> list[Path]:
    """The result directories at or below `path`, sorted, those of `failed` runs too if wanted.

    A `ResultError` where there are none.
    """
    if path.is_file() or (path / RESULT).exists():
        return [path if path.is_dir() else path.parent]
    names = (RESULT, FAILED) if failed else (RESULT,)
    files = (file for name in names for file in path.rglob(name))
    found = sorted({file.parent for file in files if not file.parent.name.endswith(".part")})
    if not found:
        raise ResultError(f"{path}: no result here" if path.exists() else f"{path}: no such file or directory")
    return found
