"""A sweep: the runs of studies that are not done yet, on whatever executor there is, each stored when it ends."""

import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zsim.errors import ResultError, ZsimError
from zsim.executors import Given, Pool, Processes, processors
from zsim.resultfiles import remove_stale
from zsim.runner import FAILED, Ended, Job, failed, run_job, store
from zsim.study import Plan, Run, load_plans
from zsim.studyfiles import DONE, RUNS, Point, Study, is_study, load_studies, run_directory, standing, write_studies
from zsim.studytoml import study_name

if TYPE_CHECKING:
    import pandas as pd

BESIDE = ("figures", "tables", "report.html")
"""What reports leave in a study's folder, and may be there before its runs: kept in version control."""

DIED = "the process that ran it died: killed, or out of memory"


class Batch:
    """The runs of studies that share a folder, and how each stands.

    runs   by digest, each once: the longest traces first, all runs of a trace together
    why    digest -> DONE, or why it will run: NEW, FAILED_BEFORE, DAMAGED
    ended  digest -> outcome of what has run by now; running: how many are
    shard  (k, n): only part k of n; which part a run is in follows from its digest, so n machines need not talk
    """

    def __init__(self, plans: Sequence[Plan], folder: Path, shard: tuple[int, int] = (1, 1)) -> None:
        self.plans = plans
        self.folder = folder
        every = {run.point.digest: run for plan in plans for run in plan.runs}
        mine = set(sorted(every)[shard[0] - 1 :: shard[1]])
        ordered = sorted(every.values(), key=lambda run: (-run.trace.accesses, run.trace.path))
        self.runs: dict[str, Run] = {run.point.digest: run for run in ordered if run.point.digest in mine}
        self.why = {digest: standing(run_directory(folder, digest), digest) for digest in self.runs}
        self.ended: dict[str, str] = {}
        self.running = 0
        check_folder(folder, [plan.study.name for plan in plans])

    @property
    def todo(self) -> list[Run]:
        """The runs that are not done."""
        return [run for digest, run in self.runs.items() if self.why[digest] != DONE]

    @property
    def failed(self) -> int:
        """Runs that ended without a result."""
        return sum(outcome == FAILED for outcome in self.ended.values())

    @property
    def done(self) -> int:
        """Runs that have a result by now."""
        return len(self.runs) - len(self.todo) + len(self.ended) - self.failed

    def to_json(self) -> dict[str, Any]:
        """What --json prints: every point of every study with its outcome, error, metrics and latencies."""
        return self._json(lambda study, point: study.measured(point), [plan.study.points for plan in self.plans])

    def why_json(self) -> dict[str, Any]:
        """What --dry-run --json prints: every point that is to be done, or done, and why."""
        mine = [[point for point in plan.study.points if point.digest in self.why] for plan in self.plans]
        return self._json(lambda study, point: {"why": self.why[point.digest]}, mine)

    def _json(self, said: Callable[[Study, Point], dict[str, Any]], points: list[list[Point]]) -> dict[str, Any]:
        studies = [
            {"name": study.name, "title": study.title, "points": [vars(point) | said(study, point) for point in own]}
            for study, own in zip((plan.study for plan in self.plans), points, strict=True)
        ]
        return {"schema": 1, "folder": str(self.folder), "studies": studies}

    def execute(self, pool: Pool) -> Generator[Ended]:
        """Run what is not done; how each run ended, as soon as it did and is stored.

        Close the iterator to stop early: what is done stays, what runs is lost, nothing is left half-written.
        """
        jobs = [_job(run, self.folder if pool.stores else None) for run in self.todo]
        (self.folder / RUNS).mkdir(parents=True, exist_ok=True)
        write_studies(self.folder, [plan.study for plan in self.plans])
        try:
            for ended in (flight := Flight(jobs, pool)):
                self.running = len(flight.flying)
                self.ended[ended.digest] = ended.outcome
                yield store(ended, self.folder)
        finally:
            pool.stop()
            remove_stale(self.folder)
            remove_stale(self.folder / RUNS)


def check_folder(folder: Path, names: Sequence[str]) -> None:
    """A `ResultError` where `folder` holds something else than results of these studies."""
    if is_study(folder):
        held = [study.name for study in load_studies(folder)]
        if not set(held) & set(names):
            raise ResultError(f"{folder} holds the results of {', '.join(held)}; give another -o")
    elif folder.exists() and not folder.is_dir():
        raise ResultError(f"{folder} is a file; give a directory with -o")
    elif folder.is_dir() and any(map(_is_foreign, folder.iterdir())):
        raise ResultError(f"{folder} is not empty and holds no study; give a new or empty directory with -o")


