"""Reads an OpenDocument text (.odt): headings, paragraphs, lists, tables, notes and page breaks.

Knows nothing of sections or passages. Pages are those that the word processor marked when it saved
the file, and those that the writer began.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from index.errors import DocumentError
from index.footnotes import FootnoteLines
from index.formats.elements import Draft, Element, Paging, Words, paragraph_element, table_elements
from index.formats.labels import numeral
from index.formats.package import open_package, read_member
from index.formats.trees import Node, parse_xml, walk
from index.pages import Line

__all__ = ["read_odt"]

_NS = "urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE, _TEXT, _TABLE = (f"{{{_NS}{name}:1.0}}" for name in ("office", "text", "table"))
_STYLE, _DRAW, _META = (f"{{{_NS}{name}:1.0}}" for name in ("style", "drawing", "meta"))
_FO = f"{{{_NS}xsl-fo-compatible:1.0}}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_SKIPPED = frozenset(
    [f"{_OFFICE}{name}" for name in ("annotation", "annotation-end", "forms")]
    + [
        f"{_TEXT}{name}"
        for name in ["tracked-changes", "note-citation", "ruby-text", "table-of-content", "alphabetical-index"]
    ]
)
_HOLDERS = frozenset((f"{_TEXT}section", f"{_TEXT}index-body", f"{_OFFICE}text", f"{_TEXT}list-header"))
_WAYS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman", "1": "decimal"}


def read_odt(path: Path) -> Draft:
    """The document in an ODT file.

    Raises:
        DocumentError: it is damaged, protected, or too large once unpacked.
    """
    with open_package(path) as package:
        content = read_member(package, "content.xml")
        manifest = read_member(package, "META-INF/manifest.xml") or b""
        if b"encryption-data" in manifest:
            raise DocumentError(
                "it is protected with a password: save it without one",
                "het is beveiligd met een wachtwoord. Sla het zonder wachtwoord op.",
            )
        if content is None:
            raise DocumentError(
                "it is damaged: save it again as .odt", "het is beschadigd. Sla het opnieuw op als .odt."
            )
        shared, meta = read_member(package, "styles.xml"), read_member(package, "meta.xml")
    root = parse_xml(content)
    body = root.find(f"{_OFFICE}body/{_OFFICE}text")
    if body is None:
        raise DocumentError(
            "it holds no text document: save it as .odt", "het bevat geen tekstdocument. Sla het op als .odt."
        )
    reading = _Reading(_Styles([root, *([parse_xml(shared)] if shared else [])]))
    elements = reading.blocks(body)
    return Draft(tuple(elements), tuple(reading.notes), _properties(parse_xml(meta) if meta else None))


class _Styles:
    """Which styles begin a page, and how lists and headings are numbered."""

    def __init__(self, roots: list[Node]) -> None:
        nodes = [node for root in roots for node in root.iter(f"{_STYLE}style")]
        self.parents = {node.get(f"{_STYLE}name", ""): node.get(f"{_STYLE}parent-style-name", "") for node in nodes}
        self.breaks = {node.get(f"{_STYLE}name", "") for node in nodes if _breaks(node)}
        self.shown = {node.get(f"{_STYLE}name", ""): node.get(f"{_STYLE}display-name", "") for node in nodes}
        lists = [node for root in roots for node in root.iter(f"{_TEXT}list-style", f"{_TEXT}outline-style")]
        self.lists = {node.get(f"{_STYLE}name", ""): [_way(level) for level in node] for node in lists}
        self.outline = next((_ways(n) for n in lists if n.tag == f"{_TEXT}outline-style"), [])

    def is_title(self, name: str) -> bool:
        """Whether a style is the one of titles, or made from it."""
        seen: set[str] = set()
        while name and name not in seen:
            if name.lower() == "title" or self.shown.get(name, "").lower() in ("title", "titel"):
                return True
            seen.add(name)
            name = self.parents.get(name, "")
        return False


def _ways(node: Node) -> list[tuple[str, str, str, int]]:
    return [_way(level) for level in node]


def _way(level: Node) -> tuple[str, str, str, int]:
    """How a level is numbered (`""` for a bullet or not at all), what stands around the number, its levels."""
    way = _WAYS.get(level.get(f"{_STYLE}num-format", ""), "")
    if level.tag == f"{_TEXT}list-level-style-bullet":
        way = "bullet"
    shown = level.get(f"{_TEXT}display-levels", "1")
    prefix, suffix = level.get(f"{_STYLE}num-prefix", ""), level.get(f"{_STYLE}num-suffix", "")
    return way, prefix, suffix, int(shown) if shown.isdigit() else 1


def _breaks(style: Node) -> bool:
    properties = style.find(f"{_STYLE}paragraph-properties")
    before = properties is not None and properties.get(f"{_FO}break-before") == "page"
    return before or bool(style.get(f"{_STYLE}master-page-name"))


class _Reading(Paging):
    """Reads elements, and gathers the notes in them."""

    def __init__(self, styles: _Styles) -> None:
        super().__init__()
        self.styles = styles
        self.notes: list[FootnoteLines] = []
        self.count = 0
        self.outline: list[int] = [0] * 12

    def blocks(self, parent: Node) -> list[Element]:
        """The elements in a body, a section, a cell or a text box."""
        found: list[Element] = []
        for child in parent:
            if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                found += self._paragraph(child)
            elif child.tag == f"{_TEXT}list":
                found += self._list(child, [], child.get(f"{_TEXT}style-name", ""))
            elif child.tag == f"{_TABLE}table":
                found += self._table(child)
            elif child.tag == f"{_TEXT}soft-page-break":
                self.turn()
            elif child.tag in _HOLDERS and child.get(f"{_TEXT}display") != "none":
                found += self.blocks(child)
        return found

    def _paragraph(self, node: Node, label: str = "") -> Iterator[Element]:
        style = node.get(f"{_TEXT}style-name", "")
        if style in self.styles.breaks:
            self.turn()
        words, boxes = Words(self.page), list[Element]()
        self._gather(node, words, boxes)
        lines = words.lines()
        if lines:
            given = node.get(f"{_TEXT}outline-level", "1")
            level = (int(given) if given.isdigit() else 1) if node.tag == f"{_TEXT}h" else 0
            if level and not label:
                label = self._outline_label(level)
            yield paragraph_element(lines, label, level, title=self.styles.is_title(style))
        yield from boxes

    def _outline_label(self, level: int) -> str:
        ways = self.styles.outline
        if not 0 < level <= len(ways) or not ways[level - 1][0]:
            return ""
        self.outline[level - 1] += 1
        self.outline[level:] = [0] * (len(self.outline) - level)
        return _label(ways, self.outline, level)

    def _gather(self, node: Node, words: Words, boxes: list[Element]) -> None:
        def skip(inner: Node) -> bool:
            if inner.tag == f"{_TEXT}note":
                self._note(inner, words)
            elif inner.tag == f"{_DRAW}text-box":
                boxes.extend(self.blocks(inner))
            else:
                return inner.tag in _SKIPPED
            return True

        for what, inner, text in walk(node, skip):
            if what == "text":
                words.add(re.sub(r"\s+", " ", text))
                self.fresh = self.fresh and not text.strip()
            elif what == "start" and inner.tag == f"{_TEXT}line-break":
                words.add("\n")
            elif what == "start" and inner.tag in (f"{_TEXT}s", f"{_TEXT}tab"):
                words.add(" ")
            elif what == "start" and inner.tag == f"{_TEXT}soft-page-break":
                self.turn(words)

    def _note(self, node: Node, words: Words) -> None:
        self.count += 1
        number, page, fresh = self.count, self.page, self.fresh
        words.mark(number)
        body = node.find(f"{_TEXT}note-body")
        lines = [line for e in self.blocks(body) for line in e.lines] if body is not None else []
        self.page, self.fresh = page, fresh
        if lines:
            self.notes.append(FootnoteLines(number, tuple(Line(line.text, page) for line in lines)))

    def _list(self, node: Node, above: list[int], style: str) -> list[Element]:
        found: list[Element] = []
        ways = self.styles.lists.get(style, [])
        counts = [*above, 0]
        for item in node:
            if item.tag not in (f"{_TEXT}list-item", f"{_TEXT}list-header"):
                continue
            start = item.get(f"{_TEXT}start-value", "")
            counts[-1] = int(start) if start.isdigit() else counts[-1] + 1
            label = _label(ways, counts, len(counts)) if item.tag == f"{_TEXT}list-item" else ""
            for child in item:
                if child.tag == f"{_TEXT}list":
                    found += self._list(child, counts, child.get(f"{_TEXT}style-name") or style)
                elif child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                    found += self._paragraph(child, label)
                    label = ""
        return found

    def _table(self, node: Node) -> list[Element]:
        rows: list[list[list[Element]]] = []
        heads = 0
        for row in node.iter(f"{_TABLE}table-row"):
            if next(row.iterancestors(f"{_TABLE}table"), None) is not node:
                continue
            around = row.getparent()
            heads += around is not None and around.tag == f"{_TABLE}table-header-rows"
            cells: list[list[Element]] = []
            for cell in row:
                if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                    repeated = cell.get(f"{_TABLE}number-columns-repeated", "1")
                    content = self.blocks(cell)
                    cells += [content] * (min(int(repeated), 50) if repeated.isdigit() else 1)
            rows.append(cells)
        return table_elements(rows, heads)


def _label(ways: list[tuple[str, str, str, int]], counts: list[int], level: int) -> str:
    """The label of a list item or heading at that level, counted from 1."""
    way, prefix, suffix, shown = ways[level - 1] if level <= len(ways) else ("bullet", "", "", 1)
    if way == "bullet":
        return "-"
    if not way:
        return ""
    first = max(0, level - shown)
    numbers = [numeral(ways[i][0], counts[i]) for i in range(first, level) if ways[i][0]]
    return f"{prefix}{'.'.join(numbers)}{suffix}".strip()


def _properties(meta: Node | None) -> dict[str, str]:
    if meta is None:
        return {}
    told = {
        name: (meta.findtext(f".//{tag}") or "").strip()
        for name, tag in (
            ("title", f"{_DC}title"),
            ("date", f"{_META}creation-date"),
            ("author", f"{_META}initial-creator"),
            ("creator", f"{_DC}creator"),
        )
    }
    found = {}
    if told["title"]:
        found["title"] = told["title"]
    if date := re.match(r"\d{4}-\d\d-\d\d", told["date"]):
        found["date"] = date[0]
    if ministry := next((told[n] for n in ("author", "creator") if "ministerie" in told[n].lower()), ""):
        found["ministry"] = ministry
    return found
