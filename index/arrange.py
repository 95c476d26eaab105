"""Turns the elements of a structured document into blocks: headings with ids, fields, paragraphs.

Knows nothing of the format that they came from. A heading that is numbered is called by its number,
in whichever way the numbers run in a fiche (`3b`) or elsewhere (`2.1`); one that is not is called by
its own words. An element that nothing marks as a heading is read as in plain text.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from index.formats.elements import Element
from index.outline import Block, Outline, take_block, with_values_below_labels, without_marks

__all__ = ["arrange"]

_NUMBER = re.compile(r"^(\d{1,2}(?:\.\d{1,2})*|[a-z])[.)]?\s+(?=\S)")
_NAME_CHARS = 120


def arrange(elements: Sequence[Element]) -> list[Block]:
    """The blocks of the body, in order.

    >>> from index.pages import Line
    >>> heading = Element("heading", (Line("Achtergrond", 1),), 1)
    >>> [(block.kind, block.section) for block in arrange([heading])]
    [('heading', 'Achtergrond')]
    """
    return with_values_below_labels(list(_Arranging(elements).blocks()))


class _Arranging:
    def __init__(self, elements: Sequence[Element]) -> None:
        self.elements = _with_title(elements)
        self.styled = any(element.kind == "heading" for element in elements)
        self.outline = Outline()
        self.above: list[tuple[int, str]] = []  # level and id of the headings that the text stands under
        self.taken: set[str] = set()
        self.namesakes: Counter[str] = Counter()

    def blocks(self) -> Iterator[Block]:
        for element in self.elements:
            lines = element.lines
            if not lines:
                continue
            if element.kind == "title":
                yield Block("title", lines)
            elif element.kind == "heading":
                yield from self._heading(element)
            elif (element.kind == "item" and self.styled) or (
                element.kind == "row" and not self.outline.heading_at(lines[0].text)
            ):
                yield Block("item", lines)
            else:
                yield from self._plain(element)

    def _plain(self, element: Element) -> Iterator[Block]:
        at = 0
        while at < len(element.lines):
            made, at, self.outline = take_block(element.lines, at, self.outline)
            for block in made:
                if block.kind == "heading":
                    self._enter(1 if block.section.isdigit() else 2, block.section)
                yield block

    def _heading(self, element: Element) -> Iterator[Block]:
        text = without_marks(element.text).strip()
        if re.match(r"fiche(?:\s+\d+)?\s*:", text, re.I) and not self.taken:
            yield Block("title", element.lines)
            return
        known = self.outline.heading_at(text)
        if known and self.outline.in_fields and known[1] == "letter":
            yield from self._plain(element)  # a label, and maybe its value on the same line
            return
        identity, level = self._name(text, element.level, known)
        numbered = bool(_NUMBER.match(text)) and identity[0] in "0123456789"
        self._enter(level, identity)
        if known and known[0] == identity:
            self.outline = self.outline.after(identity, known[1], text)
        elif numbered and identity.isdigit():
            self.outline = self.outline.after(identity, "chapter", text)
        yield Block("heading", element.lines, identity, "" if numbered else self.above[0][1])

    def _name(self, text: str, level: int, known: tuple[str, str] | None) -> tuple[str, int]:
        """What a heading is called, and its level: a letter lies below the chapter that it counts in."""
        if known and known[0] not in self.taken:
            return known[0], max(level, 2) if known[1] == "letter" else level
        number = _NUMBER.match(text)
        if number and number[1][0].isdigit() and number[1] not in self.taken:
            return number[1], level
        name = text[:_NAME_CHARS].strip()
        while name in self.taken:
            self.namesakes[text[:_NAME_CHARS]] += 1
            name = f"{text[:_NAME_CHARS].strip()} ({self.namesakes[text[:_NAME_CHARS]] + 1})"
        return name, level

    def _enter(self, level: int, identity: str) -> None:
        self.taken.add(identity)
        self.above = [entry for entry in self.above if entry[0] < level]
        self.above.append((level, identity))


def _with_title(elements: Sequence[Element]) -> list[Element]:
    """The same elements, the heading that all others stand under made the document's title."""
    out = list(elements)
    places = [i for i, element in enumerate(out) if element.kind == "heading"]
    if not places or any(element.kind == "title" for element in out):
        return out
    first, others = out[places[0]], [out[i] for i in places[1:]]
    alone = all(other.level > first.level for other in others) and (bool(others) or places[0] == 0)
    if alone and not _NUMBER.match(first.text):
        out[places[0]] = Element("title", first.lines)
    return out
