"""The replays behind an advice, on the processors of this machine."""

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, as_completed
from typing import Any

from zsim.advise import Advice, advise, runs_at_most
from zsim.config import Config, Resolved
from zsim.errors import UsageError, ZsimError
from zsim.executors import Processes, processors
from zsim.results import Result
from zsim.run import check_config, digest_of
from zsim.runner import Ended, Job, run_job
from zsim.traces import open_trace


def advise_on(
    path: str,
    settings: dict[str, Any],
    memory: str,
    max_slowdown: float | None = None,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Advice:
    """`zsim.advise.advise` for a recording, with processes for its runs.

    jobs      processes; None: as many as there are processors
    progress  called as runs end with (runs done, most that may come)
    """
    if path == "-":
        raise UsageError("advise replays its trace many times: give a file, not -")
    trace = open_trace(path)
    total, done = runs_at_most(settings), 0
    pool = Processes(jobs or processors())
    executor = pool.start()

    def run(configs: Sequence[Config]) -> list[Result]:
        nonlocal done
        for config in configs:
            check_config(config)
        futures = [executor.submit(run_job, _job(digest_of(trace, config), path, config)) for config in configs]
        for future in as_completed(futures):
            _raise_failure(future.result())
            done += 1
            if progress:
                progress(done, total)
        return [result for future in futures if (result := future.result().result) is not None]

    try:
        return advise(trace, settings, memory, run, max_slowdown)
    except BrokenExecutor:
        raise ZsimError("a process that replayed died: killed, or out of memory; try -j 1") from None
    finally:
        pool.stop()


def _job(digest: str, path: str, config: Config) -> Job:
    return Job(digest, path, path, {}, Resolved(config, {}), None)


def _raise_failure(ended: Ended) -> None:
    if ended.error is not None:
        raise ZsimError(ended.error)
