"""What is measured: every metric with its unit and which way is better, and the counters a replay adds to."""

from dataclasses import dataclass, fields
from typing import NamedTuple


class Metric(NamedTuple):
    """One row of every table: `better` is "lower", "higher" or "" (neither); `unit` "" for a plain count."""

    name: str
    unit: str
    better: str
    meaning: str


METRICS = {
    row[0]: Metric(*row)
    for row in [
        ("accesses", "", "", "accesses replayed"),
        ("hits", "", "higher", "accesses that did not fault"),
        ("pgfault", "", "lower", "accesses that faulted, minor and major"),
        ("minor_faults", "", "", "first touches, swap-cache hits and writes to pages mapped read-only"),
        ("pgmajfault", "", "lower", "faults served from the compressed store or a device"),
        ("major_store", "", "", "major faults served from the compressed store"),
        ("major_device", "", "lower", "major faults that read a device"),
        ("pswpin", "pages", "lower", "pages read from the swap device"),
        ("pswpout", "pages", "lower", "pages written to the swap device, writeback included"),
        ("zswpin", "pages", "", "pages loaded from the compressed store"),
        ("zswpout", "pages", "", "pages stored in the compressed store"),
        ("swpin_zero", "pages", "", "pages filled from the zero map"),
        ("swpout_zero", "pages", "", "zero-filled pages noted in the zero map"),
        ("filein", "pages", "lower", "page-cache pages read again from the filesystem's device"),
        ("fileout", "pages", "", "dirty page-cache pages written to the filesystem's device"),
        ("swap_ra", "pages", "", "pages brought in by swap readahead"),
        ("swap_ra_hit", "pages", "", "pages of swap readahead that were then used"),
        ("swap_read_requests", "", "lower", "read requests to the swap device"),
        ("swap_write_requests", "", "lower", "write requests to the swap device, neighbours merged"),
        ("file_read_requests", "", "lower", "read requests to the filesystem's device"),
        ("file_write_requests", "", "lower", "write requests to the filesystem's device, neighbours merged"),
        ("write_errors", "pages", "lower", "writes the device failed"),
        ("written_back_pages", "pages", "lower", "compressed pages written back to the swap device, or zram's own"),
        ("writeback_refaults", "pages", "lower", "pages written back and faulted in again from the device"),
        (
            "lru_inversions",
            "pages",
            "lower",
            "pages that went to a device while pages evicted earlier stayed compressed",
        ),
        (
            "lru_inversion_share",
            "",
            "lower",
            "share of the compressed pages that were older than one that went to a device: 0 the oldest went, 1 the "
            "newest; the mean over those that went",
        ),
        ("rejected_stores", "pages", "lower", "swap pages that the store refused"),
        ("pool_limit_hit", "", "lower", "stores that found the pool at its limit"),
        ("reject_pool_limit", "", "lower", "stores refused because the pool was full or above its accept threshold"),
        ("reject_reclaim_fail", "", "lower", "pool reclaim that freed nothing"),
        ("reject_alloc_fail", "", "lower", "stores refused for want of memory"),
        ("reject_compress_poor", "", "lower", "stores of pages larger than the allocator packs"),
        ("reject_compress_fail", "", "lower", "stores of pages that did not compress"),
        ("reject_flush_attempted", "", "lower", "stores that found no room and wanted to flush, refused or not (2013)"),
        ("reject_tmppage_fail", "", "lower", "stores that found no temporary buffer to flush with (2013)"),
        ("flush_stopped", "", "lower", "flushes that too many unfinished writes cut short (2013)"),
        ("saved_by_flush", "", "", "stores that found room after a flush (2013)"),
        ("duplicate_entry", "pages", "", "stores at an offset that had an entry (zswap until 6.8)"),
        ("failed_writes", "pages", "lower", "writes that zram failed for want of memory; the pages stay in memory"),
        ("notify_free", "pages", "", "zram sectors freed as swap gave up their slots"),
        ("huge_pages", "pages", "lower", "zram sectors stored uncompressed, at the end"),
        ("huge_pages_since", "pages", "lower", "pages zram ever stored uncompressed"),
        ("recompressed_pages", "pages", "", "zram sectors that a second algorithm made smaller"),
        ("pages_compacted", "pages", "", "page frames that compaction freed (zram)"),
        ("bd_count", "pages", "", "pages on zram's backing device at the end"),
        ("bd_reads", "pages", "lower", "pages read from zram's backing device"),
        ("bd_writes", "pages", "lower", "pages written to zram's backing device"),
        ("stored_pages", "pages", "", "pages in the compressed store at the end"),
        ("same_filled_pages", "pages", "", "same-filled pages among them"),
        (
            "stored_incompressible_pages",
            "pages",
            "lower",
            "pages stored as they are among them (zswap, 6.18 and later)",
        ),
        ("compressed_bytes", "B", "", "their compressed size, without the allocator's overhead"),
        ("pool_pages", "pages", "lower", "page frames of the pool at the end"),
        ("pool_pages_peak", "pages", "lower", "most page frames the pool ever held"),
        ("pool_limit_pages", "pages", "", "the pool's limit, where it has one"),
        ("pool_pages_over_limit_peak", "pages", "lower", "most page frames it ever was above it"),
        ("stored_pages_peak", "pages", "", "most pages the store ever held"),
        ("compression_ratio", "", "higher", "payload: bytes of the stored pages / their compressed bytes, at the end"),
        ("effective_ratio", "", "higher", "bytes of the stored pages / bytes of the pool's frames, at the end"),
        ("density", "pages/frame", "higher", "stored pages (not same-filled) per pool frame, at the end"),
        ("pgscan", "pages", "lower", "pages looked at by reclaim"),
        ("pageout", "pages", "", "pages reclaim stored or wrote"),
        ("pgsteal", "pages", "", "pages freed by reclaim"),
        ("pgsteal_kswapd", "pages", "", "of these, by kswapd"),
        ("pgsteal_direct", "pages", "lower", "of these, by the allocating task"),
        ("pgactivate", "pages", "", "pages moved to the active list"),
        ("pgdeactivate", "pages", "", "pages moved to the inactive list"),
        ("pgrotated", "pages", "", "pages moved to the inactive tail when their write ended"),
        ("allocstall", "", "lower", "direct reclaims"),
        ("workingset_refault_anon", "pages", "lower", "anonymous pages that came back after eviction"),
        ("workingset_refault_file", "pages", "lower", "page-cache pages that came back after eviction"),
        ("workingset_activate_anon", "pages", "", "refaults that went straight to the active list"),
        ("workingset_activate_file", "pages", "", "refaults that went straight to the active list"),
        ("free_page_calls", "", "", "times a frame of the pool was wanted back"),
        ("freed_pool_pages", "pages", "", "pool frames that came back by evicting what was in them"),
        ("evictions", "", "", "objects evicted to free them"),
        ("evictions_per_freed_page", "", "lower", "objects evicted per pool frame freed"),
        ("resident_pages", "pages", "higher", "pages mapped at the end"),
        ("swapcache_pages", "pages", "", "unmapped pages in the swap cache at the end"),
        ("free_pages", "pages", "", "free page frames at the end"),
        ("slots_used", "pages", "", "swap slots in use at the end"),
        ("puts", "", "", "clean page-cache pages offered to the store (cleancache)"),
        ("succ_gets", "", "higher", "page-cache pages that came back from the store: disk reads saved"),
        ("failed_gets", "", "lower", "page-cache pages looked for in the store and read from the disk"),
        ("invalidates", "", "", "page-cache pages unmapped for good"),
        ("puts_never_read", "", "lower", "share of the puts that no get followed"),
        ("cleancache_ns", "ns", "lower", "processor time of cleancache's puts and gets"),
        ("eph_zpages", "pages", "", "page-cache pages in the store at the end (ephemeral)"),
        ("eph_pageframes", "pages", "", "frames they take"),
        ("pers_zpages", "pages", "", "swap pages in the store at the end (persistent)"),
        ("pers_pageframes", "pages", "", "frames they take"),
        ("evicted_eph_zpages", "pages", "", "page-cache pages dropped for their frames"),
        ("evicted_eph_pageframes", "pages", "", "frames that came back"),
        ("eph_ate_tail", "pages", "", "frames that new page cache took from the oldest"),
        ("eph_ate_tail_failed", "", "lower", "times that found none"),
        ("pers_ate_eph", "pages", "", "frames that swap took from page cache"),
        ("pers_ate_eph_failed", "", "lower", "times that found none"),
        ("mean_compress_poor", "", "lower", "swap pages refused while the mean compressed size was too large"),
        ("put_to_flush", "", "lower", "puts that found no memory for metadata"),
        ("eph_nonactive_puts_ignored", "", "", "page-cache pages not kept because they never were active"),
        ("pers_nonactive_puts_ignored", "", "", "swap pages not kept because they never were active"),
        ("obj_count_max", "", "", "most objects tmem ever had"),
        ("objnode_count_max", "", "", "most tree nodes tmem ever had"),
        ("tmem_metadata_bytes", "B", "lower", "slab memory of tmem at its largest: pools, objects, nodes, spares"),
        ("tmem_lookups", "", "", "puts, gets and flushes of a page in tmem"),
        ("tmem_lookup_steps", "", "", "objects and tree nodes met on their way"),
        ("compress_ns", "ns", "lower", "processor time spent compressing"),
        ("decompress_ns", "ns", "lower", "processor time spent decompressing"),
        ("device_read_ns", "ns", "lower", "time tasks waited for device reads"),
        ("direct_reclaim_ns", "ns", "lower", "time tasks spent in direct reclaim, waits included"),
        ("kswapd_ns", "ns", "", "processor time of kswapd"),
        ("writeback_ns", "ns", "", "processor time of the writeback worker"),
        ("stall_ns", "ns", "lower", "time tasks were stalled by memory: faults and reclaim"),
        ("runtime_ns", "ns", "lower", "from the first access to the end of the last task"),
        ("slowdown", "x", "lower", "runtime / runtime of the same trace with unlimited memory"),
        ("drawn_share", "", "", "share of the page contents whose size was drawn from the population of real pages"),
    ]
}


