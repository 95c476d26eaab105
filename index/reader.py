"""Turns a document's text into a `Document`: clean text, outline, passages, footnotes, pages.

Knows nothing of vectors, indexes or questions. The steps, each in its own module: `pages` →
`footnotes` → `outline` → `cleantext` → `passages` and `sentences`.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from pathlib import Path

from index.arrange import arrange
from index.cleantext import CleanText, Hyphenation
from index.errors import DocumentError
from index.footnotes import FootnoteLines, split_footnotes
from index.formats.elements import Draft
from index.outline import Block, find_blocks
from index.pages import Line, split_pages
from index.passages import Paragraph, group_paragraphs
from index.records import Document, Footnote, Passage, PassageKind, Section, Span

__all__ = ["MAX_DOCUMENT_BYTES", "document_id", "field_name", "read_document", "read_draft", "read_text"]

MAX_DOCUMENT_BYTES = 50_000_000
_METADATA = {
    "title": r"titel",
    "date": r"datum",
    "number": r"n(?:r|umme)r?\.? commissiedocument",
    "eurlex": r"eur-?lex",
    "impact_assessment": r"n(?:r|umme)r?\.? impact",
    "council": r"behandelingstraject",
    "ministry": r"eerstverantwoordelijk",
    "legal_basis": r"rechtsbasis",
    "procedure": r"besluitvormingsprocedure|stemwijze",
    "parliament": r"rol europees parlement",
}
"""What a field is called in `Document.metadata`, by the label of the cabinet's template."""


def field_name(label: str) -> str:
    """What a field of the cabinet's template is called in `Document.metadata`; nothing for any other label.

    >>> field_name("Eerstverantwoordelijk ministerie")
    'ministry'
    """
    return next((name for name, pattern in _METADATA.items() if re.match(pattern, label.lower())), "")


def document_id(path: Path) -> str:
    """The name that a document is asked for by: `kst-22112-3908` for `kst-22112-3908.nl.txt`."""
    stem = re.sub(r"(?:\.nl|\.en)?\.[^.]+$", "", path.name)
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.").lower() or "document"


def read_document(path: Path) -> Document:
    """Read a UTF-8 text file.

    Raises:
        DocumentError: it is missing, unreadable, empty, too large, or not text.
    """
    try:
        if not path.is_file():
            raise DocumentError(f"no document at {path}: name an existing text file")
        size = path.stat().st_size
        if size > MAX_DOCUMENT_BYTES:
            raise DocumentError(f"{path} has {size:,} bytes, more than {MAX_DOCUMENT_BYTES:,}: split it first")
        raw = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    if b"\0" in raw[:65536]:
        raise DocumentError(f"{path} is not text: give a UTF-8 text file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8 text") from error
    return read_text(text, document_id(path), source=str(path))


def read_text(raw: str, identity: str, source: str = "the text") -> Document:
    r"""Read a document from its raw text.

    >>> read_text("1. Inleiding\n\nHet kabinet is posi-\ntief.", "x").text
    '1. Inleiding\n\nHet kabinet is positief.'

    Raises:
        DocumentError: there is no word in it.
    """
    if not re.search(r"\w", raw):
        raise DocumentError(
            f"{source} is empty: give a document with text in it",
            f"{source} bevat geen tekst. Kies een document waar tekst in staat.",
        )
    bodies, notes = split_footnotes(split_pages(raw))
    lines = [line.text for body in bodies for line in body] + [line.text for note in notes for line in note.lines]
    return _Assembly(identity, CleanText(Hyphenation(lines))).assemble(find_blocks(bodies), notes)


def read_draft(draft: Draft, identity: str) -> Document:
    """Read a document from the elements that its format was read into.

    Raises:
        DocumentError: there is no word in it.
    """
    lines = [line.text for element in draft.elements for line in element.lines]
    lines += [line.text for note in draft.notes for line in note.lines]
    if not any(re.search(r"\w", line) for line in lines):
        raise DocumentError(
            "there are no words in it: give a document with text in it",
            "er staan geen woorden in. Kies een document met tekst.",
        )
    clean = CleanText(Hyphenation(lines))
    return _Assembly(identity, clean, draft.properties).assemble(arrange(draft.elements), draft.notes)


