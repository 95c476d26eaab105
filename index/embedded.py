"""Chooses the words that stand for a sentence or a passage in the model: its own, under its heading.

Knows nothing of vectors. What a memory has the English of stands for itself in both languages.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.glosses import gloss
from index.memory import TranslationMemory
from index.records import Document, Language, Passage, Span

__all__ = ["EmbeddedTexts", "embedded_text", "known_english", "texts_of"]

_ANCHOR_WORDS = 10
_POINTS_BACK = re.compile(r"(?:dit|deze|die|dat|dergelijke|hier\w+|daar\w+)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EmbeddedTexts:
    """What is embedded of some documents: a text for each passage and each sentence, in each language.

    A text that does not exist in a language is empty.
    """

    passages: dict[Language, list[str]]
    sentences: dict[Language, list[str]]

    def distinct(self) -> list[str]:
        """Each text once, shortest first, the same on every run: a passage of one sentence is embedded once."""
        found = {text for view in (self.passages, self.sentences) for texts in view.values() for text in texts if text}
        return sorted(found, key=lambda text: (len(text), text))


def texts_of(documents: Sequence[Document], memory: TranslationMemory) -> EmbeddedTexts:
    """The texts of all passages and all sentences of the documents, in order."""
    passages = [(d, p) for d in documents for p in d.passages]
    sentences = [(d, p, s) for d, p in passages for s in p.sentences]
    return EmbeddedTexts(
        {
            "nl": [embedded_text(d, p, p.sentences[0].start, p.sentences[-1].end) for d, p in passages],
            "en": [_english_text(d, p, p.sentences, memory) for d, p in passages],
        },
        {
            "nl": [embedded_text(d, p, s.start, s.end) for d, p, s in sentences],
            "en": [_english_text(d, p, [s], memory) for d, p, s in sentences],
        },
    )


def known_english(document: Document, memory: TranslationMemory) -> Iterator[tuple[str, str, str]]:
    """Each sentence and heading of a document that has an English in the memory: Dutch, English, and who made it."""
    sentences = (document.text[s.start : s.end] for p in document.passages for s in p.sentences)
    for words in (*sentences, *(section.title for section in document.sections)):
        if segment := memory.get(words):
            yield words, segment.target, segment.origin


def embedded_text(document: Document, passage: Passage, start: int, end: int) -> str:
    """The words that stand for a sentence or a passage in the model: under its heading.

    The heading often holds the word that a question uses (`Behandelingstraject Raad`), and the
    sentence does not.
    """
    title = document.section_title(passage.section) if passage.section else ""
    if passage.kind == "footnote":
        title = _footnote_title(document, passage)
    elif passage.kind == "field" and (about := gloss(title, "field")):
        title = f"{title} ({about})"
    text = document.text[start:end]
    return f"{title}: {text}" if title else text


def _english_text(document: Document, passage: Passage, spans: Sequence[Span], memory: TranslationMemory) -> str:
    """The same in English, or nothing where a part of it has no translation."""
    found = [memory.get(document.text[span.start : span.end]) for span in spans]
    heading = document.section_title(passage.section) if passage.section else ""
    known = memory.get(heading)
    title = known.target if known else ""
    if passage.kind == "footnote":
        title = _footnote_title(document, passage).split(",")[0].replace("Voetnoot", "Footnote")
    elif passage.kind == "field" and (about := gloss(heading, "field", english=True)):
        title = f"{title} ({about})"
    text = " ".join(segment.target for segment in found if segment)
    return (f"{title}: {text}" if title else text) if all(found) else ""


def _footnote_title(document: Document, passage: Passage) -> str:
    """`Voetnoot 5`; with the words that it explains where it only points at them (`Dit zijn …`)."""
    note = next(n for n in document.footnotes if n.start == passage.sentences[0].start)
    if note.anchor is None or not _POINTS_BACK.match(document.text[note.start : note.end]):
        return f"Voetnoot {note.number}"
    opening = max(document.text.rfind("\n\n", 0, note.anchor), document.text.rfind(". ", 0, note.anchor - 1))
    words = document.text[max(0, opening) : note.anchor].split()[-_ANCHOR_WORDS:]
    return f"Voetnoot {note.number}, {' '.join(words)}"
