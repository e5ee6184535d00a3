"""zsmalloc: class tables as the kernel builds them, and small stories of slots, lists, compaction and reclaim."""

import csv
import random
from pathlib import Path

import pytest

from zsim.allocators import EAGAIN, EINVAL, ENOMEM, ENOSPC, make_allocator
from zsim.allocators.zsmalloc import Zsmalloc
from zsim.allocators.zsmalloc_classes import Shape, by_percent, by_waste, class_table, index_for
from zsim.allocators.zsmalloc_forms import FORMS
from zsim.errors import UsageError

DATA = Path(__file__).parent.parent / "data"
KERNELS = ["2013", "3.19", "4.1", "4.10", "6.2", "6.3", "6.4", "6.12"]
ERAS = {
    "stage": (class_table(by_percent, 4, False), 0),
    "v41_v62": (class_table(by_percent, 4, True), 8),
    "v63_chain8": (class_table(by_waste, 8, True), 8),
}


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table in tests/data."""
    with (DATA / f"{name}.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def shapes(name: str) -> list[Shape]:
    """A class table in tests/data."""
    return [Shape(int(r["index"]), int(r["size"]), int(r["pages"]), int(r["objs"])) for r in rows(name)]


def pool(kernel: str, chain_size: int = 0, frames: int = 0) -> Zsmalloc:
    """A pool of `kernel`; with `frames`, the most page frames it can get."""
    zsmalloc: Zsmalloc | None = None

    def grow(pages: int) -> bool:
        return not frames or (zsmalloc.pages if zsmalloc else 0) + pages <= frames

    made = make_allocator(f"zsmalloc@{kernel}", chain_size=chain_size, grow=grow)
    assert isinstance(made, Zsmalloc)
    zsmalloc = made
    return zsmalloc


def slots(zsmalloc: Zsmalloc, *handles: int) -> list[tuple[int, int]]:
    """(zspage, slot) of each handle."""
    where = {extent.handle: extent for extent in zsmalloc.extents()}
    size_bytes = {handle: zspage.size_class.shape.slot_bytes for handle, (zspage, _, _) in zsmalloc._places.items()}
    return [(where[handle].group, where[handle].offset // size_bytes[handle]) for handle in handles]


@pytest.mark.parametrize(("name", "rule", "chain_pages"), [("zs_chain4", by_percent, 4), ("zs_chain8", by_waste, 8)])
def test_merged_classes(name, rule, chain_pages):
    """Every class of the merged tables is there, and an index not listed is an alias of the next listed one."""
    listed = {shape.class_index: shape for shape in shapes(name)}
    table = class_table(rule, chain_pages, True)
    assert list(dict.fromkeys(table)) == list(listed.values())
    for index, shape in enumerate(table):
        assert shape.class_index == min(number for number in listed if number >= index)


def test_chain_of_4_by_waste_differs_in_one_class():
    """The percent and the waste rule disagree on 208-byte slots alone."""
    old, new = class_table(by_percent, 4, True), class_table(by_waste, 4, True)
    assert [(a, b) for a, b in zip(old, new, strict=True) if a != b] == [(Shape(11, 208, 2, 39), Shape(11, 208, 3, 59))]


def test_unmerged_classes():
    """Before 3.19 each of the 255 slot sizes is a class of its own."""
    table = {shape.slot_bytes: shape for shape in class_table(by_percent, 4, False)}
    seen = 0
    for row in rows("zs_staging_ranges"):
        for slot_bytes in range(int(row["size_from"]), int(row["size_to"]) + 1, 16):
            assert table[slot_bytes][2:] == (int(row["pages"]), int(row["objs"]))
            seen += 1
    assert seen == len(table) == 255


def test_request_to_class():
    """A request with its handle word gets the class the kernel gives it."""
    for row in rows("zs_lookup"):
        table, handle_bytes = ERAS[row["era"]]
        index = index_for(int(row["request"]) + handle_bytes)
        expected = Shape(*(int(row[key]) for key in ("class_index", "slot", "pages", "objs")))
        assert (index, table[index]) == (int(row["raw_index"]), expected), row


@pytest.mark.parametrize(
    ("kernel", "chain", "classes", "huge"),
    [
        ("2013", 0, 255, 3265),
        ("4.1", 0, 69, 3257),
        ("6.1", 0, 69, 3257),
        ("6.3", 0, 119, 3625),
        ("6.12", 0, 119, 3625),
        ("6.12", 4, 69, 3257),
        ("6.12", 16, 192, 3833),
    ],
)
def test_huge_class(kernel, chain, classes, huge):
    """From the huge class size on an object takes a page of its own, just below it it shares one."""
    zsmalloc = pool(kernel, chain)
    assert (len(set(zsmalloc._class_by_steps)), zsmalloc.huge_class_size) == (classes, huge)
    for size_bytes in (huge, huge + 1, 4096):
        assert zsmalloc.alloc(size_bytes) > 0
    assert zsmalloc.pages == 3
    zsmalloc.alloc(huge - 1)
    assert zsmalloc.pages > 4
    zsmalloc.validate()


@pytest.mark.parametrize(("kernel", "over_size"), [("2013", EINVAL), ("6.1", EINVAL), ("6.7", EINVAL), ("6.8", ENOSPC)])
def test_refused_sizes(kernel, over_size):
    """Nothing is stored for 0 bytes or for more than a page, which 6.8 calls "no space"."""
    zsmalloc = pool(kernel)
    assert [zsmalloc.alloc(size_bytes) for size_bytes in (0, 4097)] == [EINVAL, over_size]
    assert zsmalloc.pages == 0


def test_forms_in_order():
    """Each kernel gets the newest form not newer than it, whatever came before 3.19 the staging one."""
    assert [form.since for form in FORMS] == sorted(form.since for form in FORMS)
    assert pool("2013").form is pool("3.18").form is FORMS[0]
    assert pool("4.0").form is pool("3.19").form is FORMS[1]
    assert pool("6.19").form is FORMS[-1]
    assert [pool(kernel).can_reclaim for kernel in KERNELS] == [False] * 4 + [True] * 3 + [False]
    assert [pool(kernel).can_compact for kernel in KERNELS] == [False] * 2 + [True] * 6


@pytest.mark.parametrize("kernel", ["4.3", "6.1", "6.12"])
def test_compactable_pages_are_what_compaction_frees(kernel):
    """The shrinker's count, after a random half of the objects is gone, is what compaction gives back."""
    zsmalloc, rng = pool(kernel), random.Random(5)
    handles = [zsmalloc.alloc(rng.randint(20, 3000)) for _ in range(3000)]
    assert zsmalloc.compactable_pages() == 0
    for handle in rng.sample(handles, 1500):
        zsmalloc.free(handle)
    expected = zsmalloc.compactable_pages()
    assert zsmalloc.compact() == expected > 100
    assert zsmalloc.compactable_pages() == 0


