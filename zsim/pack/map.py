"""A map of a small pool: every page frame and the objects in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from zsim.pack.figures import make_figure
from zsim.pack.result import PackResult
from zsim.style import GREY, ORANGE, SKY, SMALL_PT, styled
from zsim.units import PAGE_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP = 0.16
"""Between the page frames of different groups, in rows."""


@styled()
def map_figure(results: Sequence[PackResult]) -> Figure:
    """Where each object of a small pool lies: a row a page frame; frames of one zspage touch each other."""
    tallest = max(result.final["pages"] for result in results)
    figure, panels = make_figure(len(results), max(3.4, 2.2 * len(results)), 0.9 + 0.2 * max(4, tallest))
    for axes, result in zip(panels, results, strict=True):
        _draw_frames(axes, result)
        _draw_objects(axes, result)
        axes.set(xlim=(0, PAGE_SIZE), ylim=(tallest, 0), xticks=range(0, PAGE_SIZE + 1, 1024), yticks=[])
        axes.tick_params(labelsize=SMALL_PT - 1)
        axes.set_title(_map_title(result), fontsize=SMALL_PT)
        axes.spines["left"].set_visible(False)
    figure.supxlabel("offset in the page frame, bytes (orange: an object that spans two frames)", fontsize=SMALL_PT)
    return figure


def _map_title(result: PackResult) -> str:
    live, pages = result.final["live"], result.final["pages"]
    return f"{result.allocator}\n{live} objects in {pages} page frames"


def _first_frames(result: PackResult) -> dict[int, int]:
    """The row of the first frame of each group of pages."""
    ends: dict[int, int] = {}
    for extent in result.extents:
        end = max(ends.get(extent.group, 0), -(-(extent.offset + extent.size_bytes) // PAGE_SIZE))
        ends[extent.group] = max(end, result.group_pages.get(extent.group, 1))
    return dict(zip(ends, accumulate([0, *ends.values()]), strict=False))


def _draw_frames(axes: Axes, result: PackResult) -> None:
    from matplotlib.patches import Rectangle

    starts = set(_first_frames(result).values())
    for frame in range(result.final["pages"]):
        top = frame + (GAP if frame in starts else 0)
        axes.add_patch(Rectangle((0, top), PAGE_SIZE, frame + 1 - top, fc="#f2f2f2", ec=GREY, lw=0.6))


def _draw_objects(axes: Axes, result: PackResult) -> None:
    """Every object in as many pieces as it has pages."""
    from matplotlib.patches import Rectangle

    first = _first_frames(result)
    for extent in result.extents:
        end = extent.offset + extent.size_bytes
        pages = range(extent.offset // PAGE_SIZE, (end - 1) // PAGE_SIZE + 1)
        for page in pages:
            left = max(extent.offset - page * PAGE_SIZE, 0)
            width = min(end - page * PAGE_SIZE, PAGE_SIZE) - left
            top = first[extent.group] + page + (0.08 if page else GAP + 0.08)
            height = first[extent.group] + page + 0.92 - top
            color = ORANGE if len(pages) > 1 else SKY
            axes.add_patch(Rectangle((left, top), width, height, fc=color, ec="white", lw=0.6))
            if width > 600:
                axes.text(left + width / 2, top + height / 2, str(extent.size_bytes), ha="center", va="center_baseline",
                          fontsize=6)  # fmt: skip
