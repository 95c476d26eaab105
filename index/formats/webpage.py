"""Reads a web page: what a visitor reads of it, with its headings, lists, tables and footnotes.

Knows nothing of Markdown or of how HTML is parsed. What stands around the text (navigation, forms,
scripts, the site's header and footer) and what a visitor does not see is left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from index.formats.elements import Draft, Element, Words, table_elements
from index.formats.labels import label_of
from index.formats.trees import Node, parse_html, walk
from index.formats.webnotes import WebNotes
from index.pages import Line

__all__ = ["decode", "read_html", "read_webpage"]

# fmt: off
_UNREAD = frozenset((
    "script", "style", "noscript", "template", "svg", "nav", "form", "button", "iframe", "object", "video", "audio",
    "canvas", "select", "textarea", "math", "head", "dialog", "input", "map",
))
_AROUND = frozenset(("header", "footer", "aside"))
_BLOCKS = frozenset((
    "p", "div", "section", "article", "main", "body", "blockquote", "pre", "dt", "dd", "figcaption", "caption",
    "address", "figure", "ul", "ol", "dl", "hr", "details", "summary", "fieldset", "legend", "center", "header",
    "footer", "aside", "li", "h1", "h2", "h3", "h4", "h5", "h6",
))
# fmt: on
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:[^.\d]|$)", re.I)
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_DATES = ("dcterms.issued", "dcterms.date", "dcterms.available", "article:published_time", "date", "dc.date")
_AUTHORITIES = ("overheid.authority", "dcterms.creator", "dcterms.publisher", "author", "dc.creator")


def read_webpage(path: Path) -> Draft:
    """The document in an HTML file.

    Raises:
        DocumentError: nothing can be read in it.
    """
    return read_html(decode(path.read_bytes()))


def decode(raw: bytes) -> str:
    """The text of a page: as UTF-8 where it is that, else as the page says, else as Windows does."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    told = _CHARSET.search(raw[:4096])
    try:
        return raw.decode(told[1].decode("ascii") if told and told[1].lower() != b"utf-8" else "cp1252", "replace")
    except LookupError:
        return raw.decode("cp1252", "replace")


def read_html(text: str, *, keep_lines: bool = False) -> Draft:
    """The document in HTML.

    Args:
        text: the whole page.
        keep_lines: a line feed in a paragraph begins a new line of it, as in a text file.

    Raises:
        DocumentError: nothing can be read in it.
    """
    root = parse_html(text)
    notes = WebNotes(root)
    reading = _Reading(notes, keep_lines=keep_lines)
    elements = reading.read(_main(root))
    return Draft(tuple(elements), tuple(notes.lines()), _properties(root))


def _main(root: Node) -> Node:
    """The part of the page that is its text."""
    for path in ("//main", "//*[@role='main']", "//article"):
        found = root.xpath(path)
        if len(found) == 1:
            return found[0]
    body = root.find("body")
    return root if body is None else body


def _is_unread(node: Node) -> bool:
    if node.tag in _UNREAD or node.get("hidden") is not None or node.get("aria-hidden") == "true":
        return True
    if node.tag in _AROUND or node.get("role") in ("navigation", "banner", "contentinfo", "search"):
        return not any(above.tag in ("main", "article") for above in node.iterancestors())
    return bool(_HIDDEN.search(node.get("style", "")))


@dataclass
class _Table:
    rows: list[list[list[Element]]] = field(default_factory=list)
    before: list[Element] = field(default_factory=list)
    """What stands in the table outside its cells: its caption."""
    heads: int = 0
    all_heads: bool = True


