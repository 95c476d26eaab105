"""A question to a large index → the passages that are worth scoring, found in ever dearer steps.

Knows nothing of how they are ranked in the end. The sentences whose mean vectors are nearest, the passages
that have the question's words, and those of documents that it names; their sentences by late interaction;
the passages of the best of these. A sentence's own match is nearly as good a sign of its passage's score as
the whole score is, and has a third of the tokens to read.
"""

from collections.abc import Mapping

import numpy as np

from index.centring import mean_direction
from index.ranges import ranges
from index.snapshot import Snapshot
from rag.language import Language
from rag.matching import Matcher
from rag.searching import Searching
from rag.shelf import Aim

__all__ = ["Candidates", "sentences_of"]

_MAX_NAMED = 5
"""Documents that a question names, every sentence of which is looked at."""


def sentences_of(passages: np.ndarray, snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray]:
    """Rows of all sentences of passages, int64 and in their order, and the place in `passages` of each one's own."""
    counts = snapshot.sentences_of[passages]
    return ranges(snapshot.first_sentence[passages], counts), np.repeat(np.arange(len(passages)), counts)


class Candidates:
    """Finds the candidates in one snapshot. Never changes; threads may share it."""

    def __init__(self, snapshot: Snapshot, plan: Searching, matcher: Matcher) -> None:
        self._snapshot, self._plan, self._matcher = snapshot, plan, matcher

    def passages(
        self,
        question: np.ndarray,
        words: Mapping[Language, list[str]],
        keywords: np.ndarray,
        bonus: np.ndarray,
        aim: Aim,
    ) -> np.ndarray:
        """Rows of the passages to score: int64, ascending; of the documents that the question is put to.

        Args:
            question: centred unit vectors, shape `(n_question_tokens, dim)`.
            words: what it is looked up by in the text of each language.
            keywords: BM25 of every passage, shape `(n_passages,)`.
            bonus: what else speaks for a passage, beside cosines: shape `(n_passages,)`.
            aim: the documents that it is put to, and those that it names.
        """
        if self._plan.kind == "exact":
            every = np.arange(len(self._snapshot.passages))
            return every if aim.allowed is None else every[aim.allowed[self._snapshot.document_of]]
        rows, snapshot = self._first(question, words, keywords, aim), self._snapshot
        owners = snapshot.passage_of[rows]
        scores = self._matcher.in_dutch(question, snapshot.sentence_views, rows).mean(axis=0)
        scores += bonus[owners] - self._matcher.sentence_loss[rows]
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        best = np.argsort(-np.maximum.reduceat(scores, starts), kind="stable")[: self._plan.read]
        return np.sort(owners[starts[best]])

    def _first(
        self, question: np.ndarray, words: Mapping[Language, list[str]], keywords: np.ndarray, aim: Aim
    ) -> np.ndarray:
        """Rows of the sentences that are looked at, ascending."""
        snapshot, owner = self._snapshot, self._snapshot.document_of
        allowed = None if aim.allowed is None else aim.allowed[owner]
        worded = self._worded(words, keywords if allowed is None else np.where(allowed, keywords, 0), allowed)
        if len(aim.named):
            named = np.isin(owner, aim.named[:_MAX_NAMED])
            worded = np.union1d(worded, np.flatnonzero(named if allowed is None else named & allowed))
        among = None if allowed is None else allowed[snapshot.passage_of]
        nearest = snapshot.nearest(mean_direction(question), self._plan.nearest, among)
        return np.union1d(nearest, sentences_of(worded, snapshot)[0])

    def _worded(
        self, words: Mapping[Language, list[str]], keywords: np.ndarray, allowed: np.ndarray | None
    ) -> np.ndarray:
        if (elsewhere := self._snapshot.elsewhere) and allowed is None:
            return np.unique(elsewhere.worded(words, self._plan.worded))
        count = min(self._plan.worded, len(keywords) - 1)
        best = np.argpartition(-keywords, count)[: count + 1]
        return np.sort(best[keywords[best] > 0])
