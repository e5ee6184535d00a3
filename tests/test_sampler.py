"""The series of a run: even, bounded, and what stands in its columns."""

import numpy as np
import simpy

from tests.machines import Bench, config_of, make_trace, replayed
from zsim.sampler import COLUMNS, COUNTERS, GAUGES, SAMPLES_MAX, Sampler


def sampled(interval_ns: int, until_ns: int) -> Sampler:
    """A sampler of a machine at rest."""
    env = simpy.Environment()
    sampler = Sampler(Bench().machine, interval_ns * 256)
    env.process(sampler.process(env))
    env.run(until_ns)
    return sampler


def test_a_row_each_interval() -> None:
    """From the start on, at multiples of a 256th of the runtime with unlimited memory."""
    sampler = sampled(10, 95)
    assert [row[0] for row in sampler.rows] == list(range(0, 91, 10))
    assert sampler.interval_ns == 10


def test_memory_is_bounded() -> None:
    """However long a run takes beyond what was expected, there are never more than 1,024 rows, nor few."""
    for length in (1025, 3000, 50_000):
        rows = sampled(10, 10 * length).rows
        assert SAMPLES_MAX // 2 <= len(rows) <= SAMPLES_MAX
        assert rows[0][0] == 0


def test_intervals_stay_even() -> None:
    """Halving keeps the rows at multiples of the doubled interval."""
    times = np.array([row[0] for row in sampled(10, 10 * 5000).rows])
    assert len(set(np.diff(times).tolist())) == 1


def test_rows_have_all_columns() -> None:
    """Time, accesses, gauges as they are, counters since the start."""
    bench = Bench()
    bench.swap_out(0, 1)
    bench.touch(0, 2)
    bench.machine.cursors[0] = 17
    sampler = Sampler(bench.machine, 1000)
    sampler.sample(42)
    row = dict(zip(COLUMNS, sampler.rows[0], strict=True))
    assert (row["time_ns"], row["accesses"]) == (42, 17)
    assert {name: row[name] for name in GAUGES} == {name: bench.machine.gauges()[name] for name in GAUGES}
    assert {name: row[name] for name in COUNTERS} == {name: getattr(bench.counters, name) for name in COUNTERS}
    assert (row["resident_pages"], row["stored_pages"], row["pgfault"], row["zswpin"]) == (2, 2, 4, 1)


def test_the_last_row_is_the_end() -> None:
    """A replay ends with a row at its end time, with every access and fault in it."""
    engine = replayed(make_trace([[(page % 50, 1) for page in range(1000)]]), config_of(pages=200))
    last = dict(zip(COLUMNS, engine.sampler.rows[-1], strict=True))
    assert last["time_ns"] == engine.end_ns() == 50 * 500 + 1000 * 100
    assert (last["accesses"], last["pgfault"], last["minor_faults"]) == (1000, 50, 50)
    assert len(engine.sampler.rows) == 1 + 256 or len(engine.sampler.rows) == 1 + 256 + 1
