"""What shrinkers are asked for: hand-computed shares by priority, batches, deferral."""

from zsim.shrinker import STOP, OldShrinker, Shrinker


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


def asked_of_old(shrinker: OldShrinker, scanned: int, lru_pages: int, freeable: int) -> list[int]:
    """The batches one call of 3.11's arithmetic asks for."""
    batches: list[int] = []
    shrinker.run(scanned, lru_pages, freeable, batches.append)
    return batches


def test_old_share_is_by_pages_scanned() -> None:
    """64 of 999 pages scanned, 10,000 objects: 4 * 64 / 2 * 10,000 / 1,000 = 1,280, below a quarter, in ten batches."""
    shrinker = OldShrinker()
    assert asked_of_old(shrinker, 64, 999, 10_000) == [128] * 10
    assert shrinker.deferred == 0


def test_old_share_below_a_batch_waits() -> None:
    """50 objects a call: two calls wait, the third asks for one batch and leaves 22."""
    shrinker = OldShrinker()
    assert [asked_of_old(shrinker, 25, 999, 1000) for _ in range(3)] == [[], [], [128]]
    assert shrinker.deferred == 22


def test_old_share_of_a_small_cache_is_never_asked_for() -> None:
    """Little pressure adds up to half of the cache at most, any pressure to twice: 63 objects are never a batch."""
    shrinker = OldShrinker()
    assert not any(asked_of_old(shrinker, 10, 999, 200) for _ in range(1000))
    assert not asked_of_old(OldShrinker(), 10_000, 999, 63)
    assert asked_of_old(OldShrinker(), 10_000, 999, 64) == [128]


def test_old_share_of_nothing() -> None:
    """An empty cache is not asked, and what waited goes on waiting."""
    shrinker = OldShrinker()
    asked_of_old(shrinker, 25, 999, 1000)
    assert asked_of_old(shrinker, 10_000, 999, 0) == [] and shrinker.deferred == 50
