"""run.json key by key: what is taken for what, and what is refused."""

from typing import Any

import pytest

from zsim.validation.runjson import count, features, guest, limit, switch, version

GUEST = {
    "kernel": "6.1", "trace": "mixed", "zswap": True, "zpool": "zbud", "compressor": "lz4", "totalram_pages": 1000,
    "memory_max": 1 << 20,
}  # fmt: skip
ZONE = {"managed": 10, "free": 5, "min": 1, "low": 2, "high": 3, "protection": [0, 4]}
MACHINE = GUEST | {"mode": "machine", "managed_pages": 10, "free_pages_before": 5, "zones": {"DMA32": ZONE}}


def test_what_is_read() -> None:
    """As it is; null is nothing, and other keys are left alone."""
    assert guest(GUEST | {"page_cluster": None, "note": "mine"}) == GUEST
    assert guest(MACHINE)["zones"] == {"DMA32": ZONE}


def test_numbers_and_switches_as_sysfs_has_them() -> None:
    """In text, with or without 0x; Y and N."""
    assert [count(value) for value in (20, "20", 20.0, "0x14", "007")] == [20, 20, 20, 20, 7]
    assert [switch(value) for value in ("Y", "1", True, 1, "true", "N", 0, False, "0")] == [True] * 5 + [False] * 4
    assert [features(value) for value in ("0x0007", "7", 5, "Y", "N", "0x0000")] == [7, 7, 5, 7, 0, 0]
    assert [limit(value) for value in ("nolimit", "max", 4096)] == ["nolimit", "nolimit", 4096]


def test_no_limit() -> None:
    """Of a machine's cgroup, or where the other key has one."""
    assert guest(MACHINE | {"memory_max": "max"})["memory_max"] == "nolimit"
    assert guest(GUEST | {"memory_max": "max", "cgroup": 4096})["cgroup"] == 4096


def test_kernels_as_uname_has_them() -> None:
    """Only the first two numbers count."""
    assert [version(name) for name in ("6.1", "6.12.117+deb12-amd64", "3.8.0")] == ["6.1", "6.12", "3.8"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kernel": "2.6"}, "config.kernel: '2.6' is not a kernel version from 3.8 on"),
        ({"kernel": "new"}, "config.kernel: 'new'"),
        ({"kernel": None}, "no config.kernel"),
        ({"zswap": None}, "no config.zswap"),
        ({"zpool": None}, "no config.zpool"),
        ({"zpool": 3}, "config.zpool: 3 is not a name"),
        ({"trace": "../etc/passwd"}, "config.trace"),
        ({"zswap": "maybe"}, "config.zswap: 'maybe' is neither Y nor N"),
        ({"totalram_pages": None}, "no config.totalram_pages"),
        ({"memory_max": None}, "no bytes in config.memory_max"),
        ({"memory_max": None, "cgroup": "nolimit"}, "no bytes in config.memory_max"),
        ({"memory_max": "max"}, "no bytes in config.memory_max"),
        ({"memory_max": 0}, "config.memory_max: no memory at all"),
        ({"every": 10**30}, f"config.every: {10**30} is too large"),
        ({"page_cluster": 11}, "config.page_cluster: 11 is above 10"),
        ({"max_pool_percent": -1}, "config.max_pool_percent: -1"),
        ({"max_pool_percent": 2.5}, "config.max_pool_percent: 2.5"),
        ({"every": True}, "config.every: True"),
        ({"every": float("nan")}, "config.every: nan"),
        ({"lru_gen_state": "on"}, "config.lru_gen_state"),
        ({"mode": "vm"}, "config.mode: 'vm' is none of"),
        ({"mode": "memcg+file"}, "no config.file_from"),
        ({"zswap_params": 3}, "config.zswap_params"),
    ],
)
def test_what_is_refused(change: dict[str, Any], said: str) -> None:
    """One line that names the key."""
    with pytest.raises(ValueError, match="config") as raised:
        guest(GUEST | change)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"zones": None}, "no config.zones"),
        ({"managed_pages": None}, "no config.managed_pages"),
        ({"free_pages_before": None}, "no config.free_pages_before"),
        ({"zones": {}}, "config.zones: expected an object a zone"),
        ({"zones": []}, "config.zones: expected an object a zone"),
        ({"zones": {"DMA": {"managed": 3}}}, "config.zones: DMA has no free"),
        ({"zones": {"DMA": ZONE | {"min": "x"}}}, "config.zones: 'x' is not a whole number"),
        ({"zones": {"DMA": ZONE | {"protection": 3}}}, "config.zones: DMA: protection is not a list"),
    ],
)
def test_what_is_refused_of_a_machine(change: dict[str, Any], said: str) -> None:
    """It needs its zones."""
    with pytest.raises(ValueError, match="config") as raised:
        guest(MACHINE | change)
    assert said in str(raised.value)


def test_no_protection_is_none() -> None:
    """A zone that nothing protects."""
    found = guest(MACHINE | {"zones": {"DMA32": ZONE | {"protection": []}}})
    assert found["zones"]["DMA32"]["protection"] == [0]


def test_not_an_object() -> None:
    """A list is no config."""
    with pytest.raises(ValueError, match="not an object"):
        guest([])
