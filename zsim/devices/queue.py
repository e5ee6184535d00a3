"""The queue of a device: k servers behind one FIFO, and the link they share."""

from heapq import heapreplace


class Queue:
    """Requests in the order they are submitted, `servers` at a time, through one serial link (or `links` of them).

    Analytic: a request starts when it is submitted or when the first server is free, whichever is later; it takes its
    turn on the link for its transfer and then its latency, and holds its server for all of that. For requests of equal
    latency it makes no difference that a read really has its latency before its transfer. Saturated, the queue serves
    min(servers / (latency + transfer), 1 / transfer) requests a second, which is exact.

    Left out: reordering by an elevator or by the device, and the sharing of one link by requests in small pieces.
    """

    __slots__ = ("busy_ns", "free_ns", "link_free_ns", "requests")

    def __init__(self, servers: int, links: int = 1) -> None:
        if servers < 1 or links < 1:
            raise ValueError(f"a queue of {servers} servers and {links} links serves nothing")
        self.free_ns = [0] * servers
        self.link_free_ns = [0] * links
        self.requests = 0
        self.busy_ns = 0

    def start_ns(self, now_ns: int) -> int:
        """When a request submitted at `now_ns` would get a server."""
        return max(now_ns, self.free_ns[0])

    def submit(self, now_ns: int, latency_ns: int, transfer_ns: int = 0, link: int = 0) -> int:
        """Queue one request; the time it completes. O(log servers)."""
        free_ns = self.free_ns
        start_ns = now_ns if now_ns > free_ns[0] else free_ns[0]
        done_ns = start_ns + latency_ns
        if transfer_ns:
            turn_ns = self.link_free_ns[link]
            if turn_ns < start_ns:
                turn_ns = start_ns
            self.link_free_ns[link] = turn_ns = turn_ns + transfer_ns
            done_ns = turn_ns + latency_ns
        heapreplace(free_ns, done_ns)
        self.busy_ns += done_ns - start_ns
        self.requests += 1
        return done_ns

    def validate(self) -> None:
        """The free times are a heap, no server was busier than time allows, no transfer outlasts its request."""
        free_ns = self.free_ns
        assert all(free_ns[(child - 1) // 2] <= free_ns[child] for child in range(1, len(free_ns))), "not a heap"
        assert free_ns[0] >= 0, "a server is free before time began"
        assert 0 <= self.busy_ns <= sum(free_ns), f"busy {self.busy_ns} ns, but the servers had {sum(free_ns)} ns"
        assert all(0 <= turn_ns <= max(free_ns) for turn_ns in self.link_free_ns), "a link outlasts its requests"
        assert self.requests or not any(free_ns), "servers were busy without a request"
