"""One mechanism from name to implementation: lazy, with plug-ins and suggestions."""

from importlib.metadata import EntryPoint

import pytest

from zsim import registry
from zsim.catalog import KINDS, REGISTRIES, catalog, names
from zsim.errors import UsageError
from zsim.registry import Registry, suggestion


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    """A built-in that does not exist does no harm until it is loaded."""
    kind = Registry("thing", {"good": "zsim.units:PAGE_SIZE", "bad": "zsim.nowhere:Nothing"})
    assert kind.names() == ["good", "bad"] and kind.load("good") == 4096
    with pytest.raises(ModuleNotFoundError):
        kind.load("bad")


def test_unknown_names_get_a_suggestion() -> None:
    """The nearest name if one is near, and always all of them."""
    kind = Registry("thing", {"zbud": "zsim.units:PAGE_SIZE"})
    with pytest.raises(UsageError, match=r"unknown thing 'zbdu'; did you mean 'zbud'\? \(known: zbud\)"):
        kind.load("zbdu")
    assert suggestion("xyz", ["zbud"]) == " (known: zbud)"


def test_plugins_come_after_built_ins_and_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point adds a name; it never replaces a built-in."""
    points = [EntryPoint(name, "zsim.units:NS_PER_S", "zsim.things") for name in ("zbud", "mine")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "zsim.things" else [])
    kind = Registry("thing", {"zbud": "zsim.units:PAGE_SIZE"})
    assert kind.names() == ["zbud", "mine"] and kind.load("zbud") == 4096 and kind.load("mine") == 10**9
    monkeypatch.setenv("ZSIM_DISABLE_PLUGINS", "1")
    assert kind.names() == ["zbud"]


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_implementation_loads_and_has_a_line(kind: str) -> None:
    """What `zsim list` prints: a name, a sentence, and no failure."""
    listed = catalog(kind)
    assert [entry.name for entry in listed] == names(kind)
    for entry in listed:
        assert len(entry.summary) > 15 and not entry.summary.startswith("cannot be loaded"), entry


def test_a_broken_plugin_is_shown_not_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says what is wrong with it and goes on."""
    monkeypatch.setitem(REGISTRIES, "stores", Registry("store", {"bad": "zsim.nowhere:Nothing"}))
    assert catalog("stores")[0].summary.startswith("cannot be loaded: No module named")


def test_kinds_are_checked() -> None:
    """An unknown kind gets a suggestion too."""
    with pytest.raises(UsageError, match="did you mean 'allocators'"):
        names("alocators")
    assert all(catalog(kind) for kind in KINDS)
