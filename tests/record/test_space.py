"""Which pages are closed together, and what a fork takes along."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from zsim.record.areas import Area, Areas
from zsim.record.memory import FilePages
from zsim.record.space import Space, _joined, _split
from zsim.record.thread import Thread


def space(*areas: Area) -> tuple[Space, list[tuple[int, int, int]], Thread]:
    """A space over this process with areas that it has not, and what is asked of the kernel."""
    import os

    asked: list[tuple[int, int, int]] = []
    tracer = SimpleNamespace(files=FilePages(), stops=1)
    made = Space(tracer, os.getpid(), "t", Areas(list(areas)))  # type: ignore[arg-type]
    thread = SimpleNamespace(mprotect=lambda start, end, rights: asked.append((start, end, rights)) or 0)
    return made, asked, thread  # type: ignore[return-value]


def test_areas_side_by_side_join() -> None:
    """No gap, one range."""
    assert list(_joined([Area(1, 3, 1), Area(3, 9, 0), Area(10, 11, 7)])) == [(1, 9), (10, 11)]
    assert list(_joined([])) == []


def test_ranges_stop_at_what_stays_open() -> None:
    """Pages on either side of a kept one are two ranges."""
    assert list(_split([1, 2, 5, 9], [4, 7])) == [(1, 3), (5, 6), (9, 10)]
    assert list(_split([], [4])) == []


PAGES = st.sets(st.integers(0, 60), max_size=25)


@given(PAGES, PAGES)
def test_closing_closes_all_but_what_is_kept(opened: set[int], keep: set[int]) -> None:
    """Every open page that is not kept is in a range, no kept one is, and no range leaves what is mapped."""
    made, asked, thread = space(Area(0, 20, 3), Area(20, 40, 1), Area(45, 61, 3))
    mapped = set(range(40)) | set(range(45, 61))
    made.opened = dict.fromkeys(opened & mapped, 3)
    made.close_pages(thread, keep & mapped)
    closed = {page for start, end, _ in asked for page in range(start, end)}
    assert (opened & mapped) - keep <= closed <= mapped - keep
    assert set(made.opened) == opened & mapped & keep and not made.stale
    made.close()


def test_opening_and_mapping_anew() -> None:
    """What is opened is known by its rights; a new mapping closes its pages, and rights that are left stay open."""
    made, asked, thread = space(Area(0, 20, 3))
    assert made.open(thread, 4, 6, 3)
    made.areas.protect(5, 20, 1)
    made.close_area(thread, 5, 20)
    assert made.opened == {4: 3, 5: 1} and asked == [(4, 6, 3), (5, 20, 0), (5, 6, 1)]
    made.forget(4, 5)
    assert made.opened == {5: 1}
    made.close()


def test_fork_copies_what_is_mapped_and_open() -> None:
    """The child has the parent's areas and open pages, to be closed before it runs, and has touched nothing."""
    import os

    made, _, thread = space(Area(0, 20, 3))
    made.open(thread, 4, 6, 3)
    made.note(4, True)
    made.copied.add(9)
    child = made.forked(os.getpid(), "t#2")
    assert (child.opened, child.copied, child.stale, child.changed, child.task) == (
        {4: 3, 5: 3},
        {9},
        True,
        set(),
        "t#2",
    )
    child.areas.remove(0, 10)
    assert made.areas.find(3) is not None
    made.close()
    child.close()


def test_kernel_without_room() -> None:
    """Where the kernel has no room for one more mapping, the page stays closed."""
    made, _, _ = space(Area(0, 20, 3))
    full = SimpleNamespace(mprotect=lambda *arguments: -12)
    assert not made.open(full, 4, 5, 3) and made.opened == {}  # type: ignore[arg-type]
    made.close()
