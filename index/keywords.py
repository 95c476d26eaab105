"""Keyword search over Dutch sentences: Okapi BM25, by bm25s. The only file that imports it.

Knows nothing of vectors or of what the rows stand for.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np

__all__ = ["KeywordIndex"]

_FOLDER = "keywords"
logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG


class KeywordIndex:
    """BM25 scores of rows of words (Lucene's variant, k1 = 1.5, b = 0.75; Robertson & Zaragoza, 2009)."""

    def __init__(self, engine: bm25s.BM25) -> None:
        self._engine = engine

    @classmethod
    def build(cls, rows: Sequence[Sequence[str]]) -> "KeywordIndex":
        """Index rows of terms; a row may be empty, but not all of them."""
        engine = bm25s.BM25(method="lucene")
        engine.index([list(row) or [""] for row in rows], show_progress=False)
        return cls(engine)

    @classmethod
    def load(cls, folder: Path) -> "KeywordIndex":
        """What `save` wrote to the same folder."""
        return cls(bm25s.BM25.load(str(folder / _FOLDER), mmap=False, allow_pickle=False))

    def save(self, folder: Path) -> None:
        """Write the index below `folder`."""
        self._engine.save(str(folder / _FOLDER), show_progress=False, allow_pickle=False)

    def scores(self, query: Sequence[str]) -> np.ndarray:
        """BM25 of every row: float32, shape `(n_rows,)`; zeros where no word is known."""
        known = [term for term in query if term in self._engine.vocab_dict]
        if not known:
            return np.zeros(self._engine.scores["num_docs"], dtype=np.float32)
        return np.asarray(self._engine.get_scores(known), dtype=np.float32)

    def knows(self, term: str) -> bool:
        """Whether any row has the term."""
        return term in self._engine.vocab_dict
