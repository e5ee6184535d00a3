"""A configuration as a Linux administrator sets it: kernel command line, sysfs and sysctl lines to paste.

Names as in Documentation/admin-guide/mm/zswap.rst and blockdev/zram.rst. Only what a kernel can be told is here: a
replay's other values (costs, marks, the model's own switches) have no setting that they could be pasted into.
"""

from dataclasses import dataclass

from zsim.config import Config
from zsim.kernels import parse_kernel
from zsim.units import PAGE_SIZE

PARAMETERS = "/sys/module/zswap/parameters"


@dataclass(frozen=True)
class KernelSettings:
    """`cmdline`: words for the kernel command line; `shell`: lines for a root shell, in effect until the next boot."""

    cmdline: tuple[str, ...]
    shell: tuple[str, ...]


def kernel_settings(config: Config, footprint_pages: int) -> KernelSettings:
    """What to paste for this configuration; `footprint_pages` (of 4 KiB) is the size that zram's `auto` stands for."""
    sysctl = (f"sysctl -w vm.swappiness={config.reclaim.swappiness} vm.page-cluster={config.swap.page_cluster}",)
    if config.store == "zswap":
        values = _zswap(config)
        cmdline = tuple(f"zswap.{name}={value}" for name, value in values.items())
        lines = [f"echo {value} > {PARAMETERS}/{name}" for name, value in values.items()]
        lines = [*lines[1:], lines[0]]  # enabled at last: pools made before would have the old compressor
        if config.writeback == "none":
            lines.append("echo 0 > /sys/fs/cgroup/<cgroup>/memory.zswap.writeback")
        return KernelSettings(cmdline, (*lines, *sysctl))
    off = f"echo 0 > {PARAMETERS}/enabled"
    if config.store == "zram":
        return KernelSettings(("zswap.enabled=0",), (off, *_zram(config, footprint_pages), *sysctl))
    return KernelSettings(("zswap.enabled=0",), (off, *sysctl))


def _zswap(config: Config) -> dict[str, str]:
    """Module parameters of zswap, those that this kernel has."""
    kernel = parse_kernel(config.era)
    values = {"enabled": "1", "compressor": config.compressor}
    if parse_kernel("3.17") <= kernel < parse_kernel("6.18"):  # before: zbud; after: zsmalloc, without a choice
        values["zpool"] = config.allocator.partition("@")[0]
    values["max_pool_percent"] = str(config.zswap.max_pool_percent)
    if kernel >= parse_kernel("5.6"):
        values["accept_threshold_percent"] = str(config.zswap.accept_threshold_percent)
    if kernel >= parse_kernel("6.8"):
        shrinker = config.zswap.shrinker_enabled or config.writeback == "shrinker"
        values["shrinker_enabled"] = "1" if shrinker else "0"
    return values


def _zram(config: Config, footprint_pages: int) -> tuple[str, ...]:
    size = f"{footprint_pages * PAGE_SIZE >> 10}K" if config.zram.disksize == "auto" else config.zram.disksize
    return (
        "modprobe zram num_devices=1",
        f"echo {config.compressor} > /sys/block/zram0/comp_algorithm",
        f"echo {size} > /sys/block/zram0/disksize",
        *(() if config.zram.mem_limit == "none" else (f"echo {config.zram.mem_limit} > /sys/block/zram0/mem_limit",)),
        "mkswap /dev/zram0",
        "swapon --priority 100 /dev/zram0",
    )
