"""Recording: a program's page accesses and contents, as a trace that a replay takes.

One file per way of seeing accesses behind one table of them; what they see goes through the same journal and files.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zsim.record.journal import Journal, Limit
from zsim.registry import Registry

if TYPE_CHECKING:
    from zsim.record.progress import Progress

VIA = Registry(
    "way of recording",
    {
        "ptrace": "zsim.record.by_ptrace:WAY",
        "lackey": "zsim.record.lackey:WAY",
        "wp": "zsim.record.wp:WAY",
    },
    plural="ways of recording",
)
CONTENT = ("images", "sizes", "none")


@dataclass
class Job:
    """What to run and how it is seen.

    path, command, environ  the program's file, its arguments (its name first), its environment
    limit     of a batch; content: one of CONTENT
    file_calls  note what read, write and the like do to the page cache
    """

    path: str
    command: list[str]
    environ: dict[str, str]
    limit: Limit = field(default_factory=Limit)
    content: str = "images"
    file_calls: bool = True


@dataclass
class Ended:
    """How the program ended: `status` as a shell has it; `cpu_ns` its own CPU time as far as that is known.

    recorder  what the notes say of how it was made; more: other figures for them
    """

    status: int
    cpu_ns: float
    recorder: str
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Way:
    """How accesses are seen.

    check  a `UsageError` where a job cannot be recorded so, and what to use instead
    trace  runs the program and tells the journal what it touches; calls its third argument after each batch
    """

    check: Callable[[Job], None]
    trace: Callable[[Job, Journal, Callable[[], None]], Ended]


def check(job: Job, base: str, via: str = "ptrace", force: bool = False) -> None:
    """A `UsageError` where the recording cannot be made, before anything is run or written."""
    from zsim.record.output import refuse

    way: Way = VIA.load(via)
    way.check(job)
    refuse(base, force)


def record(
    job: Job,
    base: str,
    *,
    via: str = "ptrace",
    pages_in: int = 1,
    force: bool = False,
    cpu_ns: int | None = None,
    progress: "Progress | None" = None,
) -> tuple[int, dict[str, Any]]:
    """Run a program and record it as the recording `base`; its exit status and the recording's notes.

    via       one of VIA
    pages_in  keep the images of one page in so many
    cpu_ns    CPU time of an untraced run, to which times are scaled; None: as estimated
    A `UsageError` for what cannot be recorded, before anything is run. Until the end the rows are in NAME.csv, and what
    is there is a valid shorter recording at any moment.
    """
    import time

    from zsim.record.output import Output

    check(job, base, via, force)
    way: Way = VIA.load(via)
    output = Output(base, job.content, pages_in, {"command": " ".join(job.command), "via": via})
    journal = output.journal = Journal(output, job.limit)

    def after_batch() -> None:
        output.flush()
        if progress is not None:
            progress.show(journal)

    begun = time.monotonic()
    ended = way.trace(job, journal, after_batch)
    journal.close()
    wall_s = time.monotonic() - begun
    measured_ns = ended.cpu_ns if cpu_ns is None else cpu_ns
    notes = output.close(
        measured_ns / ended.cpu_ns if ended.cpu_ns > 0 else 1.0,
        recorder=ended.recorder,
        native_cpu_ms=round(measured_ns / 1e6, 3),
        native_cpu="estimated" if cpu_ns is None else "measured",
        recording_s=round(wall_s, 2),
        slowdown=round(wall_s / (measured_ns / 1e9), 1) if measured_ns > 0 else None,
        exit_status=ended.status,
        **ended.more,
    )
    return ended.status, notes


__all__ = ["CONTENT", "VIA", "Ended", "Job", "Limit", "Way", "check", "record"]
