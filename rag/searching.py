"""A snapshot → how it is searched: every sentence scored while it is small, only candidates beyond.

Knows nothing of questions. The size decides, by what `python -m evals.scale` measured.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from index.snapshot import EXACT_SENTENCES, Snapshot
from index.vectors import VectorSearch

__all__ = ["Searching", "searching"]

ALL_ROWS = EXACT_SENTENCES
"""Up to as many sentences every one is scored; beyond, only the candidates of a first search."""
CANDIDATES = 2000
"""Sentences whose mean vectors are nearest."""
WORDED = 200
"""Passages that have the question's words, whose sentences are candidates too."""
WEIGHED = 300
"""Passages all of whose sentences are matched: those with the best sentence of the candidates."""
SURE = 100
"""Of the passages with the question's words, so many are weighed whatever their sentences match."""
READ = 100
"""Passages that are scored: those that match best by all of their sentences."""


@dataclass(frozen=True, slots=True)
class Searching:
    """How the questions to an index are searched."""

    sentences: int
    """Of the whole index."""
    nearest: int
    """Sentences whose vectors are nearest, as candidates; 0 where every sentence is scored."""
    worded: int
    """Passages that have the question's words, likewise."""
    weighed: int
    """Passages all of whose sentences are matched, likewise."""
    sure: int
    """Passages that are weighed for their words alone, likewise."""
    read: int
    """Passages that are scored, likewise."""
    vectors: tuple[VectorSearch, ...]
    """How the nearest are found."""
    tokens: tuple[str, ...]
    """How the token vectors are packed that sentences are scored by."""

    @property
    def kind(self) -> Literal["exact", "approximate"]:
        """Whether nothing is left out before sentences are scored."""
        return "approximate" if self.nearest else "exact"

    def to_json(self) -> dict[str, Any]:
        """All of it, as `fiche index info --json` gives it."""
        candidates = {name: getattr(self, name) for name in ("nearest", "worded", "weighed", "sure", "read")}
        return {
            "kind": self.kind,
            "sentences": self.sentences,
            "candidates": candidates if self.nearest else None,
            "vectors": [{"kind": way.kind, **asdict(way)} for way in self.vectors],
            "tokens": list(self.tokens),
        }


def searching(snapshot: Snapshot) -> Searching:
    """How a snapshot is searched."""
    count, elsewhere = len(snapshot.sentences), snapshot.elsewhere
    vectors = elsewhere.kinds if elsewhere else snapshot.vectors.kinds
    tokens = tuple(sorted({segment.codec for segment, _ in snapshot.parts}))
    if elsewhere is None and count <= ALL_ROWS:
        return Searching(count, 0, 0, 0, 0, 0, vectors, tokens)
    return Searching(count, CANDIDATES, WORDED, WEIGHED, SURE, READ, vectors, tokens)
