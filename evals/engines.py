"""What can be measured: fiche itself, keyword search alone, and the plain LlamaIndex pipeline.

Each takes a question and gives a `Result`; none knows what the right answer is. The two baselines
are what one builds in an afternoon, over the same clean text and with the same model.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from index.encoder import Encoder
from index.keywords import KeywordIndex
from index.records import Document
from index.vectors import VectorIndex
from index.words import terms
from rag.engine import Engine
from rag.language import Language, detect_language

__all__ = ["Candidate", "FicheCandidate", "KeywordCandidate", "PlainCandidate", "Result", "matching_chunk_size"]

_TOP = 10


@dataclass(frozen=True, slots=True)
class Result:
    """What a candidate made of one question."""

    lang: Language
    answer: str
    abstained: bool
    confidence: float
    passages: tuple[str, ...]
    """Texts of the retrieved passages, best first."""
    scores: tuple[float, ...]
    quotes: tuple[str, ...]
    """The words that the answer cites."""
    spans: tuple[tuple[int, int], ...] = ()
    """Offsets of the quotes in the clean text, where the candidate knows them."""
    verbatim: bool = True
    """Whether every quote stands in a document, letter by letter."""
    milliseconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)


class Candidate(Protocol):
    """Whatever answers questions."""

    name: str

    def ask(self, question: str, history: Sequence[str] = ()) -> Result:
        """Answer one question; `history` holds those before it in the same conversation."""
        ...


class FicheCandidate:
    """fiche, asked the way a user asks it."""

    name = "fiche"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, question: str, history: Sequence[str] = ()) -> Result:
        """Answer one question, in the conversation of those before it."""
        before: list[str] = []
        for earlier in history:
            before.append(self._engine.understand(earlier, before))
        answer = self._engine.ask(question, history=before)
        return Result(
            lang=answer.lang,
            answer=answer.answer,
            abstained=answer.abstained,
            confidence=answer.confidence,
            passages=tuple(hit.text for hit in answer.passages),
            scores=tuple(hit.score for hit in answer.passages),
            quotes=tuple(citation.quote for citation in answer.citations),
            spans=tuple((citation.start, citation.end) for citation in answer.citations),
            verbatim=all(c.document.text[c.start : c.end] == c.quote for c in answer.citations),
            milliseconds=answer.timings_ms["total"],
            details=answer.to_json(),
        )


class _Ranked:
    """A baseline: chunks ranked by one score, the first of them its answer and its only source."""

    name = ""

    def __init__(self, chunks: Sequence[str], documents: Sequence[Document]) -> None:
        self.chunks = list(chunks)
        self._documents = documents

    def _scores(self, question: str) -> np.ndarray:
        raise NotImplementedError

    def ask(self, question: str, history: Sequence[str] = ()) -> Result:
        """Answer one question with its first chunk."""
        began = time.perf_counter()
        scores = self._scores(question)
        order = np.argsort(-scores, kind="stable")[:_TOP]
        best = self.chunks[order[0]]
        return Result(
            lang=detect_language(question),
            answer=f"{best} [1]",
            abstained=False,
            confidence=float(np.clip(scores[order[0]], 0, 1)),
            passages=tuple(self.chunks[i] for i in order),
            scores=tuple(float(scores[i]) for i in order),
            quotes=(best,),
            verbatim=any(best in document.text for document in self._documents),
            milliseconds=1000 * (time.perf_counter() - began),
        )


class KeywordCandidate(_Ranked):
    """BM25 over the same passages that fiche has."""

    name = "keywords"

    def __init__(self, documents: Sequence[Document]) -> None:
        super().__init__([d.text[p.start : p.end] for d in documents for p in d.passages], documents)
        self._index = KeywordIndex.build([terms(chunk) for chunk in self.chunks])

    def _scores(self, question: str) -> np.ndarray:
        return self._index.scores(terms(question))


class PlainCandidate(_Ranked):
    """LlamaIndex's SentenceSplitter, the same model's pooled vectors, FAISS; the top chunk answers."""

    name = "plain"

    def __init__(self, documents: Sequence[Document], encoder: Encoder, chunk_size: int = 256) -> None:
        super().__init__([chunk for d in documents for chunk in _split(d.text, chunk_size)], documents)
        self._encoder = encoder
        self._index = VectorIndex.build(np.stack([e.pooled for e in encoder.encode(self.chunks, query=False)]))

    def _scores(self, question: str) -> np.ndarray:
        rows, scores = self._index.search(self._encoder.encode([question], query=True)[0].pooled, len(self.chunks))
        out = np.zeros(len(self.chunks), dtype=np.float32)
        out[rows] = scores
        return out


def _split(text: str, chunk_size: int) -> list[str]:
    from llama_index.core.node_parser import SentenceSplitter

    return SentenceSplitter(chunk_size=chunk_size, chunk_overlap=0).split_text(text)


def matching_chunk_size(documents: Sequence[Document], measure: Callable[[str], int] = lambda t: len(t.split())) -> int:
    """The chunk size, in SentenceSplitter's tokens, whose chunks are as long on average as our passages."""
    ours = np.mean([measure(d.text[p.start : p.end]) for d in documents for p in d.passages])
    sizes = range(64, 513, 16)
    means = [np.mean([measure(chunk) for d in documents for chunk in _split(d.text, size)]) for size in sizes]
    return sizes[int(np.argmin([abs(mean - ours) for mean in means]))]
