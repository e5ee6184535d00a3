"""How zsmalloc compacts a size class: the three loops of Linux 4.1, 4.3 and 6.4 (__zs_compact).

Left out: the breaks taken for other holders of the lock.
"""

from collections.abc import Callable

from zsim.allocators.zsmalloc_groups import ALMOST_EMPTY, SizeClass, Zspage

Compaction = Callable[[SizeClass], None]
"""Empties zspages of a class into others of it; emptied ones are freed."""


def compact_almost_empty(size_class: SizeClass) -> None:
    """4.1 and 4.2: empty the almost-empty zspages one after the other, as long as there is a target."""
    while (source := size_class.fronts[ALMOST_EMPTY]) is not None:
        if not _empty_out(size_class, size_class.isolate(source)):
            return


def compact_emptiest(size_class: SizeClass) -> None:
    """4.3 to 6.3: the same, from either group, as long as a whole zspage can be gained."""
    while (source := size_class.emptiest()) is not None:
        size_class.isolate(source)  # the kernel isolates before it asks, so the source goes to the front either way
        if not size_class.can_compact():
            size_class.put_back(source)
            return
        if not _empty_out(size_class, source):
            return


def _empty_out(size_class: SizeClass, source: Zspage) -> bool:
    """Spread what a held zspage holds over the fullest ones; False when there is none left to take it."""
    done = False
    while not done and (target := size_class.fullest()) is not None:
        done = size_class.migrate(source, size_class.isolate(target))
        size_class.put_back(target)
    size_class.put_back(source)
    return done


def compact_into_fullest(size_class: SizeClass) -> None:
    """From 6.4: hold the fullest zspage until it is full and pour the emptiest ones into it."""
    target: Zspage | None = None
    while size_class.can_compact():
        target = target or _isolate(size_class, size_class.fullest())
        source = _isolate(size_class, size_class.emptiest())
        if target is None or source is None:
            break
        size_class.migrate(source, target)
        size_class.put_back(source)
        if target.used == size_class.shape.objects:
            size_class.put_back(target)
            target = None
    if target is not None:
        size_class.put_back(target)


def _isolate(size_class: SizeClass, zspage: Zspage | None) -> Zspage | None:
    return size_class.isolate(zspage) if zspage is not None else None
