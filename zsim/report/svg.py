"""Figures as SVG inside a page: colours that follow the page's theme, ids of their own, nothing from elsewhere."""

import io
import re
from typing import TYPE_CHECKING

from zsim.style import BLACK, BLUE, GREEN, GREY, LIGHT, METADATA, ORANGE, PURPLE, RED, SKY, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THEME = {
    BLACK: "ink", GREY: "grey", LIGHT: "rule", "#FFFFFF": "page", BLUE: "blue", ORANGE: "orange", GREEN: "green",
    RED: "red", SKY: "sky", PURPLE: "purple",
}  # fmt: skip
"""Colour of a figure -> the page's variable that stands in for it; the page says what it is in light and in dark."""

_NAMES = {colour.lower(): f"var(--{name})" for colour, name in THEME.items()}
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_REFERENCE = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_UNUSED = re.compile(
    r'<metadata>.*?</metadata>|<\?xml.*?\?>|<!DOCTYPE.*?>| xmlns(:xlink)?="[^"]*"| version="1.1"', re.S
)


def inline_svg(drawing: "Figure", name: str, title: str) -> str:
    """The figure as an <svg> element; `name` is put before its ids, `title` is what a screen reader says."""
    text = io.StringIO()
    with styled():
        drawing.savefig(text, format="svg", metadata=METADATA["svg"], transparent=True)
    body = _UNUSED.sub("", text.getvalue()).strip()
    body = _COLOUR.sub(lambda found: _NAMES.get(found[0], found[0]), body)
    body = _REFERENCE.sub(lambda found: f"{found[1].replace('xlink:', '')}{name}-", body)
    label = f'role="img" aria-labelledby="{name}-title"><title id="{name}-title">{title}</title>'
    return re.sub(r"<svg ([^>]*)>", lambda found: f"<svg {found[1]} {label}", body, count=1)
