"""What every format is read into: elements in order, footnotes, and what the file says of itself.

Knows nothing of any format, nor of what becomes of an element. Text is held in lines that know
their page; the mark of a footnote is one private-use character in them (`footnotes.mark_of`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from index.footnotes import MAX_NOTES, FootnoteLines, mark_of
from index.pages import Line, normalise

__all__ = ["Draft", "Element", "Paging", "Properties", "Words", "paragraph_element", "table_elements"]

Kind = Literal["title", "heading", "paragraph", "item", "row"]
Properties = Mapping[str, str]
"""`title`, `date` and `ministry` as a file's own metadata give them, where they do."""
_CELL_WORDS = 60
"""A cell with more words is no cell of a table to look things up in: the table only arranges text."""


@dataclass(frozen=True, slots=True)
class Element:
    """One paragraph, heading, list item or table row, of one or more lines."""

    kind: Kind
    lines: tuple[Line, ...]
    level: int = 0
    """Of a heading, from 1; of a list item how deep it lies."""

    @property
    def text(self) -> str:
        """All of its words on one line."""
        return " ".join(line.text.strip() for line in self.lines)


@dataclass(frozen=True, slots=True)
class Draft:
    """A document before it has sections and passages."""

    elements: tuple[Element, ...]
    notes: tuple[FootnoteLines, ...] = ()
    properties: Properties = field(default_factory=dict)


def paragraph_element(lines: tuple[Line, ...], label: str = "", level: int = 0, *, title: bool = False) -> Element:
    """A paragraph of a word processor as what it is, with the label that is shown before it.

    Args:
        lines: its text, at least one line.
        label: `2.1`, `c)` or `-`, where it is numbered or an item.
        level: of a heading, from 1.
        title: whether it is the document's title.
    """
    if label:
        lines = (Line(f"{label} {lines[0].text}", lines[0].page), *lines[1:])
    if level:
        return Element("heading", lines, level)
    return Element("title" if title else "item" if label else "paragraph", lines)


class Words:
    """Gathers the text of one paragraph: words, marks of footnotes, line and page breaks.

    >>> words = Words(page=1)
    >>> words.add("Het kabinet")
    >>> words.turn(2)
    >>> words.add(" is positief.")
    >>> [(line.text, line.page) for line in words.lines()]
    [('Het kabinet', 1), ('is positief.', 2)]
    """

    def __init__(self, page: int = 1) -> None:
        self.page = page
        self._parts: list[list[str]] = [[]]
        self._pages = [page]
        self._cuts: list[bool] = []

    def add(self, text: str) -> None:
        """More words; a line feed in them begins a new line."""
        for i, piece in enumerate(normalise(text).replace("\f", " ").split("\n")):
            if i:
                self.turn(self.page)
            self._parts[-1].append(piece)

    def mark(self, number: int) -> None:
        """The mark of a footnote."""
        if 0 < number <= MAX_NOTES:
            self._parts[-1].append(mark_of(number))

    def turn(self, page: int) -> None:
        """A new line, on that page; a word that a page's end cuts in two gets its hyphen."""
        cut = page != self.page and "".join(self._parts[-1])[-1:].isalpha()
        self._cuts.append(cut)
        self.page = page
        self._parts.append([])
        self._pages.append(page)

    def lines(self) -> tuple[Line, ...]:
        """What was gathered, without empty lines and double spaces."""
        raw = ["".join(parts) for parts in self._parts]
        for i, cut in enumerate(self._cuts):
            if cut and raw[i + 1][:1].islower():
                raw[i] += "-"
        joined = (" ".join(text.split()) for text in raw)
        return tuple(Line(text, page) for text, page in zip(joined, self._pages, strict=True) if text)


class Paging:
    """Which page a reader is on."""

    def __init__(self) -> None:
        self.page = 1
        self.fresh = True
        """Whether nothing has been written on this page: a second break there turns no page."""

    def turn(self, words: Words | None = None) -> None:
        """Go to the next page, in the middle of `words` where some are being gathered."""
        if self.fresh:
            return
        self.page += 1
        self.fresh = True
        if words:
            words.turn(self.page)


def table_elements(rows: Sequence[Sequence[Sequence[Element]]], heads: int) -> list[Element]:
    """A table as elements: each row as `kop: waarde; kop: waarde`, so that it can be read by itself.

    Args:
        rows: the cells of each row, each as its paragraphs.
        heads: how many rows at the top the file itself calls the table's head.

    A table of two columns without a head is one of labels and values. A table that only arranges text
    gives its cells' paragraphs, one after another.
    """
    filled = [row for row in rows if any(row)]
    if not filled:
        return []
    width = max(len(row) for row in filled)
    if width == 1 or any(_size(cell) > _CELL_WORDS for row in filled for cell in row):
        return [element for row in filled for cell in row for element in cell]
    if not heads and width > 2 and len(filled) > 2 and all(_is_label(cell) for cell in filled[0]):
        heads = 1
    labels = [" ".join(filter(None, (_words(row[i]) for row in filled[:heads] if i < len(row)))) for i in range(width)]
    body = filled[heads:] or filled
    lines = (_row(row, labels if heads < len(filled) else []) for row in body)
    return [Element("row", (line,)) for line in lines if line]


def _row(row: Sequence[Sequence[Element]], labels: Sequence[str]) -> Line | None:
    cells = [(labels[i] if i < len(labels) else "", _words(cell)) for i, cell in enumerate(row) if cell]
    if not any(label for label, _ in cells) and len(row) == 2 and len(cells) == 2:
        cells = [(cells[0][1], cells[1][1])]
    said = [f"{label.rstrip(' :')}: {words}" if label and label != words else words for label, words in cells]
    page = next((element.lines[0].page for cell in row for element in cell), 1)
    return Line("; ".join(words.rstrip(" ;") for words in said), page) if said else None


def _words(cell: Sequence[Element]) -> str:
    return " ".join(element.text for element in cell)


def _size(cell: Sequence[Element]) -> int:
    return sum(len(element.text.split()) for element in cell)


def _is_label(cell: Sequence[Element]) -> bool:
    words = _words(cell)
    return bool(words) and len(words.split()) <= 6 and not any(char.isdigit() for char in words)
