"""Parts the body's lines into blocks: headings, metadata fields, paragraphs and list items.

Knows nothing of vectors or of where the text came from. The outline of a BNC fiche is numbered:
chapters `1.`, `2.` … and within them `a)`, `b)` …; other documents number `1.1`, `2.3.1`. A
number opens a heading only in its turn, so that an enumeration in the text stays text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import quantiles
from typing import Literal

from index.footnotes import MAX_NOTES, mark_of
from index.pages import Line

__all__ = [
    "Block",
    "Outline",
    "find_blocks",
    "runs_on",
    "take_block",
    "text_width",
    "with_values_below_labels",
    "without_marks",
]

_CHAPTER = re.compile(r"^\s*(\d{1,2})\.\s+(?=\S)")
_DECIMAL = re.compile(r"^\s*(\d{1,2}(?:\.\d{1,2})+)\.?\s+(?=\S)")
_LETTER = re.compile(r"^\s*([a-z])[).]\s+(?=\S)")
_BULLET = re.compile(r"^\s*(?:[•‣▪●○◦·]|[-–—*](?=\s)|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})\)(?=\s))\s*(?=\S)")
_FICHE_TITLE = re.compile(r"^\s*Fiche(?:\s+\d+)?\s*:\s*\S", re.I)
_SENTENCE_END = re.compile(r"[.!?:;][\"”’»)\]\ue000-\uf8ff]*$")
_MARKS = re.compile(f"[{mark_of(0)}-{mark_of(MAX_NOTES)}]+")
_HEADING_WORDS = 40
_FIELD_WORDS = 120
_NARROW = 0.75
"""A line shorter than this share of the text's width ends its paragraph, or is a heading."""

FIELD_LABELS = (
    "Titel voorstel",
    "Titel",
    "Datum ontvangst Commissiedocument",
    "Datum ontvangst",
    "Nr. Commissiedocument",
    "Nummer Commissiedocument",
    "EUR-Lex",
    "Nr. impact assessment Commissie en Opinie Raad voor Regelgevingstoetsing",
    "Nr. impact assessment Commissie en Opinie Comité voor Regelgevingstoetsing",
    "Nr. impact assessment Commissie en Opinie",
    "Nr. impact assessment Commissie",
    "Behandelingstraject Raad",
    "Eerstverantwoordelijk ministerie",
    "Eerstverantwoordelijk departement",
    "Rechtsbasis",
    "Besluitvormingsprocedure Raad",
    "Besluitvormingsprocedure",
    "Stemwijze Raad",
    "Rol Europees Parlement",
)
"""The labels of the cabinet's template: where one breaks over lines, they say where it ends."""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of lines: a heading with its id, a field's value, a paragraph, or a list item."""

    kind: Literal["title", "heading", "field", "paragraph", "item"]
    lines: tuple[Line, ...]
    section: str = ""
    """The id of a heading; for a field, that of the heading it is the value of."""
    chapter: str = ""
    """Of a heading that is called by its words: the id of the chapter that it stands in."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The numbers met so far, which say what the next heading must be called."""

    chapter: int = 0
    letter: str = ""
    in_fields: bool = False

    def heading_at(self, text: str) -> tuple[str, str] | None:
        """The id and the kind (`chapter`, `letter`, `decimal`) that `text` opens, if it is next."""
        bare = without_marks(text)
        if found := _DECIMAL.match(bare):
            return (found[1], "decimal") if int(found[1].split(".")[0]) in (self.chapter, self.chapter + 1) else None
        if found := _CHAPTER.match(bare):
            return (found[1], "chapter") if int(found[1]) == self.chapter + 1 else None
        if (found := _LETTER.match(bare)) and self.chapter:
            expected = chr(ord(self.letter) + 1) if self.letter else "a"
            return (f"{self.chapter}{found[1]}", "letter") if found[1] == expected else None
        return None

    def after(self, identity: str, kind: str, title: str) -> "Outline":
        """The outline once the heading `identity` has been read."""
        if kind == "letter":
            return Outline(self.chapter, identity[-1], self.in_fields)
        return Outline(int(identity.split(".", 1)[0]), "", "gegevens" in title.lower())


_Lines = tuple[Line, ...]


def find_blocks(pages: list[list[Line]]) -> list[Block]:
    """The blocks of the whole body, in order.

    A letter's text is one field of metadata when its chapter is the one of general data
    (`Algemene gegevens`) and it is a single short block; otherwise its title is a heading.
    """
    width = text_width(line for page in pages for line in page)
    outline = Outline()
    blocks: list[Block] = []
    for block in _raw_blocks(pages, width):
        at = 0
        while at < len(block):
            made, at, outline = take_block(block, at, outline)
            blocks += made
    return with_values_below_labels(blocks)


def text_width(lines: Iterable[Line]) -> float:
    """The length of a full line, in characters: nine of ten lines are no longer."""
    lengths = sorted(len(line.text) for line in lines if line.text.strip())
    return quantiles(lengths, n=10)[-1] if len(lengths) > 1 else 80.0


def without_marks(text: str) -> str:
    """`text` without the marks of footnotes."""
    return _MARKS.sub("", text)


def _raw_blocks(pages: list[list[Line]], width: float) -> list[_Lines]:
    """Lines between blank ones; a paragraph that a page break cut in two is one again."""
    blocks: list[list[Line]] = []
    for page in pages:
        fresh = not (blocks and page and runs_on(blocks[-1][-1], page[0], width))
        for line in page:
            if not line.text.strip():
                fresh = True
            elif fresh:
                blocks.append([line])
                fresh = False
            else:
                blocks[-1].append(line)
    return [tuple(block) for block in blocks]