class _Reading:
    """Walks a page and gathers its elements."""

    def __init__(self, notes: WebNotes, *, keep_lines: bool) -> None:
        self.notes, self.keep_lines = notes, keep_lines
        self.out: list[Element] = []
        self.words = Words()
        self.label = ""
        self.kinds: list[tuple[str, int]] = [("paragraph", 0)]
        self.lists: list[tuple[Node, int]] = []
        self.tables: list[tuple[_Table, list[Element]]] = []

    def read(self, root: Node) -> list[Element]:
        for what, node, text in walk(root, self._is_skipped):
            if what == "text":
                self._text(node, text)
            elif what == "start":
                self._start(node)
            else:
                self._end(node)
        self._flush()
        return self.out

    def _is_skipped(self, node: Node) -> bool:
        if node in self.notes.nodes or _is_unread(node):
            return True
        ends = node.get("role") in ("doc-endnotes", "doc-footnotes") or "footnotes" in node.get("class", "").split()
        if ends and self.notes.nodes:
            return True
        if node.tag == "a" and (number := self.notes.number(node)) is not None:
            self.words.mark(number)
            return True
        return False

    def _text(self, node: Node, text: str) -> None:
        kept = self.keep_lines or any(n.tag == "pre" for n in (node, *node.iterancestors("pre")))
        self.words.add(text.strip("\n") if kept and not text.strip() else text if kept else re.sub(r"\s+", " ", text))

    def _start(self, node: Node) -> None:
        tag = str(node.tag)
        if tag == "br":
            self.words.add("\n")
        elif tag in ("ul", "ol"):
            self._flush()
            self.lists.append((node, int(start) - 1 if (start := node.get("start", "")).isdigit() else 0))
        elif tag == "table":
            self._flush()
            self.tables.append((_Table(), self.out))
            self.out = []
        elif tag in ("tr", "td", "th") and self.tables:
            self._cell(node)
        elif tag in _BLOCKS:
            self._flush()
            self._enter(node, tag)

    def _enter(self, node: Node, tag: str) -> None:
        if tag == "li":
            self.kinds.append(("item", len(self.lists)))
            if self.lists:
                list_node, count = self.lists[-1]
                count = int(value) if (value := node.get("value", "")).isdigit() else count + 1
                self.lists[-1] = (list_node, count)
                ordered = list_node.tag == "ol"
                self.label = (
                    label_of(
                        {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman"}.get(
                            list_node.get("type", ""), "decimal"
                        ),
                        count,
                    )
                    if ordered
                    else "-"
                )
        elif re.fullmatch(r"h[1-6]", tag):
            self.kinds.append(("heading", int(tag[1])))

    def _end(self, node: Node) -> None:
        tag = str(node.tag)
        if tag in ("td", "th") and self.tables:
            self._flush()
            table, _ = self.tables[-1]
            if table.rows:
                span = int(wide) if (wide := node.get("colspan", "")).isdigit() else 1
                table.rows[-1] += [self.out, *([[]] * (min(span, 50) - 1))]
            self.out = []
        elif tag == "tr" and self.tables:
            table, _ = self.tables[-1]
            if table.all_heads and len(table.rows) == table.heads + 1:
                table.heads += 1
        elif tag == "table" and self.tables:
            self._flush()
            table, outer = self.tables.pop()
            self.out = outer + table.before + self.out + table_elements(table.rows, table.heads)
        elif tag in _BLOCKS:
            self._flush()
            if tag in ("ul", "ol") and self.lists:
                self.lists.pop()
            elif tag == "li" or re.fullmatch(r"h[1-6]", tag):
                self.label = ""
                if len(self.kinds) > 1:
                    self.kinds.pop()

    def _cell(self, node: Node) -> None:
        self._flush()
        table, _ = self.tables[-1]
        if node.tag == "tr":
            table.rows.append([])
            table.all_heads = True
        else:
            table.all_heads &= node.tag == "th" or next(node.iterancestors("thead", "table"), node).tag == "thead"
        table.before += self.out
        self.out = []

    def _flush(self) -> None:
        """End the paragraph that was being gathered."""
        lines = self.words.lines()
        self.words = Words()
        if not lines:
            return
        kind, level = self.kinds[-1]
        if kind == "item" and self.label:
            lines = (Line(f"{self.label} {lines[0].text}", lines[0].page), *lines[1:])
            self.label = ""
        elif kind == "item":
            kind = "paragraph"  # the second paragraph of an item
        self.out.append(Element(kind, lines, level))  # type: ignore[arg-type]


def _properties(root: Node) -> Mapping[str, str]:
    told: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").lower()
        told.setdefault(name, (meta.get("content") or "").strip())
    found = {}
    title = told.get("dcterms.title") or " ".join("".join(root.xpath("string(//head/title)")).split())
    if title:
        found["title"] = title
    if date := next((m for name in _DATES if (m := re.match(r"\d{4}-\d\d-\d\d", told.get(name, "")))), None):
        found["date"] = date[0]
    ministries = (told[name] for name in _AUTHORITIES if "ministerie" in told.get(name, "").lower())
    if ministry := next(ministries, ""):
        found["ministry"] = ministry
    return found
