"""How figures look: names that keep apart, ticks, colours, the same letters everywhere."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from zsim.errors import UsageError
from zsim.style import (
    FAMILY,
    PALETTE,
    apart,
    end_labels,
    form_of,
    log_ticks,
    looks,
    names_above,
    put_title,
    spread,
    styled,
    text_width_in,
    time_scale,
)


def test_spread() -> None:
    """Labels move only where they would touch, and then about their middle."""
    assert spread([1, 10, 20], 2) == [1, 10, 20]
    assert spread([10, 10, 30], 2) == [9, 11, 30]
    assert spread([1, 2, 3, 4], 2) == pytest.approx([-0.5, 1.5, 3.5, 5.5])


def test_apart_stays_within_the_panel() -> None:
    """Pushed up from below 0, and down from above 1."""
    assert apart([0.0, 0.0], 0.1) == pytest.approx([0.0, 0.1])
    assert apart([1.0, 1.0], 0.1) == pytest.approx([0.9, 1.0])


def test_end_labels_keep_apart() -> None:
    """Names of lines that end at the same value do not lie on one another, and stay within the panel."""
    from matplotlib.figure import Figure

    axes = Figure(figsize=(7, 3)).subplots()
    end_labels(axes, [(0.99, name, "k") for name in "abcd"])
    places = [text.xy[1] for text in axes.texts]
    assert all(b - a > 0.02 for a, b in zip(places, places[1:], strict=False)) and max(places) <= 1


def test_time_scale() -> None:
    """The unit suits the longest time."""
    assert [time_scale(t)[1] for t in (5e9, 1.5e9, 3e6, 5e3, 100)] == ["s", "ms", "ms", "us", "ns"]


def test_looks_of_allocators() -> None:
    """The colour of the family, whatever else is in the figure; versions of one by dashes."""
    zbud, old, new = looks(["zbud", "zsmalloc@6.1", "zsmalloc@6.12"])
    assert zbud.colour == FAMILY["zbud"][0] and old.colour == new.colour == FAMILY["zsmalloc"][0]
    assert old.dashes != new.dashes
    assert looks(["zbud (3.11)"])[0].colour == FAMILY["zbud"][0]


def test_looks_of_two_parts() -> None:
    """The first part gives the colour, the rest the dashes; no two looks are the same."""
    found = looks([f"{store}, {size}" for store in ("plain", "zswap") for size in ("40%", "60%")])
    assert [look.colour for look in found] == [PALETTE[0], PALETTE[0], PALETTE[1], PALETTE[1]]
    assert found[0].dashes == found[2].dashes != found[1].dashes
    assert len(set(looks([str(number) for number in range(14)]))) == 14


def test_names_above_fit_the_width() -> None:
    """As many in a row as there is room for."""
    for names, columns in ((["zbud", "z3fold"], 2), (["a rather long name of a configuration"] * 6, 2)):
        drawing = Figure(figsize=(7, 2), layout="constrained")
        names_above(drawing, list(zip(names, looks(names), strict=True)))
        assert drawing.legends[0]._ncols == columns


def test_a_title_does_not_lie_on_the_names() -> None:
    """It becomes theirs."""
    drawing = Figure(figsize=(7, 2), layout="constrained")
    names_above(drawing, [("zbud", looks(["zbud"])[0])])
    put_title(drawing, "Density")
    assert drawing.legends[0].get_title().get_text() == "Density" and not drawing.get_suptitle()


def test_log_ticks_have_words() -> None:
    """2 and 5 too where there is room."""
    with styled():
        axes = Figure(figsize=(3, 3)).subplots()
    axes.set_yscale("log")
    axes.set_ylim(1, 20)
    log_ticks(axes.yaxis, "{:g}".format)
    axes.figure.draw_without_rendering()
    assert {"1", "2", "5", "10", "20"} <= {text.get_text() for text in axes.get_yticklabels()}


def test_text_width() -> None:
    """Of the letters that are drawn: twice the letters, twice the width."""
    assert text_width_in("nn" * 10) == pytest.approx(2 * text_width_in("n" * 10), rel=0.05)


def test_forms() -> None:
    """svg, pdf, png, whatever the case."""
    assert form_of(Path("a.PNG")) == "png"
    with pytest.raises(UsageError, match=r"ends in \.svg, \.pdf, \.png"):
        form_of(Path("a.jpg"))
