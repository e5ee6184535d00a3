"""A result's directory: complete or absent, and never another configuration's."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from zsim.errors import ResultError
from zsim.files import replacing

RESULT = "result.json"
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
    part = directory.parent / f".{directory.name}.{uuid4().hex[:8]}.part"
    try:
        part.mkdir()
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if not directory.exists():
            for above in made:
                above.rmdir()


def _move(part: Path, directory: Path) -> None:
    """To a new directory in one step; into one that exists file by file, the result last."""
    if not directory.exists():
        part.rename(directory)
        return
    for file in sorted(part.iterdir(), key=lambda file: file.name == RESULT):
        file.replace(directory / file.name)


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


def find_results(path: Path) -> list[Path]:
    """The result directories at or below `path`, sorted; a `ResultError` where there are none."""
    if path.is_file() or (path / RESULT).exists():
        return [path if path.is_dir() else path.parent]
    found = sorted(file.parent for file in path.rglob(RESULT) if not file.parent.name.endswith(".part"))
    if not found:
        raise ResultError(f"{path}: no result here" if path.exists() else f"{path}: no such file or directory")
    return found
