"""Era presets: what a kernel does, as configuration values and choices of policy by name.

A value that equals the default is listed too, so that an era can be read on its own. Sources: the zswap, vmscan and
swap code of the versions named.
"""

from typing import Any

ERAS: dict[str, dict[str, Any]] = {
    "3.11": {
        "allocator": "zbud",
        "writeback": "store-path",
        "reclaim.new_anon": "active",
        "reclaim.second_look": False,
        "reclaim.refault_activates": False,
        "reclaim.balance": "rotated",
        "swap.map_writable": False,
        "swap.write_frees_copy": True,
        "memory.watermark_scale_factor": 0,
        "zswap.rotate_written": False,
        "zswap.accept_threshold_percent": 0,
        "zswap.same_filled_pages_enabled": False,
        "zswap.header_bytes": 8,
    },
    "6.1": {
        "allocator": "zbud",
        "writeback": "worker",
        "reclaim.new_anon": "inactive",
        "reclaim.second_look": True,
        "reclaim.refault_activates": True,
        "reclaim.balance": "cost",
        "swap.map_writable": False,
        "swap.write_frees_copy": False,
        "memory.watermark_scale_factor": 10,
        "zswap.rotate_written": True,
        "zswap.accept_threshold_percent": 90,
        "zswap.same_filled_pages_enabled": True,
        "zswap.header_bytes": 8,
    },
}
