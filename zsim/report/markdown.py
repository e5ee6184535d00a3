"""The texts of studies: Markdown to HTML that loads nothing and runs nothing."""

import re
from html import escape

HEADING = re.compile(r"<(/?)h([1-6])>")


def to_html(text: str, below: int) -> str:
    """CommonMark and tables; raw HTML stays text, images their description; headings start under level `below`."""
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    renderer.add_render_rule("image", lambda _, tokens, at, *others: escape(tokens[at].content))
    return HEADING.sub(lambda h: f"<{h[1]}h{min(6, int(h[2]) + below)}>", renderer.render(text))
