"""Many cases at once, a process each."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from zsim.validation.cases import Case
from zsim.validation.replay import Replayed, replay_case

Tell = Callable[[int], None]
"""Told how many cases are done."""


def replay_cases(cases: Sequence[Case], processes: int, tell: Tell) -> list[Replayed]:
    """Replay every case, in so many processes; in the order given."""
    processes = min(processes, len(cases))
    if processes <= 1:
        return [_told(replay_case(case), tell, done) for done, case in enumerate(cases, 1)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        place = {pool.submit(replay_case, case): number for number, case in enumerate(cases)}
        try:
            done = {place[future]: _told(future.result(), tell, n) for n, future in enumerate(as_completed(place), 1)}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [done[number] for number in range(len(cases))]


def _told(replayed: Replayed, tell: Tell, done: int) -> Replayed:
    tell(done)
    return replayed
