"""Era presets: the values of each kernel, as the table of its parameters has them."""

import pytest

from zsim.config import Config, config_keys, resolve
from zsim.eras import ERAS

TABLE = {
    "2013": {
        "allocator": "zsmalloc", "writeback": "store-path", "zswap.accept_threshold_percent": 0,
        "zswap.same_filled_pages_enabled": False, "zswap.exclusive_loads": False, "zswap.header_bytes": 0,
        "zswap.max_compression_percent": 80,
    },
    "3.11": {
        "allocator": "zbud", "writeback": "store-path", "zswap.accept_threshold_percent": 0,
        "zswap.same_filled_pages_enabled": False, "zswap.exclusive_loads": False, "zswap.header_bytes": 8,
        "zswap.rotate_written": False, "swap.write_frees_copy": True, "reclaim.new_anon": "active",
    },
    "6.1": {
        "allocator": "zbud", "writeback": "worker", "zswap.accept_threshold_percent": 90,
        "zswap.same_filled_pages_enabled": True, "zswap.exclusive_loads": False, "zswap.header_bytes": 8,
        "zswap.rotate_written": True, "swap.write_frees_copy": False, "reclaim.new_anon": "inactive",
    },
    "5.15": {"allocator": "zbud", "writeback": "worker", "zswap.evicts": "allocator", "swap.write_frees_copy": True},
    "6.6": {
        "allocator": "zbud", "writeback": "worker", "zswap.accept_threshold_percent": 90, "zswap.limit_test": "above",
        "zswap.same_filled_pages_enabled": True, "zswap.exclusive_loads": False, "zswap.header_bytes": 0,
        "zswap.evicts": "entry", "zswap.nr_zpools": 32, "swap.zeromap": False,
    },
    "6.8": {"allocator": "zsmalloc", "zswap.evicts": "entry", "zswap.nr_zpools": 32, "zswap.header_bytes": 0},
    "6.9": {
        "zswap.exclusive_loads": True, "zswap.limit_test": "above", "zswap.nr_zpools": 32, "reclaim.folio_batch": 15,
    },
    "6.11": {"zswap.limit_test": "at", "zswap.same_filled_pages_enabled": True, "zswap.nr_zpools": 1},
    "6.12": {
        "allocator": "zsmalloc", "writeback": "worker", "zswap.accept_threshold_percent": 90,
        "zswap.same_filled_pages_enabled": False, "zswap.exclusive_loads": True, "zswap.header_bytes": 0,
        "swap.zeromap": True, "swap.map_writable": True,
    },
    "6.19": {"allocator": "zsmalloc", "zswap.exclusive_loads": True, "zswap.raw_incompressible": True},
}  # fmt: skip
"""What the parameters and the code of each kernel say; 20 % of RAM is the limit in all of them."""


def value(config: Config, name: str) -> object:
    """The value of a dotted key."""
    found: object = config
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("era", TABLE)
def test_values_of_an_era(era: str) -> None:
    """An era gives what its kernel has."""
    config = resolve(("test", {"era": era})).config
    assert {name: value(config, name) for name in TABLE[era]} == TABLE[era]
    assert config.zswap.max_pool_percent == 20


def test_every_era_is_known() -> None:
    """No era without its row above."""
    assert set(ERAS) == set(TABLE)


@pytest.mark.parametrize("era", ERAS)
def test_eras_set_known_keys(era: str) -> None:
    """Each key of a preset exists, and the preset is accepted as configuration."""
    assert set(ERAS[era]) <= set(config_keys())
    config = resolve(("test", {"era": era})).config
    assert {name: value(config, name) for name in ERAS[era]} == ERAS[era]


def test_the_default_era_is_the_defaults() -> None:
    """6.1 says nothing that the defaults do not say."""
    assert resolve().config == resolve(("test", ERAS["6.1"])).config == Config()


def test_origin_of_values() -> None:
    """What is given by hand beats the era, and each value knows where it came from."""
    resolved = resolve(("--set", {"era": "3.11", "writeback": "worker"}))
    assert resolved.config.writeback == "worker"
    assert resolved.origins["writeback"] == "--set"
    assert resolved.origins["allocator"] == "era 3.11"
    assert resolved.origins["zswap.max_pool_percent"] == "default"
