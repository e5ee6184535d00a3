"""Solid-state devices: latency at depth 1, throughput when full."""

import time

import pytest

from zsim.devices import make_device
from zsim.devices.ssd import Nvme, Optane, SataSsd
from zsim.units import NS_PER_S, PAGE_SIZE

BLOCKS = 1 << 16
#                                 read us, write us, parallel, bytes/s
FIGURES = {
    SataSsd: (100_000, 50_000, 32, 500_000_000),
    Nvme: (80_000, 20_000, 64, 3_000_000_000),
    Optane: (10_000, 10_000, 16, 2_500_000_000),
}
every_ssd = pytest.mark.parametrize("kind", FIGURES)


@every_ssd
@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("pages", [1, 8, 256])
def test_alone(kind: type[Nvme], write: bool, pages: int) -> None:
    """A request alone takes its latency and its bytes by the bandwidth."""
    read_ns, write_ns, _, bandwidth = FIGURES[kind]
    taken_ns = kind(BLOCKS, 1).submit(1000, write, 4, pages) - 1000
    ideal_ns = (write_ns if write else read_ns) + pages * PAGE_SIZE * NS_PER_S / bandwidth
    assert ideal_ns <= taken_ns < ideal_ns + 1


@every_ssd
@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("pages", [1, 32])
def test_full(kind: type[Nvme], write: bool, pages: int) -> None:
    """Saturated, throughput is parallelism by latency or the bandwidth, whichever is less."""
    read_ns, write_ns, parallel, bandwidth = FIGURES[kind]
    device, number = kind(BLOCKS, 1), 20_000
    last_ns = max(device.submit(0, write, index, pages) for index in range(number))
    wire_ns = pages * PAGE_SIZE * NS_PER_S / bandwidth
    ideal_ns = max(((write_ns if write else read_ns) + wire_ns) / parallel, wire_ns)
    assert last_ns / number == pytest.approx(ideal_ns, rel=0.01)
    assert device.parallel == parallel
    device.validate()


def test_a_slow_link_is_not_needed_for_the_limit_of_latency() -> None:
    """With bandwidth to spare 64 reads at once are served at 64 by 80 us."""
    device = Nvme(BLOCKS, 1, bandwidth_bytes_per_s=10**15)
    last_ns = max(device.submit(0, False, index, 1) for index in range(6400))
    assert last_ns == pytest.approx(100 * 80_000, rel=0.001)


def test_a_read_behind_writes_waits_for_the_link_only() -> None:
    """While servers are free, a read pays for the data before it and not for its latency."""
    device = Nvme(BLOCKS, 1)
    alone_ns = Nvme(BLOCKS, 1).submit(0, False, 0, 1)
    for index in range(10):
        device.submit(0, True, index, 1)
    assert device.submit(0, False, 0, 1) == alone_ns + 10 * device.page_ns


def test_place_does_not_matter() -> None:
    """A solid-state device has no head: near and far cost the same."""
    near, far = SataSsd(BLOCKS, 1), SataSsd(BLOCKS, 1)
    assert [near.submit(0, False, 1, 1), near.submit(0, False, 2, 1)] == [
        far.submit(0, False, BLOCKS - 1, 1),
        far.submit(0, False, 0, 1),
    ]


def test_overrides() -> None:
    """A configuration may set any of the figures."""
    device = make_device("nvme", BLOCKS, 1, {"read_ns": 100_000, "parallel": 1, "bandwidth_bytes_per_s": 4_096_000})
    assert [device.submit(0, False, 0, 1) for _ in range(2)] == [1_100_000, 2_200_000]


def test_the_order_of_the_devices() -> None:
    """At depth 1 Optane beats NVMe beats SATA, for reads about 10 : 80 : 100."""
    optane, nvme, sata = (kind(BLOCKS, 1).submit(0, False, 0, 1) for kind in (Optane, Nvme, SataSsd))
    assert optane * 5 < nvme < sata


def test_submitting_is_quick() -> None:
    """A submission costs about half a microsecond; the bound is loose for busy machines."""
    device = Nvme(BLOCKS, 1)
    began = time.process_time()
    for index in range(50_000):
        device.submit(index * 2000, False, index, 1)
    assert (time.process_time() - began) / 50_000 < 10e-6
