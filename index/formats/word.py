"""Reads a Word document (.docx): paragraphs with their styles, numbering, tables, notes, page breaks.

Knows nothing of sections or passages. Pages are those that Word counted when it last saved the file,
and those that the writer began; text that tracked changes deleted is not read.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import parse_xml

from index.errors import DocumentError
from index.footnotes import FootnoteLines
from index.formats.elements import Draft, Element, Paging, Words, paragraph_element, table_elements
from index.formats.package import open_package, read_member
from index.formats.trees import Node, walk
from index.formats.wordstyles import Numbering, Styles
from index.pages import Line

__all__ = ["read_word"]

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SKIPPED = frozenset(
    [f"{_W}{name}" for name in ["del", "moveFrom", "instrText", "delText", "rPr", "pPr", "footnoteRef", "endnoteRef"]]
    + ["{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"]
)
_TEXT = {f"{_W}tab": " ", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-", f"{_W}ptab": " "}
_CONTENTS = re.compile(r"toc \d|table of figures|inhopg", re.I)


def read_word(path: Path) -> Draft:
    """The document in a Word file.

    Raises:
        DocumentError: it is damaged, protected, or too large once unpacked.
    """
    with open_package(path) as package:
        _check(package, [n for n in package.namelist() if n.endswith((".xml", ".rels"))])
    try:
        document = docx.Document(str(path))
        body = document.element.body
    except (PackageNotFoundError, KeyError, ValueError, AttributeError, SyntaxError) as error:
        raise DocumentError(
            "it is damaged: save it again as .docx", "het is beschadigd. Sla het opnieuw op als .docx."
        ) from error
    parts = {
        rel.reltype.rsplit("/", 1)[-1]: rel.target_part for rel in document.part.rels.values() if not rel.is_external
    }
    styles = Styles(document.styles.element)
    numbering = Numbering(parse_xml(parts["numbering"].blob) if "numbering" in parts else None)
    reading = _Reading(styles, numbering)
    elements = reading.blocks(body)
    notes = _notes(
        reading, {kind: parse_xml(parts[f"{kind}s"].blob) for kind in ("footnote", "endnote") if f"{kind}s" in parts}
    )
    return Draft(tuple(elements), tuple(notes), _properties(document))


def _check(package: object, names: list[str]) -> None:
    """Refuse parts that declare entities: Word writes none, and what they stand for would be missing."""
    for name in names:
        raw = read_member(package, name) or b""  # type: ignore[arg-type]
        if b"<!DOCTYPE" in raw[:4096] or b"<!ENTITY" in raw[:65536]:
            raise DocumentError(
                "its XML declares entities, as Word never does: it is not read",
                "de XML erin bevat entiteiten, wat Word nooit doet. Het wordt niet gelezen.",
            )


class _Reading(Paging):
    """Reads elements, and remembers which notes they refer to and which page they are on."""

    def __init__(self, styles: Styles, numbering: Numbering) -> None:
        super().__init__()
        self.styles, self.numbering = styles, numbering
        self.marks: dict[tuple[str, str], tuple[int, int]] = {}

    def blocks(self, parent: Node) -> list[Element]:
        """The elements of a body, a cell or a note, in order."""
        found: list[Element] = []
        for child in parent:
            if child.tag == f"{_W}p":
                found += self._paragraph(child)
            elif child.tag == f"{_W}tbl":
                found += self._table(child)
            elif child.tag in (f"{_W}sdt", f"{_W}ins", f"{_W}moveTo", f"{_W}customXml", f"{_W}smartTag"):
                content = child.find(f"{_W}sdtContent")
                if not self._is_contents(child):
                    found += self.blocks(child if content is None else content)
        return found

    @staticmethod
    def _is_contents(node: Node) -> bool:
        """Whether a control holds the table of contents."""
        return any("Table of Contents" in (g.get(f"{_W}val") or "") for g in node.iter(f"{_W}docPartGallery"))

    def _paragraph(self, node: Node) -> Iterator[Element]:
        properties = node.find(f"{_W}pPr")
        style = self.styles.of(properties)
        if properties is not None and properties.find(f"{_W}pageBreakBefore") is not None:
            self.turn()
        words = Words(self.page)
        boxes: list[Element] = []
        self._gather(node, words, boxes)
        lines = words.lines()
        if lines and not _CONTENTS.match(style.name):
            label = self.numbering.label(style, properties)
            yield paragraph_element(lines, label, style.level, title=style.name == "title")
        yield from boxes

    def _gather(self, node: Node, words: Words, boxes: list[Element]) -> None:
        """The words of a paragraph; the paragraphs of text boxes in it go to `boxes`."""

        def skip(inner: Node) -> bool:
            if inner.tag == f"{_W}txbxContent":
                boxes.extend(self.blocks(inner))
                return True
            return inner.tag in _SKIPPED

        for what, inner, text in walk(node, skip):
            if what == "text" and inner.tag == f"{_W}t":
                words.add(text.replace("\n", " "))
                self.fresh = False
            elif what == "start" and inner.tag in _TEXT:
                words.add(_TEXT[inner.tag])
            elif what == "start" and inner.tag == f"{_W}br":
                self._break(inner, words)
            elif what == "start" and inner.tag == f"{_W}lastRenderedPageBreak":
                self.turn(words)
            elif what == "start" and inner.tag in (f"{_W}footnoteReference", f"{_W}endnoteReference"):
                key = (inner.tag[len(_W) : -len("Reference")], inner.get(f"{_W}id", ""))
                number, _ = self.marks.setdefault(key, (len(self.marks) + 1, self.page))
                words.mark(number)

    def _break(self, node: Node, words: Words) -> None:
        if node.get(f"{_W}type") == "page":
            self.turn(words)
        else:
            words.add("\n")

    def _table(self, node: Node) -> list[Element]:
        rows: list[list[list[Element]]] = []
        heads = 0
        for row in node.iter(f"{_W}tr"):
            if next(row.iterancestors(f"{_W}tbl"), None) is not node:
                continue
            properties = row.find(f"{_W}trPr")
            if properties is not None and properties.find(f"{_W}tblHeader") is not None and heads == len(rows):
                heads += 1
            rows.append(self._cells(row))
        return table_elements(rows, heads)

    def _cells(self, row: Node) -> list[list[Element]]:
        cells: list[list[Element]] = []
        for cell in row.iter(f"{_W}tc"):
            if next(cell.iterancestors(f"{_W}tr"), None) is not row:
                continue
            span = cell.find(f"{_W}tcPr/{_W}gridSpan")
            wide = span.get(f"{_W}val", "1") if span is not None else "1"
            cells.append(self.blocks(cell))
            cells += [[] for _ in range(min(int(wide), 50) - 1 if wide.isdigit() else 0)]
        return cells


def _notes(reading: _Reading, parts: Mapping[str, Node]) -> list[FootnoteLines]:
    """The footnotes and endnotes that the text refers to, on the page where it does."""
    found = []
    by_key = {(kind, note.get(f"{_W}id", "")): note for kind, part in parts.items() for note in part}
    for key, (number, page) in list(reading.marks.items()):
        if (note := by_key.get(key)) is not None:
            reading.page, reading.fresh = page, True
            lines = tuple(Line(line.text, page) for e in reading.blocks(note) for line in e.lines)
            if lines:
                found.append(FootnoteLines(number, lines))
    return found


def _properties(document: object) -> dict[str, str]:
    told = document.core_properties  # type: ignore[attr-defined]
    found = {}
    if told.title and told.title.strip() and told.title != "Word Document":
        found["title"] = told.title.strip()
    if told.created and told.author != "python-docx":
        found["date"] = told.created.date().isoformat()
    if "ministerie" in told.author.lower():
        found["ministry"] = told.author.strip()
    return found
