"""Makes documents of passages that come without one: the training passages, or a BEIR corpus.

Knows nothing of questions or scores.
"""

import hashlib
from collections.abc import Container, Iterable

from index.records import Document, Passage, Section, Span
from index.sentences import split_sentences

__all__ = ["document_of_passages"]


def document_of_passages(
    identity: str, passages: Iterable[tuple[str, str, str]], fields: Container[str] = ()
) -> Document:
    """One document of passages, each an id, a heading (may be empty) and a text.

    A passage keeps its id; each heading becomes a section that the passages under it share. Those
    whose id is in `fields` are metadata fields: one value, cited whole.
    """
    parts: list[str] = []
    sections: list[Section] = []
    made: list[Passage] = []
    length = 0

    def add(text: str) -> tuple[int, int]:
        nonlocal length
        start = length + (2 if parts else 0)
        parts.append(text)
        length = start + len(text)
        return start, length

    for passage_id, heading, text in passages:
        if heading and (not sections or sections[-1].title != heading):
            start, end = add(heading)
            sections.append(Section(str(len(sections) + 1), heading, start, end))
        section = sections[-1].id if heading else ""
        start, end = add(" ".join(text.split()) or "—")
        key = passage_id or hashlib.sha256(text.encode()).hexdigest()[:12]
        whole = key in fields
        spans = [(0, end - start)] if whole else split_sentences(" ".join(text.split()) or "—")
        sentences = tuple(Span(start + a, start + b) for a, b in spans)
        made.append(Passage(key, "field" if whole else "paragraph", start, end, section, heading, sentences))
    text = "\n\n".join(parts)
    return Document(identity, identity, text, tuple(sections), tuple(made), (), {}, [0], [1], 1)
