"""The configuration of zswap and of the zcaches: their parameters, and what differs between their versions."""

from dataclasses import dataclass

from zsim.configkey import key


@dataclass(frozen=True)
class ZswapConfig:
    """zswap's parameters (/sys/module/zswap/parameters) and what differs between its versions."""

    max_pool_percent: int = key(20, "the pool's limit", "% of RAM", at_least=0)
    accept_threshold_percent: int = key(
        90,
        "after the limit was hit, stores are accepted again at this share of it; 0: no hysteresis (before 5.6)",
        "% of the limit",
        at_least=0,
    )
    nr_zpools: int = key(
        1, "pools of the same kind, of which each entry's address chooses one (6.6 to 6.10: 32)", "pools", at_least=1
    )
    limit_test: str = key(
        "above",
        "above: full above the limit, accepting below the threshold (to 6.9); at: full at the limit, accepting at the "
        "threshold (6.9 and later); allocator: the allocator is refused frames (2013)",
        choices=("above", "at", "allocator"),
    )
    same_filled_pages_enabled: bool = key(True, "same-filled pages take no pool space (4.16 to 6.11)")
    exclusive_loads: bool = key(False, "a load takes the entry out (6.10 and later, where swap has a cache)")
    evicts: str = key(
        "allocator",
        "what is written back: the oldest page of the allocator (3.11 to 6.4), or the oldest entries (2013, 6.6 on)",
        choices=("allocator", "entry"),
    )
    older_pool_left: bool = key(
        False,
        "an older pool is left, empty, and the worker shrinks that one: to 6.5 a store refused while the worker is "
        "queued leaks a reference, so a pool that was ever full outlives a change of allocator or compressor",
    )
    skips_empty_memcgs: bool = key(
        True,
        "a cgroup without entries, or the end of a walk over all cgroups, is no failure of the worker (6.12 and "
        "later); false: it is (6.8)",
    )
    second_chance: bool = key(False, "the oldest entry is passed over once before it is written back (6.12 on)")
    load_refreshes: bool = key(False, "a load makes the entry the youngest (2013)")
    worker_until_accepted: bool = key(
        False, "the worker goes on until stores are accepted again, and every refusal until then wakes it (6.6 on)"
    )
    worker_turn_stores: int = key(
        1,
        "refused stores after which the worker has a turn in the midst of a batch of reclaim: at once to 6.5, some "
        "stores later under the scheduler of 6.6 (see docs/model.md)",
        "stores",
        at_least=1,
    )
    shrinker_enabled: bool = key(False, "memory pressure writes entries back (6.8 on)")
    writeback_high_percent: int = key(90, "the writeback daemon wakes above this share", "% of the limit", at_least=0)
    writeback_low_percent: int = key(80, "and goes on down to this one", "% of the limit", at_least=0)
    max_compression_percent: int = key(
        100, "pages that compress to a larger share of themselves are refused (2013: 80)", "%", at_least=1
    )
    buffer_pages: int = key(
        1,
        "room to compress a page into: what does not fit one page fails; with two it is refused as poor (2013, 3.11)",
        "pages",
        at_least=1,
    )
    raw_incompressible: bool = key(False, "what does not compress is stored as it is (6.18 on)")
    flush_entries: int = key(16, "entries flushed by a store that found no room (2013)", "entries", at_least=1)
    temp_buffers: int = key(16, "stores that can flush at a time (2013)", "stores", at_least=1)
    outstanding_max: int = key(64, "flushing stops above so many unfinished writes (2013)", "pages", at_least=1)
    rotate_written: bool = key(
        True, "a page written back is the next to be reclaimed when its write ends (3.13 and later)"
    )
    header_bytes: int = key(8, "added to each object where the allocator can evict (3.11 to 6.4)", "bytes", at_least=0)


@dataclass(frozen=True)
class ZcacheConfig:
    """zcache's parameters: staging drivers of 3.8 (zcache1) and 3.9 to 3.11 (zcache2)."""

    cleancache: bool = key(True, "keep clean pages of files that reclaim drops (boot option nocleancache)")
    frontswap: bool = key(True, "keep swap pages (boot option nofrontswap)")
    exclusive_gets: bool = key(True, "zcache2: a load takes the page out (boot option noexclusivegets: false)")
    cleancache_ignore_nonactive: bool = key(
        False, "file pages that were never active are not kept; needs a page flag that was never merged"
    )
    frontswap_ignore_nonactive: bool = key(False, "the same of swap pages, which then go to the device")
    zv_page_count_policy_percent: int = key(
        75, "zcache1: most swap pages kept (pages, not frames)", "% of RAM", at_least=0
    )
    max_zsize: int = key(3584, "swap pages that compress to more are refused (7/8 page)", "bytes", at_least=0)
    max_mean_zsize: int = key(
        2560, "... and above this (5/8 page) while the mean is above it, too", "bytes", at_least=0
    )
    zv_header_bytes: int = key(56, "header of a swap page outside zbud (struct zv_hdr)", "bytes", at_least=0)
    writeback: bool = key(False, "zcache2 writes swap pages back (CONFIG_ZCACHE_WRITEBACK: broken, so off in practice)")
    outstanding_writes_max: int = key(
        6400, "zcache2: above so many unfinished writes none is started without free frames", "pages", at_least=0
    )
