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
from rag.matching import PASSAGE_WEIGHT, Matched, Matcher
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
    ) -> tuple[np.ndarray, Matched | None]:
        """Rows of the passages to score: int64, ascending; of the documents that the question is put to.

        With them comes what was found out about sentences on the way, where anything was.

        Args:
            question: centred unit vectors, shape `(n_question_tokens, dim)`.
            words: what it is looked up by in the text of each language.
            keywords: BM25 of every passage, shape `(n_passages,)`.
            bonus: what else speaks for a passage, beside cosines: shape `(n_passages,)`.
            aim: the documents that it is put to, and those that it names.
        """
        if self._plan.kind == "exact":
            every = np.arange(len(self._snapshot.passages))
            return (every if aim.allowed is None else every[aim.allowed[self._snapshot.document_of]]), None
        snapshot, owner = self._snapshot, self._snapshot.document_of
        allowed = None if aim.allowed is None else aim.allowed[owner]
        worded = self._worded(words, keywords if allowed is None else np.where(allowed, keywords, 0), allowed)
        rows = self._looked_at(question, worded, allowed, aim.named)
        matched = Matched(rows, self._matcher.in_dutch(question, snapshot.sentence_views, rows))
        owners, scores = self._best_sentences(matched, bonus)
        likely = owners[np.argsort(-scores, kind="stable")[: self._plan.weighed]]
        return self._weigh(question, np.union1d(likely, worded[: self._plan.sure]), matched, bonus)

    def _best_sentences(self, matched: Matched, bonus: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the passages of some sentences, ascending, and what the best sentence of each scores."""
        owners = self._snapshot.passage_of[matched.rows]
        scores = matched.similarities.mean(axis=0) + bonus[owners] - self._matcher.sentence_loss[matched.rows]
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        return owners[starts], np.maximum.reduceat(scores, starts)

    def _weigh(
        self, question: np.ndarray, passages: np.ndarray, matched: Matched, bonus: np.ndarray
    ) -> tuple[np.ndarray, Matched]:
        """The best of some passages by all of their sentences, the whole of a passage being what these match together.

        A passage has vectors of its own, which differ little from those and are as many again to read.
        """
        rows, where = sentences_of(passages, self._snapshot)
        found = self._matcher.in_dutch(question, self._snapshot.sentence_views, rows, matched)
        matched = Matched(rows, found)
        starts = np.flatnonzero(np.diff(where, prepend=-1))
        together = np.maximum.reduceat(found, starts, axis=1).mean(axis=0)
        scores = self._best_sentences(matched, bonus)[1] + PASSAGE_WEIGHT * together
        scores -= self._matcher.passage_loss[passages]
        return np.sort(passages[np.argsort(-scores, kind="stable")[: self._plan.read]]), matched

    def _looked_at(
        self, question: np.ndarray, worded: np.ndarray, allowed: np.ndarray | None, named: np.ndarray
    ) -> np.ndarray:
        """Rows of the sentences that are looked at, ascending."""
        snapshot, passages = self._snapshot, np.sort(worded)
        if len(named):
            within = np.isin(snapshot.document_of, named[:_MAX_NAMED])
            passages = np.union1d(passages, np.flatnonzero(within if allowed is None else within & allowed))
        among = None if allowed is None else allowed[snapshot.passage_of]
        nearest = snapshot.nearest(mean_direction(question), self._plan.nearest, among)
        return np.union1d(nearest, sentences_of(passages, snapshot)[0])

    def _worded(
        self, words: Mapping[Language, list[str]], keywords: np.ndarray, allowed: np.ndarray | None
    ) -> np.ndarray:
        """Rows of the passages that have the question's words, best first."""
        if (elsewhere := self._snapshot.elsewhere) and allowed is None:
            return elsewhere.worded(words, self._plan.worded)
        count = min(self._plan.worded, len(keywords) - 1)
        best = np.argpartition(-keywords, count)[: count + 1]
        best = best[np.argsort(-keywords[best], kind="stable")]
        return best[keywords[best] > 0]
