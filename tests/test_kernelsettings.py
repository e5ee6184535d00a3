"""What to paste into a kernel for a configuration."""

import pytest

from zsim.config import load_config
from zsim.kernelsettings import kernel_settings


@pytest.mark.parametrize(
    ("era", "there", "missing"),
    [
        ("3.11", {"zswap.compressor=lz4", "zswap.max_pool_percent=35"}, {"zpool", "accept_threshold", "shrinker"}),
        ("6.1", {"zswap.zpool=z3fold", "zswap.accept_threshold_percent=90"}, {"shrinker"}),
        ("6.12", {"zswap.zpool=z3fold", "zswap.shrinker_enabled=0"}, set()),
        ("6.19", {"zswap.shrinker_enabled=0"}, {"zpool"}),
    ],
)
def test_only_parameters_that_the_kernel_has(era: str, there: set[str], missing: set[str]) -> None:
    """zpool from 3.17 to 6.17, hysteresis from 5.6, the shrinker from 6.8."""
    settings = kernel_settings(load_config(era=era, allocator="z3fold", zswap__max_pool_percent=35), 100)
    assert there <= set(settings.cmdline) and settings.cmdline[0] == "zswap.enabled=1"
    assert not any(word in line for word in missing for line in settings.cmdline)


def test_zswap_is_enabled_last_and_keeps_to_itself() -> None:
    """A pool is made when zswap is enabled: what it is made of is said before; writeback none is the cgroup's."""
    shell = kernel_settings(load_config(era="6.12", allocator="zsmalloc@6.12", writeback="none"), 100).shell
    enabled = shell.index("echo 1 > /sys/module/zswap/parameters/enabled")
    assert all("parameters" not in line for line in shell[enabled + 1 :])
    assert "echo zsmalloc > /sys/module/zswap/parameters/zpool" in shell
    assert any("memory.zswap.writeback" in line for line in shell)


def test_zram_gets_its_size_before_it_is_swapped_on() -> None:
    """auto is the footprint; zswap would stand before it, so it is off."""
    settings = kernel_settings(load_config(era="6.12", store="zram", compressor="zstd"), 1000)
    assert settings.cmdline == ("zswap.enabled=0",)
    assert "echo 4000K > /sys/block/zram0/disksize" in settings.shell
    order = [
        next(i for i, line in enumerate(settings.shell) if word in line) for word in ("comp_algo", "disksize", "swapon")
    ]
    assert order == sorted(order)


def test_plain_swap_turns_zswap_off() -> None:
    """And sets the sysctls that a replay has."""
    settings = kernel_settings(load_config(store="none", swap__page_cluster=3), 100)
    assert settings.shell[0] == "echo 0 > /sys/module/zswap/parameters/enabled"
    assert "vm.page-cluster=3" in settings.shell[-1]