def _is_foreign(file: Path) -> bool:
    """Whether a file is none of those that `zsim` puts beside the runs of a study."""
    return file.name not in (RUNS, *BESIDE) and not file.name.endswith(".part")


def default_folder(study: str | Path) -> Path:
    """Where the results of a study (or a folder of studies) go if nobody says: results/<its name>."""
    return Path("results") / study_name(Path(study))


def sweep(
    study: str | Path,
    output: str | Path | None = None,
    jobs: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> "pd.DataFrame":
    """Run all of a study (a TOML file, or a folder of them) that is not done yet; its results as one table.

    output    folder of the results; None: results/<name>
    jobs      processes; None: as many as there are processors
    executor  any `concurrent.futures.Executor` to run on instead; it must find zsim and the traces by the same paths
    progress  called as runs end with (runs done, runs in all)
    A row per point of the study: its axes, `outcome` ("done", "oom", "failed"), `error`, every metric and latency;
    with several studies a column `study` before them. `frame.attrs["folder"]` says where everything is.
    A run that fails is a row, not an error; a `UsageError` for a study that cannot be run.
    """
    folder = Path(output) if output else default_folder(study)
    plans = load_plans(study, folder)
    for line in (line for plan in plans for line in plan.warnings):
        warnings.warn(line, stacklevel=2)
    batch = Batch(plans, folder)
    pool = Given(executor) if executor else Processes(min(jobs or processors(), max(len(batch.todo), 1)))
    done = len(batch.runs) - len(batch.todo)
    with closing(batch.execute(pool)) as running:
        for count, _ in enumerate(running, done + 1):
            if progress:
                progress(count, len(batch.runs))
    return frame_of(plans, folder)


def frame_of(plans: Sequence[Plan], folder: Path) -> "pd.DataFrame":
    """The rows of all studies."""
    import pandas as pd

    frames = {plan.study.name: plan.study.frame() for plan in plans}
    if len(frames) == 1:
        (frame,) = frames.values()
    else:
        frame = pd.concat(frames, names=["study"]).reset_index(level="study").reset_index(drop=True)
    frame.attrs["folder"] = str(folder)
    return frame


def _job(run: Run, folder: Path | None) -> Job:
    point = run.point
    return Job(point.digest, run.trace.path, point.trace, point.values, run.resolved, folder)


class Flight:
    """Jobs on their way through the executors of a pool, a few at a time; iterate for how they end, as they do.

    When a process dies its executor breaks, and all that was handed to it is lost. Those jobs are tried again at the
    end, one at a time, on new executors; the one that breaks that as well has failed.
    """

    def __init__(self, jobs: Sequence[Job], pool: Pool) -> None:
        self.pool = pool
        self.width = pool.width or max(len(jobs), 1)
        self.waiting = deque(jobs)
        self.suspects: deque[Job] = deque()
        self.flying: dict[Future[Ended], Job] = {}

    def __iter__(self) -> Iterator[Ended]:
        try:
            yield from self._all()
        finally:
            for future in self.flying:
                future.cancel()

    def _all(self) -> Iterator[Ended]:
        executor = self.pool.start()
        while self.waiting or self.suspects or self.flying:
            alone = not self.waiting and not self.flying
            try:
                self._hand_over(executor, *((self.suspects, 1) if alone else (self.waiting, self.width)))
                for future in wait(self.flying, return_when=FIRST_COMPLETED).done:
                    yield self._landed(future)
            except BrokenExecutor:
                yield from self._lost(alone)
                executor = self.pool.start()

    def _hand_over(self, executor: Executor, queue: deque[Job], width: int) -> None:
        while queue and len(self.flying) < width:
            future = executor.submit(run_job, queue[0])
            self.flying[future] = queue.popleft()

    def _landed(self, future: Future[Ended]) -> Ended:
        """What a worker says of a run; where its words did not arrive, the run has failed."""
        try:
            ended = future.result()
        except BrokenExecutor:
            raise
        except CancelledError:
            raise ZsimError("the executor gave up; what is done is stored, sweep again to go on") from None
        except Exception as error:
            ended = failed(self.flying[future], f"{type(error).__name__}: {error}")
        del self.flying[future]
        return ended

    def _lost(self, alone: bool) -> Iterator[Ended]:
        """After a crash: what still ended is good, whoever was alone has failed, the others are suspects."""
        wait(self.flying)
        for future, job in self.flying.items():
            if future.exception() is None:
                yield future.result()
            elif alone:
                yield failed(job, DIED)
            else:
                self.suspects.append(job)
        self.flying.clear()
