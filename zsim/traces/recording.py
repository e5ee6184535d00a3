"""A recording NAME is a family of files side by side; any of them, or the bare NAME, names it.

NAME.csv[.gz|.zst] and/or NAME.trace.parquet: the accesses.  NAME.images.parquet, NAME.pages.zst: the page images.
NAME.json: what the recorder says (k, min_memory_pages, ...).
"""

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zsim.errors import TraceError

BATCHES_IN_MEMORY = 4
"""A trace of first touches in batches of K pages is valid from so many times K pages of memory on."""
TABLES = (".trace.parquet", ".csv", ".csv.zst", ".csv.gz")
SIDECARS = (".images.parquet", ".pages.zst", ".json")


@dataclass
class Recording:
    """The files of one recording; None for those it does not have. `table` is "-" for stdin."""

    name: str
    table: str
    images: Path | None = None
    pages: Path | None = None
    notes: Path | None = None

    def header(self) -> dict[str, Any]:
        """What NAME.json says; `k` and `min_memory_pages` also where only its text has them."""
        if self.notes is None:
            return {}
        try:
            said = json.loads(self.notes.read_bytes())
        except (OSError, ValueError) as error:
            raise TraceError(f"{self.notes}: not a readable JSON file ({error})") from None
        if not isinstance(said, dict):
            raise TraceError(f"{self.notes}: expected a JSON object")
        if "k" not in said and (k := re.search(r"\bK=(\d+)", str(said.get("recorder", "")))):
            said["k"] = int(k[1])
        if "k" in said:
            said.setdefault("min_memory_pages", BATCHES_IN_MEMORY * said["k"])
        return said


def prefix(path: str) -> str:
    """The path without the suffix that makes it a file of a recording."""
    for suffix in (*TABLES, *SIDECARS):
        if path.endswith(suffix):
            return path.removesuffix(suffix)
    return path


def find(path: str) -> Recording:
    """The recording that `path` names; a `TraceError` saying what was tried where there is none."""
    if path == "-":
        return Recording("stdin", "-")
    base = prefix(path)
    for root in (base, *([f"traces/{base}"] if "/" not in base else [])):
        if table := _table(path if root == base else "", root):
            return Recording(Path(root).name, table, *(_existing(root + suffix) for suffix in SIDECARS))
    if Path(path).is_dir():
        raise TraceError(f"{path} is a directory; expected a trace{_near(path + '/x')}")
    raise TraceError(f"{path}: no such trace (tried {base} with {', '.join(TABLES)}){_near(base)}")


def _table(path: str, base: str) -> str | None:
    """The file with the accesses: the one named, else the first of the family that is there."""
    if path and not path.endswith(SIDECARS) and Path(path).exists() and not Path(path).is_dir():
        return path
    return next((base + suffix for suffix in TABLES if Path(base + suffix).is_file()), None)


def _existing(path: str) -> Path | None:
    return Path(path) if Path(path).is_file() else None


def _near(base: str) -> str:
    """The recording nearby whose name is closest."""
    folders = [Path(base).parent, Path("traces")] if "/" not in base else [Path(base).parent]
    names: dict[str, str] = {}
    for folder in folders:
        if folder.is_dir():
            files = [file for file in folder.iterdir() if file.name.endswith(TABLES)]
            names |= {prefix(file.name): prefix(str(file)) for file in files}
    near = difflib.get_close_matches(Path(base).name, names, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {names[near[0]]}?"
    return f"; recordings there: {', '.join(sorted(names.values())[:6])}" if names else ""
