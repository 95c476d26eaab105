"""Makes an answer of scored sentences: quotes them, or refuses.

Knows nothing of vectors or screens. A quote is a whole sentence, field or footnote, cut from the
clean text by its offsets, so that it cannot differ from it.
"""

import re
from collections.abc import Sequence

from index.snapshot import Snapshot
from rag.confidence import Calibration
from rag.language import Language, detect_language
from rag.records import Citation, Hit, Retrieved

__all__ = ["MAX_QUOTES", "cite", "compose", "escape_markdown", "refuse", "select"]

MAX_QUOTES = 3
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")


def select(retrieved: Retrieved, snapshot: Snapshot, calibration: Calibration) -> list[int]:
    """Rows of the sentences to quote, best first: the best, and those nearly as good.

    A sentence whose words were quoted already (a footnote that comes twice) adds nothing.
    """
    rows: list[int] = []
    quoted: set[str] = set()
    best = retrieved.sentences[0][1]
    for row, score in retrieved.sentences:
        if len(rows) == MAX_QUOTES or best - score > calibration.keep:
            break
        document, _ = snapshot.passages[int(snapshot.passage_of[row])]
        span = snapshot.sentences[row]
        words = document.text[span.start : span.end]
        if words not in quoted:
            quoted.add(words)
            rows.append(row)
    return rows


def cite(rows: Sequence[int], snapshot: Snapshot) -> tuple[Citation, ...]:
    """A citation for each sentence row, numbered from 1."""
    found = []
    for n, row in enumerate(rows, 1):
        document, passage = snapshot.passages[int(snapshot.passage_of[row])]
        span = snapshot.sentences[row]
        found.append(
            Citation(
                n=n,
                document=document,
                page=document.page_at(span.start),
                section=passage.section,
                quote=document.text[span.start : span.end],
                start=span.start,
                end=span.end,
            )
        )
    return tuple(found)


def compose(citations: Sequence[Citation], lang: Language) -> str:
    """The answer as Markdown: each quote with its marker, a metadata field after its label.

    An English reader is told that the words are Dutch, where they are: a document may quote English.
    """
    if lang == "nl":
        return " ".join(f"{_label(c)}{escape_markdown(c.quote)} [{c.n}]" for c in citations)
    dutch = any(detect_language(c.quote) == "nl" for c in citations)
    opening = "The document says, in Dutch:" if dutch else "The document says:"
    return " ".join([opening, *(f"“{_label(c)}{escape_markdown(c.quote)}” [{c.n}]" for c in citations)])


def _label(citation: Citation) -> str:
    passage = next((p for p in citation.document.passages if p.start <= citation.start and citation.end <= p.end), None)
    if passage is None or passage.kind != "field" or not passage.section:
        return ""
    return f"{escape_markdown(citation.document.section_title(passage.section))}: "


def refuse(hits: Sequence[Hit], lang: Language) -> str:
    """The refusal, in the language of the question, with the place that came nearest."""
    if not hits:
        return "Dit staat niet in het document." if lang == "nl" else "The document does not say."
    place = where(hits[0], lang)
    if lang == "nl":
        return f"Het antwoord op deze vraag staat niet in het document. Het dichtst in de buurt komt {place}."
    return f"The document does not answer this question. What comes nearest is {place}."


def where(hit: Hit, lang: Language) -> str:
    """`onderdeel 3b («Beoordeling …»), pagina 5`: the place of a hit, in words."""
    page = hit.document.page_at(hit.best.start)
    title = escape_markdown(hit.document.section_title(hit.passage.section))
    if not hit.passage.section:
        return f"pagina {page}" if lang == "nl" else f"page {page}"
    if lang == "nl":
        return f"onderdeel {hit.passage.section} («{title}»), pagina {page}"
    return f"section {hit.passage.section} (“{title}”), page {page}"


def escape_markdown(text: str) -> str:
    """`text` with the characters that Markdown or HTML would read as markup escaped."""
    return _SPECIAL.sub(r"\\\1", text)