@dataclass(slots=True)
class Counters:
    """What the machine counts while it runs; the rest of METRICS is worked out when it ends."""

    pgfault: int = 0
    minor_faults: int = 0
    major_store: int = 0
    major_device: int = 0
    pswpin: int = 0
    pswpout: int = 0
    zswpin: int = 0
    zswpout: int = 0
    swpin_zero: int = 0
    swpout_zero: int = 0
    filein: int = 0
    fileout: int = 0
    swap_ra: int = 0
    swap_ra_hit: int = 0
    write_errors: int = 0
    written_back_pages: int = 0
    writeback_refaults: int = 0
    lru_inversions: int = 0
    rejected_stores: int = 0
    pool_limit_hit: int = 0
    reject_pool_limit: int = 0
    reject_reclaim_fail: int = 0
    reject_alloc_fail: int = 0
    reject_compress_poor: int = 0
    reject_compress_fail: int = 0
    reject_flush_attempted: int = 0
    reject_tmppage_fail: int = 0
    flush_stopped: int = 0
    saved_by_flush: int = 0
    pgscan: int = 0
    pageout: int = 0
    pgsteal_kswapd: int = 0
    pgsteal_direct: int = 0
    pgactivate: int = 0
    pgdeactivate: int = 0
    pgrotated: int = 0
    allocstall: int = 0
    workingset_refault_anon: int = 0
    workingset_refault_file: int = 0
    workingset_activate_anon: int = 0
    workingset_activate_file: int = 0
    free_page_calls: int = 0
    freed_pool_pages: int = 0
    evictions: int = 0
    compress_ns: int = 0
    decompress_ns: int = 0
    device_read_ns: int = 0
    direct_reclaim_ns: int = 0
    kswapd_ns: int = 0
    writeback_ns: int = 0
    stall_ns: int = 0

    def as_dict(self) -> dict[str, int]:
        """Name -> count, in the order of METRICS."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
