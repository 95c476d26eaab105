"""Reads Markdown: it is rendered as a web page, and read as that.

Knows nothing of HTML. Tables and footnotes (`[^1]`) are read as GitHub does.
"""

import re
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from index.formats.elements import Draft
from index.formats.plain import read_utf8
from index.formats.webpage import read_html

__all__ = ["read_markdown"]

_FIELDS = {"title": "title", "titel": "title", "date": "date", "datum": "date", "ministerie": "ministry"}
_NESTING = 50


def read_markdown(path: Path) -> Draft:
    """The document in a Markdown file.

    Raises:
        DocumentError: it is no text, or there is nothing in it.
    """
    text = read_utf8(path)
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": _NESTING}).enable("table")
    parser.use(footnote_plugin).use(front_matter_plugin)
    tokens = parser.parse(text)
    draft = read_html(parser.renderer.render(tokens, parser.options, {}), keep_lines=True)
    front = next((token.content for token in tokens if token.type == "front_matter"), "")
    return Draft(draft.elements, draft.notes, _fields(front))


def _fields(front: str) -> dict[str, str]:
    """What the lines above a text say of it: `title: …`, `date: …`."""
    pairs = (re.match(r"(\w+)\s*:\s*[\"']?(.+?)[\"']?\s*$", line) for line in front.split("\n"))
    return {_FIELDS[p[1].lower()]: p[2] for p in pairs if p and p[1].lower() in _FIELDS}
