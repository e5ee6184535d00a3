"""What is mapped: a sorted list of areas does as a table of pages would."""

from hypothesis import given
from hypothesis import strategies as st

from zsim.record.areas import READ, WRITE, Area, Areas, mapped_file, parse_maps

MAPS = """\
00400000-0041f000 r--p 00000000 fe:00 260811                             /usr/bin/a program
0041f000-00420000 r-xp 0001f000 fe:00 260811                             /usr/bin/a program
00aca000-00acf000 rw-p 00000000 00:00 0                                  [heap]
7ffff7c00000-7ffff7c02000 rw-s 00003000 00:01 7                          /dev/zero (deleted)
7ffff7d00000-7ffff7d01000 rw-s 00000000 00:05 8                          /dev/dri/card0
7ffff7fc4000-7ffff7fc8000 r--p 00000000 00:00 0                          [vvar]
7ffff7fc8000-7ffff7fca000 r-xp 00000000 00:00 0                          [vdso]
7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
"""


def test_maps_are_read() -> None:
    """Protection, file, index and kind come from the line; devices and what the kernel keeps do not count."""
    areas = parse_maps(MAPS)
    assert [(area.start, area.end) for area in areas[:3]] == [(0x400, 0x41F), (0x41F, 0x420), (0xACA, 0xACF)]
    assert (areas[1].file, areas[1].index, areas[1].protection) == ("/usr/bin/a program", 0x1F, 5)
    assert (areas[2].file, areas[2].protection) == ("", READ | WRITE)
    assert (areas[3].file, areas[3].index, areas[3].shared) == ("", 3, True)
    assert areas[4].stack and len(areas) == 5


def test_shared_memory_is_no_file() -> None:
    """What swap holds is anonymous whatever its name."""
    assert [mapped_file(name) for name in ("/dev/shm/x", "/memfd:y (deleted)", "/SYSV1", "[heap]")] == [""] * 4
    assert mapped_file("/lib/libc.so.6") == "/lib/libc.so.6"


def test_part_keeps_its_place_in_the_file() -> None:
    """A part of a file's area begins that much further in the file."""
    assert Area(10, 20, READ, "f", 100).part(13, 50) == Area(13, 20, READ, "f", 103)


STEPS = st.lists(
    st.tuples(st.sampled_from("arp"), st.integers(0, 30), st.integers(1, 12), st.integers(0, 7)), max_size=20
)


@given(STEPS)
def test_areas_are_a_table_of_pages(steps: list[tuple[str, int, int, int]]) -> None:
    """After any maps, unmaps and protects each page is mapped with the protection and index it would have."""
    areas, table = Areas(), {}
    for number, (what, start, pages, protection) in enumerate(steps):
        end = start + pages
        if what == "a":
            areas.add(Area(start, end, protection, "f", 100 * number))
            table |= {page: (protection, 100 * number + page - start) for page in range(start, end)}
        elif what == "r":
            areas.remove(start, end)
            table = {page: value for page, value in table.items() if not start <= page < end}
        else:
            areas.protect(start, end, protection)
            table = {p: (protection if start <= p < end else old, index) for p, (old, index) in table.items()}
    found = {page: areas.find(page) for page in range(50)}
    assert {p: (a.protection, a.index + p - a.start) for p, a in found.items() if a is not None} == table
    assert areas.starts == sorted(area.start for area in areas)
    assert {page for area in areas.within(7, 23) for page in range(area.start, area.end)} == set(table) & set(
        range(7, 23)
    )
