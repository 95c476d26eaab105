"""Cuts an answer into its sentences, and says of each what it is; knows nothing of HTML.

An answer is Markdown whose sentences end in `[n]`, the number of the citation that they stand on.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.language import Language
from rag.records import Answer, Citation, Part

__all__ = ["Kind", "Sentence", "sentences_of", "written_sentences"]

Kind = Literal["quoted", "quoted_dutch", "translated", "machine", "supported", "unsupported", "remark"]
_MARKER = re.compile(r"(?<!\\)\s*\[(\d+)\]")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer: its words, what they are, and the citations under them."""

    text: str
    kind: Kind
    citations: tuple[Citation, ...] = ()


def sentences_of(answer: Answer) -> list[Sentence]:
    """The sentences in order; what fiche itself says between them is a `remark`."""
    if answer.abstained:
        return [Sentence(_plain(answer.answer), "remark")]
    if answer.mode == "written" and answer.writing:
        return written_sentences(answer.writing.parts, answer.citations, answer.lang)
    return [sentence for sentence in _cut(answer) if sentence.text]


def written_sentences(parts: Iterable[Part], citations: Sequence[Citation], lang: Language) -> list[Sentence]:
    """The sentences of a written answer, each as its check found it."""
    found = []
    for part in parts:
        cited = tuple(citations[n - 1] for n in part.cites)
        kind: Kind = part.verdict
        if kind == "quoted" and lang == "en" and any(c.quote in part.text and not c.translation for c in cited):
            kind = "quoted_dutch"
        if kind == "translated" and any(c.machine_made for c in cited):
            kind = "machine"
        found.append(Sentence(part.text, kind, cited))
    return found


def _cut(answer: Answer) -> Iterator[Sentence]:
    cited = {citation.n: citation for citation in answer.citations}
    end = 0
    for match in _MARKER.finditer(answer.answer):
        text = _plain(answer.answer[end : match.start()])
        end = match.end()
        citation = cited.get(int(match[1]))
        lead, words, kind = _kind(text, citation, answer)
        yield Sentence(lead, "remark")
        yield Sentence(words, kind, (citation,) if citation else ())
    rest = _plain(answer.answer[end:])
    yield Sentence(rest, "remark" if answer.mode == "extractive" else "unsupported")


def _plain(markdown: str) -> str:
    return _ESCAPED.sub(r"\1", markdown).strip()


def _kind(text: str, citation: Citation | None, answer: Answer) -> tuple[str, str, Kind]:
    """What fiche says before the words, the words, and what they are."""
    if citation is None:
        return "", text, "unsupported"
    if citation.translation and citation.translation != citation.quote and text.endswith(citation.translation):
        return "", text, "machine" if citation.machine_made else "translated"
    if citation.quote not in text:
        return "", text, "supported"
    lead, opening, words = text.partition("“")
    if opening and lead.rstrip().endswith(":") and words.endswith("”") and citation.quote in words:
        return lead.strip(), words[:-1], "quoted_dutch" if answer.lang == "en" else "quoted"
    quoted: Kind = "quoted" if answer.lang == "nl" or citation.translation else "quoted_dutch"
    return "", text.removeprefix("“").removesuffix("”") if opening and not lead else text, quoted
