"""A recorded case replayed, and its figures beside the kernel's."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zsim.contents import load_contents
from zsim.engine import Engine
from zsim.reclaim.two_list import TwoList
from zsim.units import PAGE_SIZE
from zsim.validation.cases import MAJOR_DEVICE, MAJOR_STORE, MINOR, Bytes, Case
from zsim.validation.guest import config_of, load_guest_trace, statistics_read_every

KIND = {"minor": MINOR, "major_store": MAJOR_STORE, "zero": MAJOR_STORE, "major_device": MAJOR_DEVICE}
"""Kind of fault -> recorded outcome; a page of the zero map counts as a major fault without a read."""

COUNTERS = {
    "zswpin": "vm.zswpin",
    "zswpout": "vm.zswpout",
    "pswpin": "vm.pswpin",
    "pswpout": "vm.pswpout",
    "stored_pages": "zswap.stored_pages",
    "written_back_pages": "zswap.written_back_pages",
    "resident_pages": "pm.present",
}
"""zsim's metric -> where a run's last checkpoint has it."""


@dataclass(frozen=True)
class Replayed:
    """One case on both sides; figures by name, `faults` and those after it in the order they are shown.

    faults are accesses after the fill whose outcome is a major fault; anon_faults and file_faults the two parts of
    them where the trace has pages of a file; free_pages the median after the fill where the guest's RAM is the limit.
    """

    case: Case
    kernel: dict[str, int]
    zsim: dict[str, int]
    same_outcome: float
    outcome: str


def replay_case(case: Case) -> Replayed:
    """Replay a case on the machine that its kernel ran on."""
    trace, access = load_guest_trace(case)
    config = config_of(case)
    recorded = case.outcomes()
    fill = len(recorded) - case.accesses_after_fill
    is_file = _touches_file(case, trace.is_file, trace.tasks[0].accesses, access)
    kernel = _faults(recorded[fill:], is_file[fill:]) | _kernel_figures(case, fill)
    engine = Engine(trace, config, load_contents(trace, config.compressor, kernel=case.config["kernel"]))
    watch = Watch(engine, access, statistics_read_every(case))
    engine.run()
    outcomes = np.zeros(len(recorded), np.uint8)
    np.maximum.at(outcomes, access, watch.outcomes)
    same = float((outcomes[fill:] == recorded[fill:]).mean())
    zsim = _faults(outcomes[fill:], is_file[fill:]) | _zsim_figures(engine, case)
    if case.is_machine:
        zsim["free_pages"] = watch.median_free(fill, access)
    return Replayed(case, kernel, {name: zsim[name] for name in kernel}, same, engine.outcome)


class Watch:
    """Per access of the only task its outcome, and the free pages after each fault.

    Like the recorder it reads the statistics of the two lists after every `read_every` accesses (0: never).
    """

    def __init__(self, engine: Engine, access: npt.NDArray[np.int64], read_every: int) -> None:
        policy = engine.machine.policy
        self.policy = policy if isinstance(policy, TwoList) else None
        self.access = access
        self.read_every = read_every
        self.readings = 0
        self.counters = engine.machine.counters
        self.room = engine.machine.room
        self.outcomes: Bytes = np.zeros(len(engine.trace.tasks[0].accesses), np.uint8)
        self.rows: list[int] = []
        self.free: list[int] = []
        engine.on_fault = self.note

    def note(self, task: int, row: int, kind: str) -> None:
        """One fault was resolved."""
        self.outcomes[row] = KIND[kind]
        self.rows.append(row)
        if self.read_every and self.policy and self.access[row] // self.read_every > self.readings:
            self.readings = self.access[row] // self.read_every
            self.policy.flush_statistics()
        self.free.append(self.room.free_pages())

    def median_free(self, fill: int, access: npt.NDArray[np.int64]) -> int:
        """The median over the accesses after the fill; between two faults the line between their values."""
        at = np.interp(np.arange(fill, access[-1] + 1), access[self.rows], self.free)
        return int(np.median(at))


def _touches_file(case: Case, is_file: Bytes, accesses: npt.NDArray[np.uint32], access: npt.NDArray[np.int64]) -> Bytes:
    """Per recorded access whether its page is a file's."""
    first = np.r_[True, access[1:] != access[:-1]]
    touched: Bytes = is_file[accesses[first] >> 1]
    return touched


def _faults(outcomes: Bytes, is_file: Bytes) -> dict[str, int]:
    major = outcomes >= MAJOR_STORE
    found = {"faults": int(major.sum())}
    if is_file.any():
        found |= {"anon_faults": int(major[is_file == 0].sum()), "file_faults": int(major[is_file == 1].sum())}
    return found


def _kernel_figures(case: Case, fill: int) -> dict[str, int]:
    final = case.final
    found = {name: final.get(source, 0) for name, source in COUNTERS.items()}
    found["pool_pages"] = final.get("zswap.pool_total_size", 0) // PAGE_SIZE
    found["rejects"] = sum(final[f"zswap.{name}"] for name in _rejects(case))
    free = case.free_pages()
    if case.is_machine and free is not None:
        found["free_pages"] = int(np.median(free[fill:]))
    return found


def _zsim_figures(engine: Engine, case: Case) -> dict[str, int]:
    known = engine.machine.counters.as_dict() | engine.machine.gauges()
    found = {name: known[name] for name in (*COUNTERS, "pool_pages")}
    found["rejects"] = sum(known.get(name, 0) for name in _rejects(case))
    return found


def _rejects(case: Case) -> list[str]:
    """What this kernel counts of refused stores."""
    return [name.removeprefix("zswap.") for name in case.final if name.startswith("zswap.reject_")]
