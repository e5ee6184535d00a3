"""What shrinkers are asked for: hand-computed shares by priority, batches, deferral."""

from zsim.shrinker import STOP, Shrinker


def asked(shrinker: Shrinker, priority: int, freeable: int, answer: int = 0) -> list[int]:
    """The batches one call asks for."""
    batches: list[int] = []
    shrinker.run(priority, freeable, lambda batch: (batches.append(batch), answer)[1])
    return batches


def test_nothing_at_low_pressure() -> None:
    """At priority 12 a cache of fewer than 4096 objects is asked for nothing."""
    assert asked(Shrinker(), 12, 4095) == []


def test_a_share_by_priority() -> None:
    """At priority 4 a sixteenth, times 4 over 2 seeks: 2 * 625 of 10,000, in batches of 128."""
    assert asked(Shrinker(), 4, 10_000) == [128] * 9


def test_what_is_left_is_deferred() -> None:
    """1,250 asked for less nine batches leaves 98, which counts again by priority."""
    shrinker = Shrinker()
    asked(shrinker, 4, 10_000)
    assert shrinker.deferred == 1250 - 9 * 128


def test_a_small_cache_is_scanned_whole() -> None:
    """At priority 0 twice what is freeable is asked for, as one batch after another of what is left."""
    assert asked(Shrinker(), 0, 10) == [20]


def test_stop_ends_the_call() -> None:
    """A scan that stops is not asked again; all that was asked for is deferred."""
    shrinker = Shrinker()
    assert asked(shrinker, 4, 10_000, STOP) == [128]
    assert shrinker.deferred == 1250
