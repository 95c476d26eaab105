"""Makes an answer of scored sentences: quotes them, or refuses.

Knows nothing of vectors or screens. A quote is a whole sentence, field or footnote, cut from the
clean text by its offsets, so that it cannot differ from it. An English answer gives the English of
the quoted sentences where a translation memory has it, and says that it is a translation.
"""

import re
from collections.abc import Sequence

from index.snapshot import Snapshot
from rag.confidence import Calibration
from rag.language import Language, detect_language
from rag.records import Citation, Hit, Retrieved

__all__ = ["MAX_QUOTES", "cite", "compose", "escape_markdown", "quoted", "refuse", "select"]

MAX_QUOTES = 3
_TRANSLATED = "(Translated; the Dutch text is authoritative.)"
_MACHINE_TRANSLATED = "(Translated by machine and not reviewed; the Dutch text is authoritative.)"
_UNTRANSLATED: dict[Language, str] = {
    "nl": "No translation of this is known; the document says, in Dutch:",
    "en": "The document says, in English:",
}
"""What comes before words that have no translation, by the language that they are in."""
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
                translation=snapshot.translation(document.text[span.start : span.end]),
                section_translation=snapshot.translation(document.section_title(passage.section)),
                machine_made=snapshot.is_machine_made(document.text[span.start : span.end]),
            )
        )
    return tuple(found)


def compose(citations: Sequence[Citation], lang: Language) -> str:
    """The answer as Markdown: each sentence with its marker, a metadata field after its label.

    In English it is the translation, and says so. What has none is quoted in Dutch after a sentence
    in English that tells why: nothing is guessed.
    """
    parts: list[str] = []
    led = ""
    for citation in citations:
        lead, words = quoted(citation, lang)
        if lead and lead != led:
            parts.append(lead)
        led = lead
        parts.append(
            f"“{escape_markdown(words)}” [{citation.n}]" if lead else f"{escape_markdown(words)} [{citation.n}]"
        )
    if lang == "nl":
        return " ".join(parts)
    translated = [c for c in citations if c.translation and c.translation != c.quote]
    if translated:
        parts.append(_MACHINE_TRANSLATED if any(c.machine_made for c in translated) else _TRANSLATED)
    return " ".join(parts)


def quoted(citation: Citation, lang: Language) -> tuple[str, str]:
    """What must be said before a quotation, or nothing; and its words, a metadata field after its label."""
    if lang == "nl":
        return "", f"{_label(citation)}{citation.quote}"
    lead = "" if citation.translation else _UNTRANSLATED[detect_language(citation.quote)]
    return lead, f"{_label(citation, english=bool(citation.translation))}{citation.translation or citation.quote}"


def _label(citation: Citation, *, english: bool = False) -> str:
    passage = next((p for p in citation.document.passages if p.start <= citation.start and citation.end <= p.end), None)
    if passage is None or passage.kind != "field" or not passage.section:
        return ""
    dutch = citation.document.section_title(passage.section)
    return f"{(english and citation.section_translation) or dutch}: "


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
    known = hit.section_translation if lang == "en" else None
    title = escape_markdown(known or hit.document.section_title(hit.passage.section))
    number = hit.document.section_number(hit.passage.section)
    if not number and hit.passage.section:  # a heading without a number is called by its words alone
        return f"onderdeel «{title}», pagina {page}" if lang == "nl" else f"section “{title}”, page {page}"
    if not number:
        return f"pagina {page}" if lang == "nl" else f"page {page}"
    if lang == "nl":
        return f"onderdeel {number} («{title}»), pagina {page}"
    return f"section {number} (“{title}”), page {page}"


def escape_markdown(text: str) -> str:
    """`text` with the characters that Markdown or HTML would read as markup escaped."""
    return _SPECIAL.sub(r"\\\1", text)
