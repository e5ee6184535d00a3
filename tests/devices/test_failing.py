"""A device that fails every request."""

from zsim.devices.failing import Failing


def test_fails_soon() -> None:
    """The error is back after a microsecond, whatever the size and the place."""
    device = Failing(100, 1)
    assert Failing.fails
    assert [device.submit(50, write, slot, pages) for write, slot, pages in ((False, 0, 1), (True, 40, 60))] == [
        1050
    ] * 2


def test_failed_requests_are_counted() -> None:
    """What was asked for counts, as the kernel counts pswpout on submission."""
    device = Failing(100, 1, fail_ns=5)
    device.submit(0, True, 0, 3)
    device.submit(0, False, 0, 1)
    assert (device.requests, device.written_pages, device.read_pages) == (2, 3, 1)
    device.validate()
