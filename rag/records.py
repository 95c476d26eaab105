"""The small frozen records that an answer consists of, in the shape that programs read.

Knows nothing of how they are made.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from index.records import Document, Passage, Span
from rag.language import Language

__all__ = ["Answer", "Citation", "Hit", "Part", "Reason", "Retrieved", "Writing"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that the retriever returned."""

    rank: int
    document: Document
    passage: Passage
    best: Span
    """The sentence of the passage that scored highest."""
    score: float
    row: int
    """The passage's row in the snapshot."""
    section_translation: str | None = None
    """The English of its section's title, where it is known."""

    @property
    def text(self) -> str:
        """The passage's words."""
        return self.document.text[self.passage.start : self.passage.end]

    def to_json(self) -> dict[str, Any]:
        """The hit as an entry of `passages`."""
        return {
            "rank": self.rank,
            "document": self.document.id,
            "id": self.passage.id,
            "text": self.text,
            "best": self.document.text[self.best.start : self.best.end],
            "score": round(self.score, 4),
            "page": self.document.page_at(self.best.start),
            "section": self.passage.section,
        }


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What came back for a question: passages best first, and the scored sentences."""

    question: str
    lang: Language
    hits: tuple[Hit, ...]
    sentences: tuple[tuple[int, float], ...]
    """Rows and scores of the best sentences of the whole index, best first."""
    signals: dict[str, float] = field(default_factory=dict)
    """What speaks for and against an answer, by name; see `rag.confidence`."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Verbatim words of a document: `document.text[start:end] == quote`, always."""

    n: int
    document: Document
    page: int
    section: str
    quote: str
    start: int
    end: int
    translation: str | None = None
    """The English of the quote, where it is known."""
    section_translation: str | None = None
    """The English of its section's title, where it is known."""
    machine_made: bool = False
    """Whether a machine made the translation, and nobody has read it."""

    def __post_init__(self) -> None:
        if self.document.text[self.start : self.end] != self.quote:
            raise ValueError(f"citation {self.n} does not quote {self.document.id} at {self.start}")

    def to_json(self) -> dict[str, Any]:
        """The citation as an entry of `citations`."""
        return {
            "n": self.n,
            "document": self.document.id,
            "page": self.page,
            "section": self.section,
            "quote": self.quote,
            "start": self.start,
            "end": self.end,
            "translation": self.translation,
        }


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a question was refused, as far as a reader can check it."""

    kind: Literal["names", "kind", "far", "topic"]
    """The document lacks names of the question; the passage lacks the kind of thing that it asks for; no
    sentence is near enough; or the passage is on the subject and hardly answers."""
    words: tuple[str, ...] = ()
    """The names, or the kinds of thing."""


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of a written answer, after its check."""

    text: str
    verdict: Literal["quoted", "translated", "supported"]
    """The words of its source, their known translation, or a claim that its sources support."""
    cites: tuple[int, ...]
    """Numbers of citations."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What a language model had to do with an answer."""

    model: str
    prompt: str
    """The version of the prompt, as in `write.nl@3f2a91c0`."""
    parts: tuple[Part, ...] = ()
    """The sentences of the answer, where it is a written one."""
    dropped: int = 0
    """Sentences of the model that no source supports, and that are not shown."""
    repaired: int = 0
    """Sentences whose source was corrected, or that a quotation took the place of."""
    failure: str = ""
    """Why the answer quotes instead; empty where it is written."""

    def to_json(self) -> dict[str, Any]:
        """The writing as `llm` in what `fiche ask --json` prints."""
        parts = [{"text": part.text, "verdict": part.verdict, "cites": list(part.cites)} for part in self.parts]
        about = {"model": self.model, "prompt": self.prompt, "sentences": parts}
        return {**about, "dropped": self.dropped, "repaired": self.repaired, "failure": self.failure or None}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or a refusal, to one question."""

    question: str
    lang: Language
    answer: str
    abstained: bool
    confidence: float
    mode: Literal["extractive", "written"]
    citations: tuple[Citation, ...]
    passages: tuple[Hit, ...]
    timings_ms: dict[str, float]
    reasons: tuple[Reason, ...] = ()
    """Why it is a refusal, where it is one."""
    writing: Writing | None = None
    """What a language model had to do with it, where one was asked."""
    documents: int = 1
    """How many documents the index holds: where there are more, a source says which it stands in."""

    def to_json(self) -> dict[str, Any]:
        """The object that `fiche ask --json` prints; `llm` is in it where a language model was asked."""
        extra = {"llm": self.writing.to_json()} if self.writing else {}
        return {
            "question": self.question,
            "lang": self.lang,
            "answer": self.answer,
            "abstained": self.abstained,
            "confidence": round(self.confidence, 4),
            "mode": self.mode,
            "citations": [citation.to_json() for citation in self.citations],
            "passages": [hit.to_json() for hit in self.passages],
            "timings_ms": {key: round(value, 1) for key, value in self.timings_ms.items()},
            **extra,
        }
