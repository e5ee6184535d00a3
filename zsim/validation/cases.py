"""Recorded kernel runs on disk: what a case is and where its files are (docs/recording-kernel-runs.md).

A folder of cases holds runs/NAME/run.json with outcome.u8.zst beside it (and free.u16.zst where free pages were read
after every access), and traces/TRACE.parquet. Files there that are not named here are not read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from zsim.errors import TraceError, UsageError, ZsimError
from zsim.kernels import Kernel, parse_kernel
from zsim.registry import suggestion
from zsim.validation.runjson import guest

SHIPPED = Path(__file__).parent / "cases"
SETS = ("zswap", "zswap-machine", "zswap-file")
LRU_GEN_CORE, LRU_GEN_MM_WALK = 1, 2
COMPARED = ("zswap.", "vm.zswp", "vm.pswp", "pm.present")
"""What begins like this in a run's last checkpoint is compared."""
SHRINKER: Kernel = (6, 8)
"""From here on zswap has one."""
HIT, MINOR, MAJOR_STORE, MAJOR_DEVICE = range(4)
LARGEST_BYTES = 1 << 30

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """One recorded run of a kernel.

    set      "zswap", "zswap-machine" or "zswap-file": the folder it lies in, else what its mode says
    config   the guest: kernel, memory, zswap's parameters, as zsim.validation.runjson reads them
    final    counters at the end of the run, by the names of vmstat ("vm."), zswap's debugfs ("zswap."), ...
    fill     accesses before the part that is compared: every page once
    """

    name: str
    folder: Path
    set: str
    config: dict[str, Any]
    final: dict[str, int]
    accesses_after_fill: int

    @property
    def kernel(self) -> Kernel:
        """The version that ran."""
        return parse_kernel(self.config["kernel"])

    @property
    def is_machine(self) -> bool:
        """The guest's RAM was the limit, not a cgroup's."""
        return self.config.get("mode") == "machine"

    @property
    def is_mglru(self) -> bool:
        """The multi-generational LRU was on."""
        return self._lru_gen & LRU_GEN_CORE > 0

    @property
    def walks_page_tables(self) -> bool:
        """Its aging does so; else accessed bits are found by eviction alone."""
        return self._lru_gen & LRU_GEN_MM_WALK > 0

    @property
    def _lru_gen(self) -> int:
        return int(self.config.get("lru_gen_state", self.config.get("lru_gen", 0)))

    @property
    def has_shrinker(self) -> bool:
        """zswap's shrinker was on."""
        return bool(self.config.get("shrinker")) and self.kernel >= SHRINKER

    @property
    def trace_path(self) -> Path:
        """The accesses that were made."""
        return self.folder.parent.parent / "traces" / f"{self.config['trace']}.parquet"

    def outcomes(self) -> Bytes:
        """Per access HIT, MINOR, MAJOR_STORE (or any major fault without a read) or MAJOR_DEVICE."""
        found: Bytes = np.frombuffer(_unpacked(self.folder / "outcome.u8.zst"), np.uint8)
        if len(found) < self.accesses_after_fill or found.max(initial=0) > MAJOR_DEVICE:
            raise TraceError(f"{self.folder / 'outcome.u8.zst'}: not one outcome (0..3) an access")
        return found

    def free_pages(self) -> npt.NDArray[np.uint16] | None:
        """MemFree in pages after every access, where it was recorded."""
        path = self.folder / "free.u16.zst"
        if not path.exists():
            return None
        found, accesses = _unpacked(path), len(self.outcomes())
        if len(found) != 2 * accesses:
            raise TraceError(f"{path}: {len(found)} bytes; expected two for each of {accesses} accesses")
        return np.frombuffer(found, np.uint16)


@dataclass(frozen=True)
class Failure:
    """A case that cannot be read or replayed, and why."""

    name: str
    why: str


def find_cases(folder: Path = SHIPPED, names: Sequence[str] = (), sets: Sequence[str] = ()) -> list[Case]:
    """The cases that `read_cases` finds; a `TraceError` where one cannot be read."""
    cases, failures = read_cases(folder, names, sets)
    if failures:
        raise TraceError(failures[0].why)
    return cases


def read_cases(folder: Path, names: Sequence[str] = (), sets: Sequence[str] = ()) -> tuple[list[Case], list[Failure]]:
    """The cases in a folder of cases, or in a folder of such folders, whose name matches one of `names`, by set.

    And those of these names that cannot be read.
    """
    cases, failures = list[Case](), list[Failure]()
    for run in _runs(folder, names):
        try:
            cases.append(read_case(run))
        except ZsimError as error:
            if not sets or run.parent.parent.name not in {*SETS} - {*sets}:
                failures.append(Failure(run.name, str(error)))
    cases = [case for case in cases if not sets or case.set in sets]
    if not cases and not failures:
        raise UsageError(f"{folder}: no cases of the set {', '.join(sets)}")
    return sorted(cases, key=lambda case: (SETS.index(case.set), case.name)), failures


def _runs(folder: Path, names: Sequence[str]) -> list[Path]:
    folders = [folder] if (folder / "runs").is_dir() else sorted(path.parent for path in folder.glob("*/runs"))
    runs = [path.parent for each in folders for path in sorted(each.glob("runs/*/run.json"))]
    if not runs:
        raise UsageError(f"{folder}: no cases here; expected runs/NAME/run.json and traces/TRACE.parquet")
    for name in names:
        if not any(fnmatchcase(run.name, name) for run in runs):
            near = suggestion(name, [run.name for run in runs]).partition(" (known")[0]
            raise UsageError(f"no case {name!r} among {len(runs)} in {folder}{near}")
    return [run for run in runs if not names or any(fnmatchcase(run.name, name) for name in names)]


def read_case(folder: Path) -> Case:
    """One case; a `TraceError` that names the file where it is not one."""
    path = folder / "run.json"
    try:
        run = json.loads(path.read_bytes())
        config, summary = guest(run["config"]), run["summary"]
        after_fill = int(summary["accesses_after_fill"])
        if after_fill < 1:
            raise ValueError(f"accesses_after_fill is {after_fill}")
        final = _counters(summary["final"])
        return Case(folder.name, folder, _set_of(folder, config), config, final, after_fill)
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise TraceError(f"{path}: not a recorded run: {error}") from None
    except KeyError as error:
        raise TraceError(f"{path}: not a recorded run: no {error}") from None


def _counters(final: dict[str, Any]) -> dict[str, int]:
    """Those that are numbers, which what is compared has to be."""
    counters = {}
    for name, value in final.items():
        try:
            counters[name] = 0 if value is None else int(value)
        except (ValueError, TypeError, OverflowError):
            if name.startswith(COMPARED):
                raise ValueError(f"summary.final: {name}: {value!r} is not a number") from None
    return counters


def _set_of(folder: Path, config: dict[str, Any]) -> str:
    name = folder.parent.parent.name
    if name in SETS:
        return name
    return {"machine": "zswap-machine", "memcg+file": "zswap-file"}.get(config.get("mode", ""), "zswap")


def _unpacked(path: Path) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(path.read_bytes(), max_output_size=LARGEST_BYTES)
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None
    except zstandard.ZstdError as error:
        raise TraceError(f"{path}: damaged: {error}") from None
