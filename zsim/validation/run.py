"""Many cases at once, a process each."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from zsim.errors import ZsimError
from zsim.validation.cases import Case, Failure, read_cases
from zsim.validation.compare import Comparison, compare
from zsim.validation.replay import Replayed, replay_case

Tell = Callable[[int], None]
"""Told how many cases are done."""


def replay_cases(cases: Sequence[Case], processes: int, tell: Tell) -> list[Replayed | Failure]:
    """Replay every case, in so many processes; in the order given. One that fails leaves the others alone."""
    processes = min(processes, len(cases))
    if processes <= 1:
        return [_told(_replay(case), tell, done) for done, case in enumerate(cases, 1)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        place = {pool.submit(_replay, case): number for number, case in enumerate(cases)}
        try:
            done = {place[future]: _told(future.result(), tell, n) for n, future in enumerate(as_completed(place), 1)}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [done[number] for number in range(len(cases))]


def judged(replays: Sequence[Replayed | Failure], folder: Path) -> tuple[list[Comparison], list[Failure]]:
    """What was replayed, beside the repeats there are in the folder; and what was not."""
    known, _ = read_cases(folder)
    failures = [each for each in replays if isinstance(each, Failure)]
    return [compare(each, known) for each in replays if isinstance(each, Replayed)], failures


def _replay(case: Case) -> Replayed | Failure:
    try:
        return replay_case(case)
    except ZsimError as error:
        return Failure(case.name, str(error))
    except Exception as error:  # whatever it is, it is this case's
        return Failure(case.name, f"{type(error).__name__}: {error}")


def _told(replayed: Replayed | Failure, tell: Tell, done: int) -> Replayed | Failure:
    tell(done)
    return replayed
