"""Recorded kernel runs on disk: what a case is and where its files are (docs/recording-kernel-runs.md).

A folder of cases holds runs/NAME/run.json with outcome.u8.zst beside it (and free.u16.zst where free pages were read
after every access), and traces/TRACE.parquet. Files there that are not named here are not read.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from zsim.errors import TraceError, UsageError
from zsim.kernels import Kernel, parse_kernel
from zsim.registry import suggestion

SHIPPED = Path(__file__).parent / "cases"
SETS = ("zswap", "zswap-machine", "zswap-file")
HIT, MINOR, MAJOR_STORE, MAJOR_DEVICE = range(4)
LARGEST_BYTES = 1 << 30

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """One recorded run of a kernel.

    set      "zswap", "zswap-machine" or "zswap-file": the folder it lies in, else what its mode says
    config   the guest: kernel, memory, zswap's parameters (the names are those of run.json)
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
        state = self.config.get("lru_gen_state") or self.config.get("lru_gen") or "0"
        return str(state) in ("Y", "y") or str(state) not in ("N", "n") and int(str(state), 16) & 1 == 1

    @property
    def has_shrinker(self) -> bool:
        """zswap's shrinker was on."""
        return self.config.get("shrinker") == "Y"

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
        return np.frombuffer(_unpacked(path), np.uint16) if path.exists() else None


def find_cases(folder: Path = SHIPPED, names: Sequence[str] = (), sets: Sequence[str] = ()) -> list[Case]:
    """The cases in a folder of cases, or in a folder of such folders, whose name matches one of `names`, by set."""
    folders = [folder] if (folder / "runs").is_dir() else sorted(path.parent for path in folder.glob("*/runs"))
    if not folders:
        raise UsageError(f"{folder}: no cases here; expected runs/NAME/run.json and traces/TRACE.parquet")
    cases = [case for each in folders for case in _cases_in(each) if not sets or case.set in sets]
    unknown = [name for name in names if not any(fnmatchcase(case.name, name) for case in cases)]
    if unknown:
        near = suggestion(unknown[0], [case.name for case in cases]).partition(" (known")[0]
        raise UsageError(f"no case {unknown[0]!r} among {len(cases)} in {folder}{near}")
    chosen = [case for case in cases if not names or any(fnmatchcase(case.name, name) for name in names)]
    if not chosen:
        raise UsageError(f"{folder}: no cases{' of the set ' + ', '.join(sets) if sets else ''}")
    return sorted(chosen, key=lambda case: (SETS.index(case.set), case.name))


def _cases_in(folder: Path) -> Iterator[Case]:
    return (read_case(path.parent) for path in sorted(folder.glob("runs/*/run.json")))


def read_case(folder: Path) -> Case:
    """One case; a `TraceError` that names the file where it is not one."""
    path = folder / "run.json"
    try:
        run = json.loads(path.read_bytes())
        config, summary = run["config"], run["summary"]
        parse_kernel(config["kernel"])
        final = {name: int(value) for name, value in summary["final"].items() if value is not None}
        return Case(folder.name, folder, _set_of(folder, config), config, final, int(summary["accesses_after_fill"]))
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, AttributeError, UsageError) as error:
        raise TraceError(f"{path}: not a recorded run: {error}") from None
    except KeyError as error:
        raise TraceError(f"{path}: not a recorded run: no {error}") from None


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
