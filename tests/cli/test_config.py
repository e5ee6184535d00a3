"""`zsim list`, `zsim config show`, `zsim config check`, and the options they share with replay."""

import json
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from zsim.catalog import KINDS, names
from zsim.cli import COMMANDS
from zsim.cli import zsim as command
from zsim.cli.options import NAMED
from zsim.config import config_keys, resolve
from zsim.configtext import reference_toml
from zsim.errors import ConfigError, UsageError
from zsim.run import config_values


def run(*arguments: object) -> Result:
    """A command, in this process; an exception comes through as it is."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.mark.parametrize("kind", KINDS)
def test_list_has_a_line_each(kind: str) -> None:
    """Every name of a kind at the start of one line."""
    lines = run("list", kind).output.splitlines()
    assert [line.split()[0] for line in lines] == names(kind)


def test_list_of_everything_and_of_one_allocator() -> None:
    """Without a kind all but the metrics; an allocator's line has kernels and capabilities."""
    text = run("list").output
    assert all(f"{kind}\n" in text for kind in KINDS if kind != "metrics") and "pgmajfault" not in text
    zbud = next(line for line in text.splitlines() if line.split()[:1] == ["zbud"])
    assert "Linux 3.11-6.14" in zbud and "evicts" in zbud
    assert run("list", "device").output == run("list", "devices").output


def test_list_as_json() -> None:
    """The same entries as an object."""
    entries = json.loads(run("list", "eras", "--json").output)["names"]
    assert [entry["name"] for entry in entries] == names("eras") and set(entries[0]) == {
        "kind", "name", "summary", "details",
    }  # fmt: skip


def test_list_of_what_is_not_there() -> None:
    """An unknown kind gets a suggestion."""
    with pytest.raises(UsageError, match="did you mean 'metrics'"):
        run("list", "metrix")


def test_show_names_every_key_and_origin(tmp_path: Path) -> None:
    """Defaults, era, file and options, each said beside its value."""
    (tmp_path / "c.toml").write_text("seed = 3\n")
    text = run("config", "show", "--config", tmp_path / "c.toml", "--era", "3.11", "--memory", "64M").output
    assert all(f"\n{name.rpartition('.')[2]} = " in "\n" + text for name in config_keys())
    for line in ('era = "3.11"                  # --era', 'size = "64M"                # --memory', "# era 3.11"):
        assert line in text
    assert f"seed = 3                      # {tmp_path / 'c.toml'}" in text


def test_show_as_json() -> None:
    """Values and origins as an object, the device's own settings among the values."""
    stored = json.loads(run("config", "show", "--json", "--swap", "optane", "--set", "device.parallel=2").output)
    resolved = resolve(("--swap", {"swap": "optane"}), ("--set", {"device.parallel": 2}))
    assert stored["config"] == config_values(resolved.config)
    assert stored["config"]["device"]["parallel"] == 2 and stored["config"]["device"]["read_ns"] == 10_000
    assert stored["origins"]["swap.device"] == "--swap" and stored["origins"]["seed"] == "default"


def test_show_reference() -> None:
    """What configs/reference.toml is made with."""
    assert run("config", "show", "--reference").output == reference_toml()


def test_check(tmp_path: Path) -> None:
    """A good file is counted; a wrong key, value or name is refused."""
    file = tmp_path / "c.toml"
    file.write_text("[zswap]\nmax_pool_percent = 30\n[device]\nread_ns = 5\n")
    assert run("config", "check", file).output == f"{file}: 2 values set, all valid\n"
    for text, message in (
        ("sed = 1", "unknown configuration key 'sed'"),
        ('allocator = "zbdu"', "did you mean 'zbud'"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=message):
            run("config", "check", file)


def test_set_needs_key_and_value() -> None:
    """Half a setting is a usage error that shows a whole one."""
    for half in ("seed", "=3"):
        done = CliRunner().invoke(command, ["config", "show", "--set", half])
        assert done.exit_code == 2 and "expected KEY=VALUE" in done.output
    with pytest.raises(ConfigError, match="did you mean 'seed'"):
        run("config", "show", "--set", "sed=3")


def test_named_options_name_keys() -> None:
    """Each shared option stands for a key that exists."""
    assert {key for key, *_ in NAMED.values()} <= set(config_keys())


def test_completion_knows_the_names() -> None:
    """The shell is offered what the registries hold."""
    completion = ShellComplete(command, {}, "zsim", "_ZSIM_COMPLETE")
    offered = [item.value for item in completion.get_completions(["replay", "x", "--allocator"], "zs")]
    assert offered == ["zsmalloc"]


def test_every_command_has_help() -> None:
    """--help works for each."""
    assert all(run(name, "--help").exit_code == 0 for name in COMMANDS)


@pytest.mark.parametrize("name", ["replay", "compare", "plot", "list", "config"])
def test_every_option_is_explained(name: str) -> None:
    """A sentence for the command and a few words for each of its options."""
    with click.Context(command) as context:
        found = command.get_command(context, name)
    assert found is not None
    for each in getattr(found, "commands", {"": found}).values():
        assert each.help, each.name
        assert all(param.help for param in each.params if isinstance(param, click.Option)), each.name
