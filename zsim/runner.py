"""One run of a sweep, in whichever process it happens to be: a trace and its sizes are loaded once and kept."""

import traceback
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from zsim.config import Config, Resolved
from zsim.contents import Contents
from zsim.errors import TraceError, ZsimError
from zsim.results import Result
from zsim.run import contents_key, contents_of, digest_of, replay
from zsim.studyfiles import save_failure, save_result
from zsim.traces import open_trace

FAILED = "failed"

TRACES_KEPT = 4
"""Opened traces that a worker keeps; runs come trace by trace."""


class Job(NamedTuple):
    """What a worker needs for one run.

    path    of the recording; trace: its name in the study, with `values` the point, for whoever reads why it failed
    folder  the study's, where the worker stores what came out; None: that goes back to who asked
    """

    digest: str
    path: str
    trace: str
    values: dict[str, Any]
    resolved: Resolved
    folder: Path | None


class Ended(NamedTuple):
    """How a run ended: "done", "oom" or "failed"; what came out of it, where that is not stored yet."""

    digest: str
    outcome: str
    error: str | None = None
    result: Result | None = None
    failure: dict[str, Any] | None = None


class Opened:
    """A trace, and the contents of its pages for each way of compressing them that was asked for."""

    def __init__(self, path: str) -> None:
        self.trace = open_trace(path)
        self.contents: dict[tuple[object, ...], Contents] = {}

    def contents_of(self, config: Config) -> Contents:
        """Loaded the first time."""
        key = contents_key(config)
        if key not in self.contents:
            self.contents[key] = contents_of(self.trace, config)
        return self.contents[key]


opened = lru_cache(TRACES_KEPT)(Opened)


def run_job(job: Job) -> Ended:
    """Replay, and store the result or the failure the moment it is there, if the job says where; never an error."""
    try:
        ended = _replay(job)
        return ended if job.folder is None else store(ended, job.folder)
    except ZsimError as error:
        ended = failed(job, str(error))
    except Exception as error:
        ended = failed(job, f"{type(error).__name__}: {error}", traceback.format_exc())
    return ended if job.folder is None else store(ended, job.folder)


def _replay(job: Job) -> Ended:
    held, config = opened(job.path), job.resolved.config
    if digest_of(held.trace, config) != job.digest:
        raise TraceError(f"{job.path}: the trace, or zsim, is not the same here as where the sweep began")
    result = replay(held.trace, config, contents=held.contents_of(config))
    result.run["origins"] = job.resolved.origins
    return Ended(job.digest, result.outcome, result=result)


def failed(job: Job, error: str, trace_back: str = "") -> Ended:
    """The end of a run that could not be done."""
    failure = {"digest": job.digest, "error": error, "trace": job.trace, "values": job.values}
    failure |= {"config": job.resolved.config.as_dict()} | ({"traceback": trace_back} if trace_back else {})
    return Ended(job.digest, FAILED, error, failure=failure)


def store(ended: Ended, folder: Path) -> Ended:
    """Put what came out into a study's folder; what is left is how it ended."""
    if ended.result is not None:
        save_result(folder, ended.result)
    if ended.failure is not None:
        save_failure(folder, ended.failure)
    return Ended(ended.digest, ended.outcome, ended.error)