def test_nobody_asked_before_4_3():
    """4.1 can compact, but no shrinker asks it to."""
    zsmalloc = pool("4.1")
    handles = [zsmalloc.alloc(700) for _ in range(100)]
    for handle in handles[::2]:
        zsmalloc.free(handle)
    assert zsmalloc.compactable_pages() == 0
    assert zsmalloc.compact() > 0


@pytest.mark.parametrize(("kernel", "chain"), [("6.12", 3), ("6.12", 17), ("6.1", 17), ("6.1", -1)])
def test_chain_size_out_of_range(kernel, chain):
    """A chain size the kernel cannot be built with is refused by name."""
    with pytest.raises(UsageError, match=f"chain size {chain} "):
        pool(kernel, chain)


def test_no_frames():
    """Without frames for a whole zspage the allocation fails and nothing changes."""
    zsmalloc = pool("6.1", frames=5)
    handles = [zsmalloc.alloc(3256) for _ in range(5)]
    assert zsmalloc.alloc(3256) == ENOMEM
    assert zsmalloc.pages == 4
    zsmalloc.free(handles[2])
    assert zsmalloc.alloc(3256) > 0
    zsmalloc.validate()


def test_free_of_what_is_not_live():
    """A handle may be freed once."""
    zsmalloc = pool("6.1")
    handle = zsmalloc.alloc(100)
    zsmalloc.free(handle)
    assert zsmalloc.pages == 0
    with pytest.raises(KeyError):
        zsmalloc.free(handle)


def test_slots_are_a_stack():
    """A fresh zspage hands out slots 0, 1, 2, ...; the slot freed last is taken first."""
    zsmalloc = pool("6.1")
    a, b, c = (zsmalloc.alloc(1000) for _ in range(3))
    assert slots(zsmalloc, a, b, c) == [(1, 0), (1, 1), (1, 2)]
    zsmalloc.free(a)
    zsmalloc.free(b)
    assert slots(zsmalloc, zsmalloc.alloc(1000), zsmalloc.alloc(1000), zsmalloc.alloc(1000)) == [(1, 1), (1, 0), (1, 3)]


def test_fullest_group_first():
    """An allocation goes to the almost-full group; among equals, to the zspage that came to its group last."""
    zsmalloc = pool("6.1")
    first, second = ([zsmalloc.alloc(500) for _ in range(8)] for _ in range(2))
    for handle in (*first[:2], *second[:1]):
        zsmalloc.free(handle)
    assert slots(zsmalloc, zsmalloc.alloc(500)) == [(2, 0)]
    for handle in second[1:4]:
        zsmalloc.free(handle)
    assert slots(zsmalloc, zsmalloc.alloc(500)) == [(2, 3)]  # 5 of 8 used, though the other has 6


