"""The table after a run: complete, within a screen, and honest about what it cannot say."""

import re

import pytest

from tests.machines import make_trace
from tests.results import busy_config, busy_result, busy_trace, oom_result
from zsim.run import replay
from zsim.table import table, warnings

CASES = {
    "zbud": {},
    "zsmalloc": {"allocator": "zsmalloc"},
    "none": {"store": "none"},
    "store-path": {"era": "3.11"},
    "failing": {"swap": "failing"},
    "failing of 2013": {"swap": "failing", "era": "3.11"},
    "kept": {"writeback": "none", "zswap__max_pool_percent": 1},
    "zram": {"store": "zram", "zram__disksize": "200K", "zram__mem_limit": "100K", "zram__backing_device": "hdd"},
    "zram alone": {"store": "zram", "swap__size": "none"},
    "zcache1": {"store": "zcache1", "era": "2013"},
    "zcache2": {"store": "zcache2", "era": "3.11"},
    "no slots": {"swap__size": "none"},
    "level": {"compressor": "zstd", "compressor_level": 9},
}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_fits_a_screen(values: dict[str, object]) -> None:
    """At most 40 lines of at most 100 columns, whatever ran."""
    lines = table(busy_result(**values)).splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 100
    assert lines == [line.rstrip() for line in lines]


def test_says_what_ran_and_what_came_of_it() -> None:
    """Trace, memory, store, swap; faults; pool; devices; time."""
    result = busy_result()
    text, metrics = table(result), result.metrics
    assert "busy: 3,120 accesses, 120 pages" in text
    assert "256 KiB (53% of 480 KiB), mode machine, reclaim two-list, era 6.1" in text
    assert "zswap, zbud, lz4, writeback worker, pool at most 20 % of RAM" in text
    assert re.search(rf"major, from the store +{metrics['major_store']:,} ", text)
    assert re.search(rf"swap \(nvme\) +{metrics['pswpin']:,} +{metrics['pswpout']:,} ", text)
    assert f"pool_limit {metrics['reject_pool_limit']:,}" in text
    assert f"{metrics['slowdown']:.4g} times that with unlimited memory" in text


def test_without_a_store_there_is_no_pool() -> None:
    """Nothing is said of what does not exist."""
    text = table(busy_result(store="none"))
    assert "none: every page reclaimed goes to the device" in text
    assert "pool at the end" not in text and "from the store" not in text


def test_nothing_rejected_nothing_computed() -> None:
    """Where nothing happened the table says none, not zeros in a row."""
    text = table(replay(busy_trace(), busy_config(memory="16M")))
    assert re.search(r"rejects +none", text) and re.search(r"written back +none", text)
    assert "nothing that has a cost" in text and "1 times that with unlimited memory" in text


def test_out_of_memory_is_said_in_words() -> None:
    """How far it came, and what Linux would have done."""
    result = oom_result()
    text = table(result)
    assert f"OUT OF MEMORY after {result.metrics['accesses']:,} of 3,120 accesses" in text
    assert "times that with unlimited memory" not in text


def test_failed_writes_are_shown() -> None:
    """A device that fails its writes is not passed over."""
    assert "pages could not be written" in table(busy_result(swap="failing"))


def test_each_store_in_its_own_words() -> None:
    """zram is a device of a size, zcache keeps two kinds of page; neither has zswap's limit."""
    zram = table(busy_result(store="zram", zram__disksize="200K", zram__backing_device="hdd"))
    assert "zram, zsmalloc, lz4, disksize 200 KiB, before the disk, backed by hdd" in zram
    assert "swap    no device" in table(busy_result(store="zram", swap__size="none"))
    zcache = table(busy_result(store="zcache2", era="3.11", zcache__cleancache=False))
    assert "lz4, frontswap, no writeback" in zcache
    assert "% of RAM" not in zram + zcache and "found full" not in zram + zcache
    assert re.search(r"page cache +0 puts", zcache) and re.search(r"huge pages +\d+ now", zram)


def test_inversions_are_told() -> None:
    """Pages that went to the device past older ones; nothing where there were none."""
    result = busy_result()
    assert f"{result.metrics['lru_inversions']:,} pages went to a device past older ones" in table(result)
    assert "inversions" not in table(replay(busy_trace(), busy_config(memory="16M")))


def test_tasks_files_and_readahead_are_named() -> None:
    """Several tasks and page-cache pages, where there are any."""
    trace = make_trace([[(page, 1) for page in range(40)]] * 2, files=frozenset({(0, 1), (0, 2)}))
    text = table(replay(trace, busy_config(swap__page_cluster=3)))
    assert "80 pages, 2 of them page cache, 2 tasks" in text and "readahead of 8 pages" in text


def test_warnings() -> None:
    """Drawn sizes, and too few resident pages for what the recording can say."""
    result = busy_result()
    assert len(warnings(result)) == 1 and "100.0% of the page contents" in warnings(result)[0]
    result.trace["min_memory_pages"] = 1000
    assert "fewer than the 1,000" in warnings(result)[1]
    assert warnings(busy_result(store="none")) == []
    roomy = replay(busy_trace(), busy_config(memory="16M", store="none"))
    roomy.trace["min_memory_pages"] = 1000
    assert warnings(roomy) == []
