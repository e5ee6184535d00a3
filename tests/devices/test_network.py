"""Swap over a network: a wire in each direction and round trips in parallel."""

import pytest

from zsim.devices.network import Network

BLOCKS = 1 << 16
WIRE_NS = 3_277  # 4096 bytes at 10 Gbit/s


def test_alone() -> None:
    """One page costs a round trip and 3.3 us of wire."""
    assert Network(BLOCKS, 1).submit(0, False, 0, 1) == 60_000 + WIRE_NS


def test_round_trips_overlap_and_pages_do_not() -> None:
    """Requests at once share the wait and take turns on the wire."""
    network = Network(BLOCKS, 1)
    done_ns = [network.submit(0, False, slot, 1) for slot in range(10)]
    assert done_ns == [60_000 + (turn + 1) * WIRE_NS for turn in range(10)]


@pytest.mark.parametrize("write", [False, True])
def test_full(write: bool) -> None:
    """Saturated, the wire decides: 1.25 GB/s."""
    network = Network(BLOCKS, 1)
    last_ns = max(network.submit(0, write, slot, 1) for slot in range(20_000))
    assert 20_000 / last_ns * 1e9 == pytest.approx(1.25e9 / 4096, rel=0.01)


def test_full_duplex() -> None:
    """Writing does not take the wire from reading."""
    network = Network(BLOCKS, 1)
    for slot in range(20):
        network.submit(0, True, slot, 1)
    assert network.submit(0, False, 0, 1) == 60_000 + WIRE_NS


def test_ethernet_of_1996() -> None:
    """Remote memory over 10 Mbit/s, as FORTH measured it: 11.2 ms a page, of it 1.6 ms protocol."""
    network = Network(BLOCKS, 1, round_trip_ns=1_600_000, parallel=1, bandwidth_bytes_per_s=425_000)
    assert network.submit(0, False, 0, 1) == pytest.approx(11_240_000, rel=0.01)