def test_put_back_behind_a_fuller_front():
    """In 4.3 to 6.3 a zspage that is put back emptier than the front of its list goes second."""
    zsmalloc = pool("6.3")
    first, second = ([zsmalloc.alloc(500) for _ in range(8)] for _ in range(2))
    for handle in second[:2]:
        zsmalloc.free(handle)

    def evict(handle: int) -> bool:
        if handle != first[7]:
            zsmalloc.free(handle)
        return handle != first[7]

    assert zsmalloc.reclaim(evict, tries=1) == EAGAIN
    assert slots(zsmalloc, zsmalloc.alloc(500)) == [(2, 1)]


@pytest.mark.parametrize("kernel", ["4.1", "4.10", "6.3", "6.4", "6.12"])
def test_compaction_frees_whole_zspages(kernel):
    """Four zspages a quarter full become one; the objects keep their handles."""
    zsmalloc = pool(kernel, chain_size=4)
    handles = [zsmalloc.alloc(1000) for _ in range(16)]
    kept = handles[::4]
    for handle in set(handles) - set(kept):
        zsmalloc.free(handle)
    assert (zsmalloc.pages, zsmalloc.compact(), zsmalloc.pages) == (4, 3, 1)
    zsmalloc.validate()
    assert sorted(extent.handle for extent in zsmalloc.extents()) == kept
    assert zsmalloc.compact() == 0


def test_compaction_moves_objects_in_slot_order():
    """The source is emptied from slot 0 up, into the target's slots on top of the stack."""
    zsmalloc = pool("6.12")
    first, second = ([zsmalloc.alloc(500) for _ in range(8)] for _ in range(2))
    for handle in (*first[1:6], *second[2:8]):
        zsmalloc.free(handle)
    zsmalloc.compact()
    assert slots(zsmalloc, *second[:2]) == [(1, 5), (1, 4)]


@pytest.mark.parametrize("kernel", ["2013", "3.19"])
def test_no_compaction_before_4_1(kernel):
    """Objects cannot move while their handle says where they are."""
    zsmalloc = pool(kernel)
    handles = [zsmalloc.alloc(1000) for _ in range(8)]
    for handle in handles[:7:2]:
        zsmalloc.free(handle)
    assert (zsmalloc.compact(), zsmalloc.pages) == (0, 2)


@pytest.mark.parametrize("kernel", ["2013", "6.1", "6.5", "6.12"])
def test_no_reclaim(kernel):
    """But for 6.2 to 6.4, zsmalloc cannot say which objects to evict for a page."""
    zsmalloc = pool(kernel)
    zsmalloc.alloc(1000)
    assert zsmalloc.reclaim(lambda handle: True) == EINVAL


@pytest.mark.parametrize("kernel", ["6.2", "6.3", "6.4"])
def test_reclaim_takes_the_zspage_allocated_into_longest_ago(kernel):
    """One call evicts every object of the oldest zspage, in slot order, and frees all of its pages."""
    zsmalloc = pool(kernel, chain_size=4)
    old, new = [zsmalloc.alloc(3000) for _ in range(4)], [zsmalloc.alloc(2000) for _ in range(2)]
    evicted = []

    def evict(handle: int) -> bool:
        evicted.append(handle)
        zsmalloc.free(handle)
        return True

    assert (zsmalloc.pages, zsmalloc.reclaim(evict), zsmalloc.pages) == (4, 3, 1)
    assert evicted == old
    assert (zsmalloc.reclaim(evict), zsmalloc.reclaim(evict)) == (1, EINVAL)
    assert evicted == old + new
    zsmalloc.validate()


def test_reclaim_that_fails():
    """A zspage that keeps an object goes to the young end of the LRU with its free slots in ascending order."""
    zsmalloc = pool("6.3")
    stubborn = [zsmalloc.alloc(1000) for _ in range(4)]
    asked: list[int] = []

    def evict(handle: int) -> bool:
        asked.append(handle)
        if handle != stubborn[3]:
            zsmalloc.free(handle)
        return handle != stubborn[3]

    assert zsmalloc.reclaim(evict, tries=2) == EAGAIN
    assert asked == [*stubborn, stubborn[3]]
    zsmalloc.validate()
    assert slots(zsmalloc, *(zsmalloc.alloc(1000) for _ in range(3))) == [(1, 0), (1, 1), (1, 2)]


def test_occupancy():
    """One row for each size class in use."""
    zsmalloc = pool("6.1")
    for size_bytes in (100, 100, 3256, 4096):
        zsmalloc.alloc(size_bytes)
    assert [tuple(row) for row in zsmalloc.occupancy()] == [
        ("class 5 (112 B)", 2, 2, 73),
        ("class 202 (3264 B)", 4, 1, 5),
        ("class 254 (4096 B)", 1, 1, 1),
    ]