def runs_on(last: Line, first: Line, width: float) -> bool:
    """Whether the first line of a page goes on with the paragraph that the last page ended in."""
    if _CHAPTER.match(first.text) or _LETTER.match(first.text) or _BULLET.match(first.text):
        return False
    return not _SENTENCE_END.search(last.text.rstrip()) or len(last.text.rstrip()) >= _NARROW * width


def take_block(lines: _Lines, at: int, outline: Outline) -> tuple[list[Block], int, Outline]:
    """The blocks that begin at the line `at`, the line that follows them, and the outline after them."""
    heading = outline.heading_at(lines[at].text)
    made = _take_heading(lines, at, *heading, outline) if heading else None
    if made:
        return made
    if _FICHE_TITLE.match(lines[at].text) and not outline.chapter:
        return [Block("title", lines[at:])], len(lines), outline
    after = range(at + 1, len(lines))
    cut = next((i for i in after if _opens(lines[i].text, lines[i - 1].text, outline)), len(lines))
    kind: Literal["item", "paragraph"] = "item" if _BULLET.match(lines[at].text) else "paragraph"
    return [Block(kind, lines[at:cut])], cut, outline


def _opens(text: str, before: str, outline: Outline) -> bool:
    """Whether a line inside a block begins a heading or a list item of its own."""
    ended = bool(_SENTENCE_END.search(before.rstrip()))
    if ended and outline.heading_at(text) and text.rstrip()[-1:] not in ",;":
        return True
    return bool(_BULLET.match(text)) and (ended or bool(_BULLET.match(before)))


def _take_heading(
    lines: _Lines, at: int, identity: str, kind: str, outline: Outline
) -> tuple[list[Block], int, Outline] | None:
    """The heading that the line `at` opens, for a field also its value; `None` if it is prose."""
    first = lines[at].text
    prefix = len(first) - len(re.sub(r"^\s*\S+\s+", "", first))
    if not without_marks(first[prefix:]).strip()[:1].isupper():
        return None
    inner = outline.after(identity, kind, first)
    reach = _reach(lines, at, inner)
    is_field = kind == "letter" and outline.in_fields
    title, value = (_label_and_value if is_field else _title_and_rest)(lines[at:reach], prefix)
    words = without_marks(" ".join(line.text for line in title)[prefix:]).strip()
    if not words[:1].isupper() or words.endswith((";", ",")) or len(words.split()) > _HEADING_WORDS:
        return None
    if kind != "letter" and words.endswith("."):
        return None
    made = [Block("heading", title, identity)]
    outline = outline.after(identity, kind, words)
    if is_field:
        stop = next((i for i in range(reach, len(lines)) if inner.heading_at(lines[i].text)), len(lines))
        value += lines[reach:stop]
        return [*made, *([Block("field", value, identity)] if value else [])], stop, outline
    return made, at + len(title), outline


def _reach(lines: _Lines, at: int, inner: Outline) -> int:
    """As far as a heading may go that opens at `at`: to the next one, or to more words than one has."""
    words = 0
    for i in range(at, len(lines)):
        if words > _HEADING_WORDS + 1 or (i > at and inner.heading_at(lines[i].text)):
            return i
        words += len(lines[i].text.split())
    return len(lines)


def _label_and_value(lines: _Lines, prefix: int) -> tuple[_Lines, _Lines]:
    """A field's label and value: by the template's labels, else by a colon, else by the first line."""
    whole = " ".join(line.text.strip() for line in lines)[prefix:].lower()
    known = [label for label in FIELD_LABELS if re.match(re.escape(label.lower()) + r"(?!\w)", whole)]
    colon = lines[0].text.find(": ")
    if known:
        return _cut(lines, prefix + len(max(known, key=len)))
    if colon > 0:
        return _cut(lines, colon)
    return lines[:1], lines[1:]


def _cut(lines: _Lines, column: int) -> tuple[_Lines, _Lines]:
    """`lines` parted at a column of their joined text."""
    for row, line in enumerate(lines):
        text = line.text.strip() if row else line.text
        if column <= len(text):
            rest = text[column:].lstrip(" :")
            title = (*lines[:row], Line(text[:column].rstrip(" :"), line.page))
            return title, ((Line(rest, line.page),) if rest else ()) + lines[row + 1 :]
        column -= len(text) + 1
    return lines, ()


def _title_and_rest(lines: _Lines, prefix: int) -> tuple[_Lines, _Lines]:
    """A heading's lines, and what follows it without a blank line between.

    A short block that ends without a full stop is all heading; otherwise its first line is.
    """
    words = " ".join(line.text for line in lines)[prefix:].split()
    ends_open = not _SENTENCE_END.search(lines[-1].text.rstrip())
    if len(words) <= _HEADING_WORDS and ends_open and not any(_BULLET.match(line.text) for line in lines[1:]):
        return lines, ()
    return lines[:1], lines[1:]


def _words(block: Block) -> str:
    return " ".join(line.text for line in block.lines)


def with_values_below_labels(blocks: list[Block]) -> list[Block]:
    """The same blocks, a value that stands a blank line below its label made a field too."""
    field_chapters = {block.section[:-1] for block in blocks if block.kind == "field"}
    field_chapters |= {b.section for b in blocks if b.kind == "heading" and "gegevens" in _words(b).lower()}
    out: list[Block] = []
    for block in blocks:
        before = out[-1] if out else None
        if (
            before
            and before.kind == "heading"
            and before.section[-1:].isalpha()
            and before.section[:-1] in field_chapters
            and not before.chapter
            and block.kind in ("paragraph", "item")
            and sum(len(line.text.split()) for line in block.lines) <= _FIELD_WORDS
        ):
            out.append(Block("field", block.lines, before.section))
        else:
            out.append(block)
    return out
