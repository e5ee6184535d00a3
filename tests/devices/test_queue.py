"""The laws of a queue with k servers and a link."""

from heapq import heapify, heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsim.devices.queue import Queue

US = 1_000
servers = st.integers(1, 8)
jobs = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 500), st.integers(0, 200)), max_size=80)


@given(count=servers)
def test_k_at_once_and_then_one_waits(count: int) -> None:
    """k servers serve k requests at once; the next one takes twice the time."""
    queue = Queue(count)
    assert [queue.submit(7, 100) for _ in range(count)] == [107] * count
    assert queue.start_ns(7) == 107
    assert queue.submit(7, 100) == 207


def test_an_idle_queue_starts_at_once() -> None:
    """After the queue has run empty a request starts when it is submitted."""
    queue = Queue(1)
    queue.submit(0, 10)
    assert queue.start_ns(500) == 500
    assert queue.submit(500, 10) == 510
    assert queue.busy_ns == 20


def test_order_is_call_order() -> None:
    """A request submitted later with an earlier time does not overtake."""
    queue = Queue(1)
    assert queue.submit(100, 10) == 110
    assert queue.submit(40, 10) == 120


def test_transfers_share_the_link() -> None:
    """Requests at once have their latencies at once and their transfers one after another."""
    queue = Queue(4)
    assert [queue.submit(0, 100, 10) for _ in range(5)] == [110, 120, 130, 140, 220]


def test_links_are_apart() -> None:
    """What goes over one link does not wait for the other."""
    queue = Queue(4, links=2)
    assert [queue.submit(0, 100, 10, link) for link in (0, 1, 0, 1)] == [110, 110, 120, 120]


def test_no_transfer_no_turn() -> None:
    """A request that moves nothing does not wait for the link."""
    queue = Queue(2)
    queue.submit(0, 10, 1000)
    assert queue.submit(0, 10) == 10


@given(count=servers, rows=jobs)
def test_against_a_plain_simulation(count: int, rows: list[tuple[int, int, int]]) -> None:
    """The completion known at submission is the one that stepping through the queue finds."""
    queue, now_ns, link_ns = Queue(count), 0, 0
    running: list[int] = []
    for gap_ns, latency_ns, transfer_ns in rows:
        now_ns += gap_ns
        while running and running[0] <= now_ns:
            heappop(running)
        start_ns = now_ns
        while len(running) >= count:
            start_ns = heappop(running)
        if transfer_ns:
            link_ns = max(link_ns, start_ns) + transfer_ns
        done_ns = (link_ns if transfer_ns else start_ns) + latency_ns
        heappush(running, done_ns)
        assert queue.submit(now_ns, latency_ns, transfer_ns) == done_ns
    queue.validate()


@given(count=servers, latency_ns=st.integers(1, 1000), transfer_ns=st.integers(0, 300))
def test_throughput_of_a_full_queue(count: int, latency_ns: int, transfer_ns: int) -> None:
    """Saturated, requests leave at min(k / (latency + transfer), 1 / transfer)."""
    queue, number = Queue(count), 50 * count
    last_ns = max(queue.submit(0, latency_ns, transfer_ns) for _ in range(number))
    ideal_ns = max(number * (latency_ns + transfer_ns) / count, number * transfer_ns)
    assert ideal_ns <= last_ns <= ideal_ns + latency_ns + count * transfer_ns


@given(
    count=servers, latency_ns=st.integers(1, 900), transfer_ns=st.integers(1, 300), gaps=st.lists(st.integers(0, 99))
)
def test_transfer_first_or_last_is_the_same(count: int, latency_ns: int, transfer_ns: int, gaps: list[int]) -> None:
    """For requests alike, latency and then the link completes as link and then latency does."""
    queue, now_ns, link_ns = Queue(count), 0, 0
    free_ns = [0] * count
    heapify(free_ns)
    for gap_ns in gaps:
        now_ns += gap_ns
        link_ns = max(max(now_ns, heappop(free_ns)) + latency_ns, link_ns) + transfer_ns
        heappush(free_ns, link_ns)
        assert queue.submit(now_ns, latency_ns, transfer_ns) == link_ns


@pytest.mark.parametrize(("count", "links"), [(0, 1), (1, 0), (-3, 1)])
def test_nothing_to_serve_with(count: int, links: int) -> None:
    """A queue has at least one server and one link."""
    with pytest.raises(ValueError, match="serves nothing"):
        Queue(count, links)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda queue: queue.free_ns.__setitem__(0, 10**9), "not a heap"),
        (lambda queue: setattr(queue, "busy_ns", 10**9), "but the servers had"),
        (lambda queue: queue.link_free_ns.__setitem__(0, 10**9), "outlasts"),
        (lambda queue: setattr(queue, "requests", 0), "without a request"),
    ],
)
def test_validate_notices(damage: object, message: str) -> None:
    """Books that were tampered with do not pass."""
    queue = Queue(3)
    for _ in range(5):
        queue.submit(0, 10 * US, 1 * US)
    queue.validate()
    damage(queue)  # type: ignore[operator]
    with pytest.raises(AssertionError, match=message):
        queue.validate()
