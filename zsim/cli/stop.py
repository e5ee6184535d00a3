"""Ctrl-C and SIGTERM, at any moment of a long command."""

import signal
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """A block that SIGINT and SIGTERM end alike, by a KeyboardInterrupt; `status` is then 130 or 143, else 0.

    Some libraries swallow a KeyboardInterrupt that meets them while they are imported, so `check` now and then. A
    second signal changes nothing: what cleans up after the first is not interrupted.
    """

    def __init__(self) -> None:
        self.status = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._end) for number in SIGNALS}
        return self

    def _end(self, number: int, frame: FrameType | None) -> None:
        if not self.status:
            self.status = 128 + number
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raise the KeyboardInterrupt that got lost."""
        if self.status:
            raise KeyboardInterrupt

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if error[0] is not KeyboardInterrupt:
            self.check()
