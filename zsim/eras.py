"""Era presets: what a kernel does, as configuration values and choices of policy by name.

A value that equals the default is listed too, so that an era can be read on its own. Sources: the zswap, vmscan and
swap code of the versions named; "2013" is the patch set argued over in early 2013, on a 3.8 kernel.
"""

from typing import Any

_RECLAIM_3 = {
    "reclaim.new_anon": "active",
    "reclaim.second_look": False,
    "reclaim.refault_activates": False,
    "reclaim.balance": "rotated",
    "reclaim.folio_batch": 14,
    "memory.watermark_scale_factor": 0,
    "swap.readahead": "block",
    "swap.slots_cache": 0,
    "swap.write_frees_copy": True,
    "swap.map_writable": False,
    "swap.zeromap": False,
    "zram.same_element": False,
    "zram.huge_bytes": 3073,
}
_RECLAIM_6 = {
    "reclaim.new_anon": "inactive",
    "reclaim.second_look": True,
    "reclaim.refault_activates": True,
    "reclaim.balance": "cost",
    "memory.watermark_scale_factor": 10,
    "swap.readahead": "vma",
    "swap.slots_cache": 64,
    "swap.write_frees_copy": False,
    "zram.same_element": True,
    "zram.huge_bytes": 0,
}

ERAS: dict[str, dict[str, Any]] = {
    "2013": _RECLAIM_3
    | {
        "allocator": "zsmalloc",
        "writeback": "store-path",
        "zswap.accept_threshold_percent": 0,
        "zswap.limit_test": "allocator",
        "zswap.same_filled_pages_enabled": False,
        "zswap.exclusive_loads": False,
        "zswap.evicts": "entry",
        "zswap.second_chance": False,
        "zswap.load_refreshes": True,
        "zswap.max_compression_percent": 80,
        "zswap.buffer_pages": 2,
        "zswap.rotate_written": True,
        "zswap.header_bytes": 0,
    },
    "3.11": _RECLAIM_3
    | {
        "allocator": "zbud",
        "writeback": "store-path",
        "zswap.accept_threshold_percent": 0,
        "zswap.limit_test": "above",
        "zswap.same_filled_pages_enabled": False,
        "zswap.exclusive_loads": False,
        "zswap.evicts": "allocator",
        "zswap.buffer_pages": 2,
        "zswap.rotate_written": False,
        "zswap.header_bytes": 8,
    },
    "6.1": _RECLAIM_6
    | {
        "allocator": "zbud",
        "writeback": "worker",
        "reclaim.mglru": "6.1",
        "swap.map_writable": False,
        "swap.zeromap": False,
        "zswap.accept_threshold_percent": 90,
        "zswap.limit_test": "above",
        "zswap.same_filled_pages_enabled": True,
        "zswap.exclusive_loads": False,
        "zswap.evicts": "allocator",
        "zswap.worker_until_accepted": False,
        "zswap.worker_turn_stores": 1,
        "zswap.rotate_written": True,
        "zswap.header_bytes": 8,
    },
    "6.12": _RECLAIM_6
    | {
        "allocator": "zsmalloc",
        "writeback": "worker",
        "reclaim.mglru": "6.12",
        "reclaim.balance": "weighed",
        "reclaim.folio_batch": 31,
        "reclaim.free_batch": 31,
        "swap.map_writable": True,
        "swap.zeromap": True,
        "zswap.accept_threshold_percent": 90,
        "zswap.limit_test": "at",
        "zswap.same_filled_pages_enabled": False,
        "zswap.exclusive_loads": True,
        "zswap.evicts": "entry",
        "zswap.second_chance": True,
        "zswap.worker_until_accepted": True,
        "zswap.worker_turn_stores": 4,
        "zswap.rotate_written": True,
        "zswap.header_bytes": 0,
    },
}
ERAS["5.15"] = ERAS["6.1"] | {"swap.write_frees_copy": True}
ERAS["6.6"] = ERAS["6.1"] | {
    "reclaim.balance": "weighed",
    "swap.map_writable": True,
    "zswap.evicts": "entry",
    "zswap.second_chance": False,
    "zswap.load_refreshes": True,
    "zswap.worker_until_accepted": True,
    "zswap.worker_turn_stores": 4,
    "zswap.header_bytes": 0,
    "zswap.nr_zpools": 32,
}
ERAS["6.8"] = ERAS["6.6"] | {"allocator": "zsmalloc", "zswap.skips_empty_memcgs": False}
ERAS["6.9"] = ERAS["6.8"] | {"zswap.exclusive_loads": True, "zswap.load_refreshes": False}
ERAS["6.11"] = ERAS["6.9"] | {
    "zswap.limit_test": "at",
    "zswap.nr_zpools": 1,
    "reclaim.folio_batch": 31,
    "reclaim.free_batch": 31,
}
ERAS["6.19"] = ERAS["6.12"] | {"swap.slots_cache": 0, "zswap.raw_incompressible": True}

SUMMARIES = {
    "2013": "zswap as debated: a store that finds no room has 16 of the oldest entries written back, itself.",
    "3.11": "zswap as merged: a store that finds the pool full frees one of its pages first, itself.",
    "5.15": "A full pool refuses until it has shrunk to 90 %; a work item frees one page each time it is queued.",
    "6.1": "The same, and a write to a page that kept its slot leaves the old copy; the reference point.",
    "6.6": "zswap orders its entries itself; the work item goes on to 90 %; 32 sub-pools.",
    "6.8": "The same by cgroups, which take turns, and zsmalloc.",
    "6.9": "The same, and loads take entries out.",
    "6.11": "The same, in one pool; pages are freed and join reclaim's lists 31 at a time.",
    "6.12": "Entries have a second chance, zeros are a bit of the swap device.",
    "6.19": "The same; what does not compress is stored as it is, in its place in the order.",
}
"""What is new in each era, oldest first."""

ERAS = {name: ERAS[name] for name in SUMMARIES}

OF_STORE: dict[str, dict[str, Any]] = {
    "zram": {"allocator": "zsmalloc"},
    "zcache1": {"allocator": "zsmalloc@2013"},
    "zcache2": {"allocator": "zcache2-zbud"},
}
"""What a store takes where nobody says otherwise, whatever the era's zswap takes; of a zcache, for swap pages."""
