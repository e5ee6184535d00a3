"""The bar that appears only once it is worth it, and a Ctrl-C that is not lost."""

import os
import signal
from contextlib import suppress

import pytest

from zsim.cli.watch import Watch


def test_nothing_at_first_then_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """In the first second nothing is drawn; after that the bar stands where the replay is."""
    with Watch(hidden=False) as watch:
        watch(1, 100)
        assert watch.bar is None
        watch.since_s -= 2
        watch(50, 100)
        assert watch.bar.pos == 50


def test_hidden_means_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    """However long it takes."""
    with Watch(hidden=True) as watch:
        watch.since_s -= 100
        watch(50, 100)
    assert watch.bar is None and capsys.readouterr().err == ""


def swallowed() -> None:
    """What some libraries do to an interrupt in the middle of their import."""
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def turned() -> None:
    """And others."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt as error:
        raise SystemError("returned a result with an exception set") from error


@pytest.mark.parametrize("lose", [swallowed, turned])
def test_an_interrupt_is_not_lost(lose: object) -> None:
    """It ends the block, and the handler is what it was before."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Watch(hidden=True):
        lose()  # type: ignore[operator]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_lost_interrupt_is_heard_at_the_next_call() -> None:
    """A long replay does not go on to its end first."""
    with pytest.raises(KeyboardInterrupt), Watch(hidden=True) as watch:
        swallowed()
        watch(1, 2)
        raise AssertionError("it went on")
