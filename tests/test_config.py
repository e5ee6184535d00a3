"""Configurations: layers, types, ranges, origins, digests, and the reference that documents every key."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from zsim.config import Config, config_keys, load_config, load_toml, resolve
from zsim.configtext import reference_toml, resolved_toml
from zsim.eras import ERAS
from zsim.errors import ConfigError
from zsim.results import flat

ROOT = Path(__file__).parent.parent


def test_reference_is_current() -> None:
    """configs/reference.toml is what `zsim config show --reference` prints."""
    assert (ROOT / "configs" / "reference.toml").read_text() == reference_toml(), (
        "run: zsim config show --reference > configs/reference.toml"
    )


def test_reference_is_the_defaults() -> None:
    """Its every key given in full is the configuration nobody has touched."""
    layer = load_toml(ROOT / "configs" / "reference.toml")
    assert resolve(layer).config == resolve().config
    assert set(layer[1]) == set(config_keys())


def test_defaults_are_those_of_the_default_era() -> None:
    """A plain Config() and a resolved one are the same machine."""
    assert Config() == resolve().config == load_config()


@pytest.mark.parametrize("era", ERAS)
def test_what_is_shown_loads_as_the_same(era: str, tmp_path: Path) -> None:
    """Printed TOML is a configuration file for the same run, device settings and odd text included."""
    resolved = resolve(("--set", {"era": era, "memory": "64M", "device.read_ns": 5, "swap": "hdd"}))
    file = tmp_path / "shown.toml"
    file.write_text(resolved_toml(resolved))
    assert resolve(load_toml(file)).config == resolved.config


def test_every_key_is_documented() -> None:
    """A key has a sentence, and a unit where it is a quantity."""
    for name, spec in config_keys().items():
        assert len(spec.metadata["doc"]) > 5, name
        quantity = name.endswith(("_ns", "_pages", "_bytes", "_percent", "_kbytes"))
        assert spec.metadata["unit"] or not quantity, f"{name} has no unit"


def test_later_layers_win_and_say_so(tmp_path: Path) -> None:
    """Default, era, file, options: the last that sets a key is its origin."""
    file = tmp_path / "my.toml"
    file.write_text('era = "3.11"\nallocator = "zsmalloc"\n[zswap]\nmax_pool_percent = 30\n[memory]\nsize = "1G"\n')
    resolved = resolve(load_toml(file), ("--set", {"max_pool_percent": "40"}), ("--memory", {"memory.size": "64M"}))
    assert resolved.config.zswap.max_pool_percent == 40 and resolved.config.memory.size == "64M"
    assert resolved.config.allocator == "zsmalloc" and resolved.config.writeback == "store-path"
    origins = {name: resolved.origins[name] for name in ("era", "writeback", "zswap.max_pool_percent", "memory.size")}
    assert origins == {
        "era": str(file), "writeback": "era 3.11", "zswap.max_pool_percent": "--set", "memory.size": "--memory",
    }  # fmt: skip
    assert resolved.origins["seed"] == "default"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"alocator": "zbud"}, "unknown configuration key 'alocator'; did you mean 'allocator'"),
        ({"zswap.max_pol": 3}, "did you mean 'zswap.max_pool_percent'"),
        ({"seed": "one"}, "seed: 'one' is not a whole number"),
        ({"seed": 1.5}, "seed: 1.5 is not a whole number"),
        ({"seed": -1}, "seed: -1 is too small; at least 0"),
        ({"file.dirty_ratio": 101}, "file.dirty_ratio: 101 is too large; at most 100"),
        ({"seed": True}, "seed: True is not a whole number"),
        ({"reclaim.second_look": "maybe"}, "'maybe' is not true or false"),
        ({"memory.mode": "cgroup"}, "memory.mode: 'cgroup' is unknown"),
        ({"era": "7.0"}, "era: '7.0' is unknown"),
        ({"cost.access_ns": 0}, r"too small; at least 1 \(ns\)"),
        ({"memory.size": ["50%"]}, r"memory.size: \['50%'\] is not text"),
    ],
)
def test_wrong_values_name_the_key(values: dict[str, Any], message: str) -> None:
    """The message has the key, the value and what would be right."""
    with pytest.raises(ConfigError, match=message):
        resolve(("test", values))


@pytest.mark.parametrize(
    ("text", "message"), [("a = ", "not TOML"), (None, "cannot read"), (b"\xff\xfe", "cannot read")]
)
def test_wrong_files(tmp_path: Path, text: str | bytes | None, message: str) -> None:
    """Not TOML, not there, not text: one error that names the file."""
    file = tmp_path / "c.toml"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=message) as caught:
        load_toml(file)
    assert str(file) in str(caught.value)


def test_short_names() -> None:
    """A section names its principal key, a unique last part its key; keywords spell a dot as two underscores."""
    config = load_config(memory="10%", reclaim="lru", max_pool_percent=7, swap__page_cluster=3)
    assert (config.memory.size, config.reclaim.policy) == ("10%", "lru")
    assert (config.zswap.max_pool_percent, config.swap.page_cluster) == (7, 3)
    with pytest.raises(ConfigError, match="unknown configuration key 'device'|swap.device"):
        resolve(("test", {"device": "hdd"}))


def test_numbers_where_text_is_wanted() -> None:
    """`--memory 65536` and size = 65536 are both text for a size."""
    assert load_config(memory=65536).memory.size == "65536"
    assert load_config(seed="7").seed == 7 and load_config(second_look="false").reclaim.second_look is False


def test_digest_follows_what_matters() -> None:
    """Every key but the audit's changes it; the way a value was given does not."""
    assert load_config(check__every=5).digest() == load_config().digest()
    assert load_config(allocator="zbud").digest() == load_config().digest()
    assert len({load_config(seed=n).digest() for n in range(5)}) == 5
    assert load_config(device__read_ns=1).digest() != load_config().digest()


def test_as_dict_is_plain() -> None:
    """Nested dicts of TOML's types, every key there."""
    values = load_config().as_dict()
    assert set(flat(values)) == set(config_keys())
    assert tomllib.loads("seed = 1")["seed"] == values["seed"]


@pytest.mark.parametrize("era", ERAS)
def test_eras_name_real_keys(era: str) -> None:
    """A preset holds keys and values that a user could set."""
    assert set(ERAS[era]) <= set(config_keys())
    assert resolve(("test", {"era": era} | ERAS[era])).config == load_config(era=era)
