"""System calls that change what is mapped: the areas follow, and new pages are closed."""

import os
from collections.abc import Callable

from zsim.record.areas import WRITE, Area, mapped_file
from zsim.record.calls import NUMBER
from zsim.record.space import Space
from zsim.record.thread import Thread
from zsim.units import pages_for

PROTECTION = 7
MAP_SHARED_BITS, MAP_ANONYMOUS = 3, 0x20
MREMAP_DONTUNMAP = 4


def _mmap(thread: Thread, args: list[int], result: int) -> None:
    space, start = thread.space, result >> 12
    end = start + pages_for(args[1])
    shared = args[3] & MAP_SHARED_BITS in (1, 3)
    file = "" if args[3] & MAP_ANONYMOUS else _file_of(thread.tid, args[4] & 0xFFFF_FFFF)
    space.forget(start, end)
    if file.startswith("/dev/"):  # a device: left alone
        space.areas.remove(start, end)
        return
    space.areas.add(Area(start, end, args[2] & PROTECTION, mapped_file(file), args[5] >> 12, shared))
    if not file and not shared and args[2] & WRITE:
        _keep_whole(space, start)
    space.close_area(thread, start, end)


def _keep_whole(space: Space, start: int) -> None:
    """Have a new mapping get its anon_vma before it is split.

    Parts that get one each never merge again: mremap refuses them, and a process may have 65,530 mappings.
    """
    space.write(start << 12, b"\0")


def _file_of(tid: int, descriptor: int) -> str:
    try:
        path = os.readlink(f"/proc/{tid}/fd/{descriptor}")
    except OSError:
        return ""
    return "" if path.startswith("/dev/zero") else path


def _munmap(thread: Thread, args: list[int], result: int) -> None:
    start = args[0] >> 12
    end = start + pages_for(args[1])
    thread.space.forget(start, end)
    thread.space.areas.remove(start, end)


def _mprotect(thread: Thread, args: list[int], result: int) -> None:
    start = args[0] >> 12
    end = start + pages_for(args[1])
    thread.space.areas.protect(start, end, args[2] & PROTECTION)
    thread.space.close_area(thread, start, end)


def _brk(thread: Thread, args: list[int], result: int) -> None:
    space = thread.space
    before, now = space.break_page, pages_for(result)
    space.break_page = now
    if before and now > before:
        space.areas.add(Area(before, now, 3))
        _keep_whole(space, before)
        space.close_area(thread, before, now)
    elif now < before:
        space.forget(now, before)
        space.areas.remove(now, before)


def _mremap(thread: Thread, args: list[int], result: int) -> None:
    space, old, start = thread.space, args[0] >> 12, result >> 12
    old_pages, new_pages = pages_for(args[1]), pages_for(args[2])
    area = space.areas.find(old)
    if area is None:
        return
    if not args[3] & MREMAP_DONTUNMAP and old_pages:
        space.forget(old, old + old_pages)
        space.areas.remove(old, old + old_pages)
    space.forget(start, start + new_pages)
    index = area.index + old - area.start
    space.areas.add(Area(start, start + new_pages, area.protection, area.file, index, area.shared))
    space.close_area(thread, start, start + new_pages)


def before_move(thread: Thread, args: list[int]) -> None:
    """Make what mremap is to move one mapping again: the kernel moves no more than one."""
    space, start = thread.space, args[0] >> 12
    end = start + pages_for(args[1])
    area = space.areas.find(start)
    if area is not None and area.protection:
        space.open(thread, start, min(end, area.end), area.protection)


def _shmat(thread: Thread, args: list[int], result: int) -> None:
    from pathlib import Path

    from zsim.record.areas import parse_maps

    start = result >> 12
    for area in parse_maps(Path(f"/proc/{thread.tid}/maps").read_text()):
        if area.start == start:
            thread.space.forget(area.start, area.end)
            thread.space.areas.add(area)
            thread.space.close_area(thread, area.start, area.end)


def _shmdt(thread: Thread, args: list[int], result: int) -> None:
    area = thread.space.areas.find(args[0] >> 12)
    if area is not None:
        thread.space.forget(area.start, area.end)
        thread.space.areas.remove(area.start, area.end)


MAPPING_CALLS: dict[int, Callable[[Thread, list[int], int], None]] = {
    NUMBER["mmap"]: _mmap,
    NUMBER["munmap"]: _munmap,
    NUMBER["mprotect"]: _mprotect,
    NUMBER["pkey_mprotect"]: _mprotect,
    NUMBER["brk"]: _brk,
    NUMBER["mremap"]: _mremap,
    NUMBER["shmat"]: _shmat,
    NUMBER["shmdt"]: _shmdt,
}
