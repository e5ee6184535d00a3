"""The advice drawn: what each setting gains and costs at the memory asked for, and the runtime at other sizes."""

from pathlib import Path
from typing import TYPE_CHECKING

from zsim.advise import Advice, Tried
from zsim.resultfiles import write_text, writing
from zsim.results import as_text
from zsim.style import BLUE, DASHES, GREEN, GREY, LIGHT, ORANGE, RED, WIDTH_IN, apart, form_of, styled, write_figure
from zsim.units import PAGE_SIZE, format_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MIB = 1 << 20
LINES = {"-": "––", "--": "- -", "-.": "-·-", ":": "···"}
KINDS = {"plain swap": GREY, "zbud": BLUE, "z3fold": GREEN, "zsmalloc": RED, "zram": ORANGE}


def draw(advice: Advice) -> "Figure":
    """Left the Pareto front of RAM gained against slowdown, right slowdown against RAM."""
    from matplotlib.figure import Figure

    with styled():
        drawing = Figure(figsize=(WIDTH_IN, 3.2), layout="constrained")
        left, right = drawing.subplots(1, 2)
        _front(left, advice)
        _sizes(right, advice)
    return drawing


def save(advice: Advice, path: Path) -> list[Path]:
    """Write the figure (svg, pdf or png by its name) and, beside it, what it shows as JSON; both paths."""
    from zsim.advise.text import as_json

    form, data = form_of(path), path.with_suffix(".json")
    drawing = draw(advice)
    with writing(path) as part:
        write_figure(drawing, part, form)
    write_text(data, as_text(as_json(advice)))
    return [path, data]


def _front(axes: "Axes", advice: Advice) -> None:
    front = advice.front()
    for tried in advice.tried:
        if tried.slowdown is not None:
            size = 40 if tried is advice.best else 14
            axes.scatter(_gained(tried), tried.slowdown, s=size, color=_colour(tried), zorder=3, linewidths=0)
    axes.step([_gained(t) for t in front], [t.slowdown or 0 for t in front], where="post", color=LIGHT, zorder=1)
    axes.set(
        xlabel="RAM gained at the pool's peak (MiB)", ylabel="slowdown", title=f"at {format_bytes(advice.memory_bytes)}"
    )
    _log_if_wide(axes, [t.slowdown for t in advice.tried if t.slowdown])
    _names(axes, front)
    named = dict.fromkeys(_kind(tried) for tried in advice.tried)
    for place, kind in enumerate(named):
        axes.text(0.98, 0.97 - 0.07 * place, kind, color=KINDS[kind], ha="right", va="top", transform=axes.transAxes)


def _names(axes: "Axes", front: list[Tried]) -> None:
    """The settings of the front, beside their points, apart from one another."""
    axes.margins(x=0.1, y=0.12)
    scale = axes.transScale + axes.transLimits
    wanted = sorted((float(scale.transform((_gained(t), t.slowdown or 1))[1]), t.candidate.name, t) for t in front)
    places = apart([y for y, _, _ in wanted], 0.06)
    for place, (_, name, tried) in zip(places, wanted, strict=True):
        across = float(scale.transform((_gained(tried), tried.slowdown or 1))[0])
        side = "left" if across < 0.5 else "right"
        offset = 0.03 if across < 0.5 else -0.03
        axes.text(
            across + offset,
            place,
            name,
            fontsize=6,
            ha=side,
            va="center",
            transform=axes.transAxes,
            color=_colour(tried),
        )


def _sizes(axes: "Axes", advice: Advice) -> None:
    labels: list[tuple[str, str]] = []
    for dashes, (name, tried_at) in zip(DASHES, advice.by_size.items(), strict=False):
        done = [(t.memory_bytes / MIB, t.slowdown) for t in tried_at if t.slowdown is not None]
        colour = _colour(tried_at[0])
        axes.plot(*zip(*done, strict=True), color=colour, linestyle=dashes, marker="o", markersize=2.5)
        lost = [tried.memory_bytes / MIB for tried in tried_at if tried.slowdown is None]
        axes.plot(lost, [advice.limit] * len(lost), "x", color=colour, markersize=4)
        labels.append((f"{name}  {LINES[dashes]}", colour))
    axes.axhline(advice.limit, color=GREY, linewidth=0.6, linestyle=":")
    axes.axvline(advice.memory_bytes / MIB, color=LIGHT, linewidth=0.8)
    axes.set(xlabel="RAM (MiB)", ylabel="slowdown", title=f"at most {advice.limit:.3g} allowed (dotted)")
    _log_if_wide(axes, [t.slowdown for tried_at in advice.by_size.values() for t in tried_at if t.slowdown])
    for place, (name, colour) in enumerate(labels):
        axes.text(
            0.98, 0.97 - 0.07 * place, name, color=colour, ha="right", va="top", transform=axes.transAxes, fontsize=7
        )


def _log_if_wide(axes: "Axes", slowdowns: list[float]) -> None:
    if slowdowns and max(slowdowns) > 10 * min(slowdowns):
        axes.set_yscale("log")


def _gained(tried: Tried) -> float:
    return tried.gained_pages * PAGE_SIZE / MIB


def _kind(tried: Tried) -> str:
    return next(
        kind for kind in KINDS if kind in (tried.candidate.name, *tried.candidate.name.replace(",", "").split())
    )


def _colour(tried: Tried) -> str:
    return KINDS[_kind(tried)]
