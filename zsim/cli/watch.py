"""How far a long command is, and Ctrl-C at any moment of it."""

import signal
import sys
import threading
import time
from types import FrameType
from typing import Any, Self

import click

PATIENCE_S = 1.0
"""What takes longer than this shows how far it is."""


class Watch:
    """A block that Ctrl-C ends; called with (accesses done, in all), it draws a bar on stderr once that is worth it.

    Some libraries swallow the KeyboardInterrupt that meets them while they are imported, or make another error of it.
    So the signal is remembered, and acted on at the next call or at the end of the block.
    """

    def __init__(self, hidden: bool) -> None:
        self.hidden = hidden
        self.pressed = False
        self.since_s = time.monotonic()
        self.bar: Any = None
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def _press(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        raise KeyboardInterrupt

    def __call__(self, done: int, total: int) -> None:
        """So many accesses are done."""
        if self.pressed:
            raise KeyboardInterrupt
        if self.hidden:
            return
        if self.bar is None and time.monotonic() - self.since_s > PATIENCE_S:
            self.bar = click.progressbar(length=total, label="replay", file=sys.stderr)
            self.bar.render_progress()
        if self.bar is not None:
            self.bar.update(done - self.bar.pos)

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self.bar is not None:
            self.bar.render_finish()
        if self.pressed and kind is not KeyboardInterrupt:
            raise KeyboardInterrupt
