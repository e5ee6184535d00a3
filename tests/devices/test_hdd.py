"""The rotating disk: seeks, the platter, and what it is worth to write in order."""

from random import Random

import pytest

from zsim.devices.hdd import Hdd
from zsim.errors import ConfigError
from zsim.units import NS_PER_MS

BLOCKS = 1 << 20
BLOCK_NS = 32_768  # 4096 bytes at 125 MB/s
TURN_NS = 8_333_333


def random_reads(disk: Hdd, count: int, seed: int = 1) -> list[int]:
    """Service times of single-page reads of random blocks, one at a time with a little thought between."""
    draw, now_ns, taken = Random(seed), 0, []
    for _ in range(count):
        done_ns = disk.submit(now_ns, False, draw.randrange(disk.blocks), 1)
        taken.append(done_ns - now_ns)
        now_ns = done_ns + draw.randrange(NS_PER_MS)
    return taken


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_reads_cost_seek_and_half_a_turn(seed: int) -> None:
    """8.5 ms and 4.17 ms and the transfer: 12.7 ms in the mean; the worst is a full stroke and a whole turn."""
    disk = Hdd(BLOCKS, seed)
    taken = random_reads(disk, 10_000, seed)
    assert sum(taken) / len(taken) == pytest.approx(12.70 * NS_PER_MS, rel=0.01)
    assert max(taken) <= disk.seek_ns(disk.tracks) + TURN_NS + BLOCK_NS
    disk.validate()


def test_the_mean_seek_is_the_setting() -> None:
    """Over random pairs of tracks the seek curve averages to `average_seek_ns`."""
    disk, draw = Hdd(BLOCKS, 1, average_seek_ns=4_000_000), Random(5)
    pairs = [abs(draw.randrange(disk.tracks) - draw.randrange(disk.tracks)) for _ in range(50_000)]
    assert sum(map(disk.seek_ns, pairs)) / len(pairs) == pytest.approx(4 * NS_PER_MS, rel=0.01)


def test_the_seek_curve() -> None:
    """Nothing within a track, about 1 ms to the next, more the farther, 15 ms over all."""
    disk = Hdd(BLOCKS, 1)
    curve = [disk.seek_ns(tracks) for tracks in range(disk.tracks + 1)]
    assert curve[0] == 0
    assert 1.0 * NS_PER_MS < curve[1] < 1.3 * NS_PER_MS
    assert curve == sorted(curve)
    assert curve[-1] == 15_062_500


def test_a_sequential_run_pays_transfer_only() -> None:
    """A request that starts where the last one ended needs neither seek nor rotation, however late it comes."""
    disk = Hdd(BLOCKS, 1)
    first_ns = disk.submit(0, True, 500, 1)
    then_ns = disk.submit(first_ns, True, 501, 32)
    assert then_ns - first_ns == 32 * BLOCK_NS
    late_ns = then_ns + 1_234_567
    assert disk.submit(late_ns, True, 533, 1) == late_ns + BLOCK_NS


def test_merging_is_worth_a_hundredfold() -> None:
    """256 pages in one run cost about a hundredth of 256 pages here and there."""
    run, scattered = Hdd(BLOCKS, 1), Hdd(BLOCKS, 1)
    together_ns = run.submit(0, True, BLOCKS // 2, 256)
    apart_ns = sum(random_reads(scattered, 256))
    assert 80 < apart_ns / together_ns < 400


def test_adjacent_requests_cost_what_one_merged_request_does() -> None:
    """Submitted back to back, single pages in order take exactly as long as one request for them all."""
    one, many = Hdd(BLOCKS, 1), Hdd(BLOCKS, 1)
    merged_ns = one.submit(0, True, 777, 64)
    assert [many.submit(0, True, 777 + index, 1) for index in range(64)][-1] == merged_ns


def test_a_skipped_block_costs_its_own_length() -> None:
    """The platter turns on: leaving out a few blocks of the track costs the time they take to pass."""
    disk = Hdd(BLOCKS, 1)
    now_ns = disk.submit(0, False, 0, 1)
    assert disk.submit(now_ns, False, 4, 1) - now_ns == (3 + 1) * BLOCK_NS


def test_a_block_just_missed_costs_a_turn() -> None:
    """The same block again is there after exactly one turn."""
    disk = Hdd(BLOCKS, 1)
    now_ns = disk.submit(0, False, 9, 1)
    assert disk.submit(now_ns, False, 9, 1) - now_ns == TURN_NS


def test_one_head() -> None:
    """Requests at the same time are served one after another."""
    disk = Hdd(BLOCKS, 1)
    first_ns = disk.submit(0, False, 70_000, 1)
    last_ns = disk.submit(0, False, 900_000, 1)
    assert last_ns > first_ns + BLOCK_NS
    assert disk.parallel == 1
    assert disk.busy_ns == last_ns


def test_the_first_request_has_no_predecessor() -> None:
    """Nothing was read before block 0: it has to come round like any other."""
    waits = {Hdd(BLOCKS, seed).submit(0, False, 0, 1) - BLOCK_NS for seed in range(8)}
    assert len(waits) == 8
    assert all(0 <= wait_ns < TURN_NS for wait_ns in waits)


def test_the_seed_turns_the_platter_only() -> None:
    """Another seed gives other single times and the same mean."""
    one, two = random_reads(Hdd(BLOCKS, 1), 4000), random_reads(Hdd(BLOCKS, 2), 4000)
    assert one != two
    assert sum(one) == pytest.approx(sum(two), rel=0.02)


def test_a_small_device_on_one_track_does_not_seek() -> None:
    """A device smaller than a track only waits for the platter."""
    disk = Hdd(200, 1)
    assert disk.tracks == 1
    taken = random_reads(disk, 2000)
    assert max(taken) <= TURN_NS + BLOCK_NS


def test_speed_follows_rpm() -> None:
    """At 15,000 rpm the half turn is 2 ms."""
    taken = random_reads(Hdd(BLOCKS, 1, rpm=15_000, average_seek_ns=3_500_000), 10_000)
    assert sum(taken) / len(taken) == pytest.approx((3.5 + 2.0 + 0.033) * NS_PER_MS, rel=0.01)


def test_seeks_that_contradict_each_other() -> None:
    """The average seek is not shorter than the shortest."""
    with pytest.raises(ConfigError, match=r"average_seek_ns: 500 is below device.track_to_track_ns"):
        Hdd(BLOCKS, 1, average_seek_ns=500)
