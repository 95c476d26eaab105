"""Turns a document into the HTML that it is read in: outline, paragraphs, sentences, footnotes, pages.

Knows nothing of answers. Every sentence that can be cited carries its offset in the clean text as
the attribute `data-s`, by which the page finds and highlights it.
"""

from bisect import bisect_left
from collections.abc import Iterator

from index.records import Document, Footnote, Section, Span
from rag.language import detect_language
from ui.web.markup import Markup, join, tag
from ui.web.words import both, label

__all__ = ["document_html"]


def document_html(document: Document) -> dict[str, str]:
    """The document's `outline` and `body` as HTML, with its `id` and `title`."""
    page = _Page(document)
    return {"id": document.id, "title": document.title, "outline": _outline(document), "body": page.body()}


def _start_of_word(text: str, at: int) -> int:
    """Where a new page is shown that begins within a word: before it, so that the word stays whole."""
    while at > 0 and not text[at - 1].isspace():
        at -= 1
    return at


def _outline(document: Document) -> Markup:
    entries = [
        tag(
            "li",
            tag(
                "button",
                tag("span", document.section_number(section.id), class_="number"),
                " ",
                section.title,
                type="button",
                data_do="section",
                data_section=section.start,
            ),
            class_="sub" if section.id != section.chapter else None,
        )
        for section in document.sections
    ]
    return tag("ol", *entries, lang="nl") if entries else join()


class _Page:
    """One document on its way to HTML."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.sections = {section.start: section for section in document.sections}
        self.sentences = sorted(
            {(s.start, s.end) for passage in document.passages for s in passage.sentences if s.end > s.start}
        )
        self.starts = [start for start, _ in self.sentences]
        self.notes = {note.number: note for note in document.footnotes}
        self.anchors = sorted((n.anchor, n.number) for n in document.footnotes if n.anchor is not None)
        self.first_note = min((n.start for n in document.footnotes), default=len(document.text))
        self.fields = {p.sentences[0].start for p in document.passages if p.kind == "field"}
        starts = (_start_of_word(document.text, at) for at in document.page_starts)
        self.breaks = dict(zip(starts, document.page_numbers, strict=True))

    def body(self) -> Markup:
        """All blocks of the text in order; footnotes stand below the block that refers to them."""
        parts: list[Markup] = []
        placed: set[int] = set()
        for start, end in self._blocks():
            if any(n.start - 8 <= start <= n.start for n in self.document.footnotes):
                continue
            parts.append(self._block(start, end))
            here = [n for a, n in self.anchors if start <= a <= end and n not in placed]
            placed.update(here)
            if here:
                parts.append(self._notes([self.notes[n] for n in here]))
        rest = [note for number, note in self.notes.items() if number not in placed]
        if rest:
            parts += [tag("h3", both("footnotes")), self._notes(rest)]
        return tag("div", *parts, class_="text", lang=detect_language(self.document.text[:2000]))

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """The stretches of text between blank lines."""
        start = 0
        for piece in self.document.text.split("\n\n"):
            if piece.strip():
                yield start, start + len(piece)
            start += len(piece) + 2

    def _block(self, start: int, end: int) -> Markup:
        section = self.sections.get(start)
        if section:
            return self._heading(section, start, end)
        kind = "field" if start in self.fields and start > 0 else None
        if start == 0 and start in self.fields:
            return tag("h3", self._run(start, end), class_="doctitle", data_start=start)
        return tag("p", self._run(start, end), class_=kind, data_start=start)

    def _heading(self, section: Section, start: int, end: int) -> Markup:
        level = "h4" if section.id != section.chapter else "h3"
        return tag(level, self._run(start, end), id=f"section-{start}", tabindex="-1", data_start=start)

    def _run(self, start: int, end: int) -> Markup:
        """A stretch of text with its sentences, page changes and footnote marks."""
        parts: list[Markup] = []
        here = start
        for i in range(bisect_left(self.starts, start), len(self.sentences)):
            s, e = self.sentences[i]
            if s >= end:
                break
            parts.append(self._words(here, s))
            parts.append(tag("span", self._words(s, min(e, end), closing=True), class_="s", data_s=s, data_e=e))
            here = min(e, end)
        parts.append(self._words(here, end, closing=here < end))
        return join(*parts)

    def _words(self, start: int, end: int, *, closing: bool = False) -> Markup:
        """Words with what stands among them; an anchor at the very end belongs to the words before it."""
        cuts = [(a, self._mark(n)) for a, n in self.anchors if start < a < end or (a == end and closing)]
        cuts += [(b, self._page_mark(n)) for b, n in self.breaks.items() if start <= b < end and n > 1]
        parts: list[str] = []
        here = start
        for offset, mark in sorted(cuts, key=lambda cut: cut[0]):
            parts += [self.document.text[here:offset], mark]
            here = offset
        return join(*parts, self.document.text[here:end])

    def _mark(self, number: int) -> Markup:
        return tag(
            "sup",
            tag(
                "button",
                str(number),
                type="button",
                class_="note",
                data_do="note",
                data_note=number,
                id=f"mark-{number}",
                **label("to_note", number=number),
            ),
        )

    def _page_mark(self, number: int) -> Markup:
        return tag("span", both("page", page=number), class_="pagemark")

    def _notes(self, notes: list[Footnote]) -> Markup:
        rows = [
            tag(
                "div",
                tag(
                    "button",
                    str(note.number),
                    type="button",
                    class_="note",
                    data_do="mark",
                    data_note=note.number,
                    **label("back_to_text"),
                ),
                tag("p", self._note_words(Span(note.start, note.end))),
                id=f"note-{note.number}",
                tabindex="-1",
                class_="footnote",
            )
            for note in notes
        ]
        return tag("div", *rows, class_="footnotes", role="group", **label("footnotes"))

    def _note_words(self, span: Span) -> Markup:
        return tag("span", self.document.text[span.start : span.end], class_="s", data_s=span.start, data_e=span.end)