class _Assembly:
    """Writes blocks and footnotes into the clean text, and collects what stands where."""

    def __init__(self, identity: str, clean: CleanText, properties: Mapping[str, str] | None = None) -> None:
        self.identity, self.clean, self.properties = identity, clean, properties or {}
        self.sections: list[tuple[str, int, int, str]] = []  # id, start, end, chapter of one without a number
        self.paragraphs: list[Paragraph] = []
        self.fields: list[tuple[str, int, int, int]] = []  # section, start of label, start, end of value
        self.notes: list[tuple[int, int, int, int]] = []  # number, start of the number, start, end of the note
        self.title: tuple[int, int] | None = None

    def assemble(self, blocks: Iterable[Block], notes: Iterable[FootnoteLines]) -> Document:
        for block in blocks:
            self._add_block(block)
        for note in notes:
            self._add_note(note)
        text, starts, numbers = self.clean.finish()
        return self._document(text, starts, numbers)

    def _add_block(self, block: Block) -> None:
        start, end = self.clean.add(block.lines)
        if start == end:
            return
        section = self.sections[-1][0] if self.sections else ""
        if block.kind == "heading":
            self.sections.append((block.section, start, end, block.chapter))
        elif block.kind == "field":
            self.fields.append((block.section, self.sections[-1][1], start, end))
        elif block.kind == "title" and self.title is None:
            self.title = (start, end)
        else:
            self.paragraphs.append(Paragraph(start, end, section, block.kind == "item"))

    def _add_note(self, note: FootnoteLines) -> None:
        number = f"{note.number} "
        first = Line(number + note.lines[0].text.lstrip(), note.lines[0].page)
        start, end = self.clean.add([first, *note.lines[1:]])
        if end - start > len(number):
            self.notes.append((note.number, start, start + len(number), end))

    def _document(self, text: str, starts: list[int], numbers: list[int]) -> Document:
        sections = tuple(
            Section(identity, _title(text[start:end], chapter), start, end, chapter)
            for identity, start, end, chapter in self.sections
        )
        anchors = self.clean.anchors
        footnotes = tuple(Footnote(n, start, end, anchors.get(n)) for n, _, start, end in self.notes)
        metadata = {**self.properties, **self._metadata(text, sections)}
        shown = text[slice(*self.title)] if self.title else metadata.get("title", self.identity)
        return Document(
            id=self.identity,
            title=re.sub(r"^Fiche(?:\s+\d+)?\s*:\s*", "", shown, flags=re.I),
            text=text,
            sections=sections,
            passages=tuple(self._passages(text, sections)),
            footnotes=footnotes,
            metadata=metadata,
            page_starts=starts,
            page_numbers=numbers,
            pages=max(numbers),
        )

    def _metadata(self, text: str, sections: tuple[Section, ...]) -> dict[str, str]:
        titles = {section.id: section.title for section in sections}
        found: dict[str, str] = {}
        for section, _, start, end in self.fields:
            if name := field_name(titles[section]):
                found.setdefault(name, text[start:end])
        return found

    def _passages(self, text: str, sections: tuple[Section, ...]) -> Iterable[Passage]:
        """Title, fields and paragraphs in the order of the text, then the footnotes."""
        found: list[tuple[PassageKind, int, int, str, tuple[Span, ...]]] = []
        if self.title:
            found.append(("field", *self.title, "", (Span(*self.title),)))
        for section, label, start, end in self.fields:
            found.append(("field", label, end, section, (Span(start, end),)))
        for section, spans in group_paragraphs(text, self.paragraphs):
            found.append(("paragraph", spans[0].start, spans[-1].end, section, spans))
        found.sort(key=lambda entry: entry[1])
        for number, whole, start, end in self.notes:
            anchor = self.clean.anchors.get(number)
            section = _section_at(sections, anchor) if anchor is not None else ""
            found.append(("footnote", whole, end, section, (Span(start, end),)))
        headings = _headings(sections)
        for kind, start, end, section, spans in found:
            digest = hashlib.sha256(f"{self.identity}\0{start}\0{text[start:end]}".encode()).hexdigest()
            yield Passage(f"{self.identity}-{digest[:12]}", kind, start, end, section, headings.get(section, ""), spans)


def _title(heading: str, chapter: str) -> str:
    return heading if chapter else re.sub(r"^\s*\S+\s+", "", heading)


def _section_at(sections: tuple[Section, ...], offset: int) -> str:
    at = bisect_right(sections, offset, key=lambda section: section.start)
    return sections[at - 1].id if at else ""


def _headings(sections: tuple[Section, ...]) -> dict[str, str]:
    """`Algemene gegevens > Titel voorstel`: the titles of the chapter and of the section, by its id."""
    titles = {section.id: section.title for section in sections}
    chapters = {section.id: section.chapter for section in reversed(sections)}  # of several, the first
    return {
        identity: " > ".join(titles[i] for i in dict.fromkeys((chapter, identity)) if i in titles)
        for identity, chapter in chapters.items()
    }
