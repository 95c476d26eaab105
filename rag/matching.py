"""How well texts of a snapshot match the words of a question, text by text: late interaction.

Knows nothing of which texts are worth it, nor of what else counts. For each token of the question the
best cosine with any token of the text (MaxSim; Khattab & Zaharia, "ColBERT", 2020). The token vectors of
a small index are all in memory; those of a large one are read and unpacked for the texts asked about,
each core taking a share.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from index.snapshot import Snapshot, View
from index.tokens import TokenTable
from rag.language import Language

__all__ = ["LENGTH_WEIGHT", "PASSAGE_WEIGHT", "Matched", "Matcher", "max_similarities"]

LENGTH_WEIGHT = 0.013
"""What a longer text loses for having more words to be met by, for each e-fold of tokens."""
PASSAGE_WEIGHT = 0.6
"""What a match of the whole passage counts, beside one of the sentence."""
_CORES = min(4, os.cpu_count() or 1)


def max_similarities(question: np.ndarray, tokens: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The best cosine of each question token with any token of each text.

    Args:
        question: unit vectors, shape `(n_question_tokens, dim)`.
        tokens: unit vectors of all texts, one after another, shape `(n_tokens, dim)`.
        starts: first token of each text, ascending, shape `(n_texts,)`; no text is empty.

    Returns:
        float32, shape `(n_question_tokens, n_texts)`.
    """
    return np.maximum.reduceat(tokens @ question.T, starts).T  # in this order the product takes a quarter less time


@dataclass(frozen=True, slots=True)
class Matched:
    """Texts that a question was held against in Dutch."""

    rows: np.ndarray
    """int64, ascending, shape `(n_rows,)`."""
    similarities: np.ndarray
    """float32, shape `(n_question_tokens, n_rows)`: best cosine of each question token with each row."""


class Matcher:
    """Matches questions with the sentences and passages of one snapshot. Never changes; threads may share it.

    Attributes:
        sentence_loss: float32, shape `(n_sentences,)`: what each loses for its length.
        passage_loss: the same of each passage.
    """

    def __init__(self, snapshot: Snapshot, *, in_memory: bool) -> None:
        """Prepare for a snapshot, all of whose token vectors are kept unpacked where they are to be in memory."""
        # Idle BLAS threads spin for work and take the cores from the model: a question took twice as long.
        threadpool_limits(limits=1, user_api="blas")
        self._threads = ThreadPoolExecutor(_CORES)
        tables = [v.tokens for views in (snapshot.sentence_views, snapshot.passage_views) for v in views.values()]
        self._vectors = {id(table): table.whole() for table in tables} if in_memory else {}
        self.sentence_loss, self.passage_loss = (
            LENGTH_WEIGHT * np.log(views["nl"].tokens.lengths.astype(np.float32))
            for views in (snapshot.sentence_views, snapshot.passage_views)
        )

    def similarities(
        self, question: np.ndarray, views: Mapping[Language, View], rows: np.ndarray, matched: Matched | None = None
    ) -> np.ndarray:
        """Best cosine of each question token with each row, in whichever view of it is nearer.

        Args:
            question: unit vectors, shape `(n_question_tokens, dim)`.
            views: of passages or of sentences.
            rows: int64, ascending, shape `(n_rows,)`.
            matched: what is known of some rows of these views, which need not be read again.

        Returns:
            float32, shape `(n_question_tokens, n_rows)`.
        """
        found = self.in_dutch(question, views, rows, matched)
        translated = views["en"].rows
        if len(translated):
            known = np.isin(rows, translated)
            at = np.searchsorted(translated, rows[known])
            found[:, known] = np.maximum(found[:, known], self._against(question, views["en"].tokens, at))
        return found

    def in_dutch(
        self, question: np.ndarray, views: Mapping[Language, View], rows: np.ndarray, matched: Matched | None = None
    ) -> np.ndarray:
        """The same in the Dutch view alone."""
        if matched is None or not len(matched.rows):
            return self._against(question, views["nl"].tokens, rows)
        at = np.minimum(np.searchsorted(matched.rows, rows), len(matched.rows) - 1)
        found, new = matched.similarities[:, at], matched.rows[at] != rows
        found[:, new] = self._against(question, views["nl"].tokens, rows[new])
        return found

    def _against(self, question: np.ndarray, table: TokenTable, rows: np.ndarray) -> np.ndarray:
        # NumPy lets other threads run while it unpacks and multiplies, so each core takes a share.
        if (vectors := self._vectors.get(id(table))) is not None:
            ends = np.cumsum(table.lengths, dtype=np.int64)
            shares = [own for own in np.array_split(ends - table.lengths, _CORES) if len(own)]
            stops = [*(own[0] for own in shares[1:]), len(vectors)]
            jobs = [(vectors[own[0] : stop], own - own[0]) for own, stop in zip(shares, stops, strict=True)]
            found = self._threads.map(lambda job: max_similarities(question, *job), jobs)
            return np.concatenate(list(found), axis=1)[:, rows]
        parts = self._threads.map(lambda own: table.similarities(question, own), np.array_split(rows, _CORES))
        return np.concatenate(list(parts), axis=1)
