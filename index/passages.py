"""Groups a document's paragraphs into passages: what a reader needs around a sentence.

Knows nothing of vectors. A paragraph is a passage; one of more than `MAX_PASSAGE_WORDS` words is
parted between sentences into even parts, and a list stays with the sentence that announces it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from index.records import Span
from index.sentences import split_sentences

__all__ = ["MAX_PASSAGE_WORDS", "Paragraph", "group_paragraphs"]

MAX_PASSAGE_WORDS = 220
"""Below the 250 that readers of the interface may count on, so that a heading fits as well."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph or list item in the clean text, with the section that it stands in."""

    start: int
    end: int
    section: str
    is_item: bool


def group_paragraphs(text: str, paragraphs: list[Paragraph]) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """Section and sentences of each passage, in order."""
    group: list[Span] = []
    section, words = "", 0
    for paragraph in paragraphs:
        sentences = [
            Span(paragraph.start + a, paragraph.start + b)
            for a, b in split_sentences(text[paragraph.start : paragraph.end])
        ]
        size = len(text[paragraph.start : paragraph.end].split())
        follows = paragraph.is_item and group and section == paragraph.section
        if not follows or words + size > MAX_PASSAGE_WORDS or text[group[-1].end : paragraph.start].strip():
            yield from _parts(text, section, group)
            group, section, words = [], paragraph.section, 0
        group += sentences
        words += size
    yield from _parts(text, section, group)


def _parts(text: str, section: str, sentences: list[Span]) -> Iterator[tuple[str, tuple[Span, ...]]]:
    if not sentences:
        return
    sizes = [len(text[s.start : s.end].split()) for s in sentences]
    share = sum(sizes) / ceil(sum(sizes) / MAX_PASSAGE_WORDS)
    part: list[Span] = []
    filled = 0
    for sentence, size in zip(sentences, sizes, strict=True):
        over = filled + size > MAX_PASSAGE_WORDS or filled + size / 2 > share
        if part and over:
            yield section, tuple(part)
            part, filled = [], 0
        part.append(sentence)
        filled += size
    yield section, tuple(part)
