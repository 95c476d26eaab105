"""The small frozen records that a read document consists of.

Knows nothing of how they are found or searched. All offsets are characters of the clean
text, `start` inclusive and `end` exclusive, so `document.text[x.start:x.end]` is always `x`'s
own words.
"""

import datetime
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from index.dates import find_date

__all__ = ["Document", "Footnote", "Language", "Passage", "PassageKind", "Section", "Span"]

Language = Literal["nl", "en"]
"""The languages that questions are asked in, and that a document's sentences may be read in."""
PassageKind = Literal["paragraph", "field", "footnote"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the clean text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what it is called: `Section("3b", "Beoordeling + inzet …", 812, 850)`.

    `start` and `end` are those of the heading itself, number included.
    """

    id: str
    title: str
    start: int
    end: int
    within: str = ""
    """Of a heading without a number, which is called by its own words: the id of its chapter."""

    @property
    def chapter(self) -> str:
        """The id of the chapter that the section stands in: `3` for `3b`."""
        return self.within or self.id.rstrip("abcdefghijklmnopqrstuvwxyz").split(".")[0]


@dataclass(frozen=True, slots=True)
class Footnote:
    """A footnote: its own words (without its number) and the place in the body that refers to it."""

    number: int
    start: int
    end: int
    anchor: int | None
    """Offset in the body where the mark stood, or `None` where no mark was found."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What a reader needs around a sentence to check it.

    A paragraph (or a part of at most `MAX_PASSAGE_WORDS` of it), a metadata field with its
    label, or a footnote. `sentences` are what can be cited: for a field or a footnote there is
    one, the whole value or note.
    """

    id: str
    kind: PassageKind
    start: int
    end: int
    section: str
    heading: str
    """Titles that the passage stands under, outermost first, joined by ` > `."""
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a person reads it, with the way back to its pages."""

    id: str
    title: str
    text: str
    sections: tuple[Section, ...]
    passages: tuple[Passage, ...]
    footnotes: tuple[Footnote, ...]
    metadata: Mapping[str, str]
    page_starts: Sequence[int]
    """Offsets at which the page changes, ascending, the first 0."""
    page_numbers: Sequence[int]
    """The page that begins at the same place in `page_starts`, counted from 1."""
    pages: int = field(default=1)

    @property
    def date(self) -> datetime.date | None:
        """The date that its metadata name, where they name one."""
        return find_date(self.metadata.get("date", ""))

    @property
    def ministry(self) -> str:
        """The ministry that its metadata name, or nothing."""
        return self.metadata.get("ministry", "")

    def page_at(self, offset: int) -> int:
        """The page, counted from 1, that the character at `offset` stands on."""
        return self.page_numbers[max(0, bisect_right(self.page_starts, offset) - 1)]

    def section_number(self, section_id: str) -> str:
        """What the section is called beside its title: its id, or nothing where the title is its id."""
        return "" if any(s.id == section_id and s.within for s in self.sections) else section_id

    def section_title(self, section_id: str) -> str:
        """The title of a section, or the document's own title before the first heading."""
        return next((s.title for s in self.sections if s.id == section_id), self.title)
