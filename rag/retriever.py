"""Finds the passages, and the sentences in them, that a question is about.

Knows nothing of answers. A sentence's score is late interaction (`rag/matching.py`), averaged over the
question's words, with the sentence under its heading, plus the same with its whole passage, plus keyword scores
(BM25) of that; the reader then looks at the best passage or two and says which sentence answers. A
question is held against the Dutch text and against its translation, where there is one: two wordings of
one sentence, of which the nearer counts, whichever language is asked in. In the Dutch one only the
names and numbers of an English question can be met as keywords, so only those are looked up there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from index.encoder import Encoded, Encoder, Judge
from index.snapshot import Snapshot, View
from index.words import raw_words, terms
from rag.candidates import Candidates, sentences_of
from rag.judging import LIMIT, Judgement, judge, judge_alone
from rag.kinds import expected_kinds
from rag.language import Language
from rag.matching import PASSAGE_WEIGHT, Matcher
from rag.question import content_tokens
from rag.records import Hit, Retrieved
from rag.scope import Scope
from rag.searching import searching
from rag.shelf import Aim, Shelf

__all__ = ["Retriever", "Scores"]

TOP = 10
KEYWORD_WEIGHT = 0.01
"""What a point of BM25 counts, beside cosines."""
INTRODUCED = 0.08
"""What a sentence gains that first mentions the name whose meaning is asked."""
JUDGE_WEIGHT = 0.006
"""What a sentence of the best passage gains for each log-odd that the reader gives it. These weights are
rounded from a conditional logit over the fiche's dev split and the held-out documents."""
LEVEL = 0.02
"""A second passage that scores at most so much less than the best one is read as well."""
INHERITED = 0.85
"""What is left of a match, one sentence on."""
_MAX_NAMES = 3
_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Scores:
    """All that was measured for the candidate sentences of one question, aligned by position."""

    rows: np.ndarray
    """int64: sentence rows."""
    total: np.ndarray
    """float32: what they are ranked by."""
    sentence: np.ndarray
    """float32, shape `(n_question_tokens, n_rows)`: best cosine of each token with each sentence."""
    passage: np.ndarray
    """The same with the passage that the sentence stands in."""
    judgement: Judgement | None = None
    """What the reader made of the best passage that it read; `None` of a model that cannot read two texts together."""


class Retriever:
    """Searches one snapshot. Never changes; threads may share it."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder) -> None:
        self.snapshot, self.encoder = snapshot, encoder
        self.shelf = Shelf(snapshot, encoder)
        plan = searching(snapshot)
        self.matcher = Matcher(snapshot, in_memory=plan.kind == "exact")
        self._candidates = Candidates(snapshot, plan, self.matcher)

    def retrieve(self, question: str, lang: Language, top: int = TOP, scope: Scope | None = None) -> Retrieved:
        """The best `top` passages, each with its best sentence; scores are comparable within one question.

        Raises:
            ScopeError: the filter leaves no document.
        """
        scores = self.score(question, lang, self.shelf.aim(question, scope))
        return self.rank(question, lang, scores, top)

    def score(self, question: str, lang: Language, aim: Aim | None = None) -> Scores:
        """Measure every candidate sentence against the question, of the documents that it is put to."""
        aim = aim or self.shelf.aim(question)
        question = aim.question
        tokens = self.question_tokens(self.encoder.encode([question], query=True)[0], question, lang)
        words = _words(question, lang)
        keywords = _keywords(words, self.snapshot.passage_views)
        bonus = KEYWORD_WEIGHT * keywords + aim.lift[self.snapshot.document_of]
        owners, matched = self._candidates.passages(tokens, words, keywords, bonus, aim)
        passage = self.matcher.similarities(tokens, self.snapshot.passage_views, owners)
        around = PASSAGE_WEIGHT * passage.mean(axis=0) - self.matcher.passage_loss[owners] + bonus[owners]
        rows, where = sentences_of(owners, self.snapshot)
        sentence = self.matcher.similarities(tokens, self.snapshot.sentence_views, rows, matched)
        sentence = self._inherit(sentence, rows)
        total = sentence.mean(axis=0) - self.matcher.sentence_loss[rows] + around[where]
        total += INTRODUCED * self._introduces(question)[rows]
        judgement = self._consult(question, rows, total, self.encoder) if isinstance(self.encoder, Judge) else None
        return Scores(rows, total, sentence, passage[:, where], judgement)

    def _consult(self, question: str, rows: np.ndarray, total: np.ndarray, reader: Judge) -> Judgement:
        """Let the reader look at the best passage, and at the next where it is about as good.

        What it makes of their sentences goes into `total`, shape `(n_rows,)`; returned is what it made
        of the passage that then is the best of those read.
        """
        owners = self.snapshot.passage_of[rows]
        best = int(np.argmax(total))
        others = np.where(owners == owners[best], -np.inf, total)
        # Both are read at the same time, unless nothing said of the first could make the second as good.
        near = others.max() >= total[best] - JUDGE_WEIGHT * LIMIT - LEVEL
        places = [best, int(np.argmax(others))] if near else [best]
        read: dict[int, Judgement] = {}
        judged = judge(question, [int(rows[place]) for place in places], self.snapshot, reader)
        for place, judgement in zip(places, judged, strict=True):
            if read and total[np.isin(owners, list(read))].max() - total[place] > LEVEL:
                break
            read[int(owners[place])] = judgement
            found = np.searchsorted(rows, judgement.rows)
            met = (found < len(rows)) & (rows[np.minimum(found, len(rows) - 1)] == np.array(judgement.rows))
            total[found[met]] += JUDGE_WEIGHT * judgement.answers[met]
        best = int(np.where(np.isin(owners, list(read)), total, -np.inf).argmax())
        return judge_alone(question, int(rows[best]), read[int(owners[best])], self.snapshot, reader)

    def rank(self, question: str, lang: Language, scores: Scores, top: int = TOP) -> Retrieved:
        """Order the scored sentences, and their passages by their best sentence."""
        order = np.argsort(-scores.total, kind="stable")
        hits: list[Hit] = []
        for i in self._apart(order, scores.rows, top):
            row = int(self.snapshot.passage_of[scores.rows[i]])
            document, passage = self.snapshot.passages[row]
            best = self.snapshot.sentences[int(scores.rows[i])]
            title = self.snapshot.translation(document.section_title(passage.section)) if passage.section else None
            hits.append(
                Hit(len(hits) + 1, document, passage, best, float(scores.total[i]) / (1 + PASSAGE_WEIGHT), row, title)
            )
        ranked = tuple((int(scores.rows[i]), float(scores.total[i]) / (1 + PASSAGE_WEIGHT)) for i in order[: 5 * top])
        return Retrieved(question, lang, tuple(hits), ranked)

    def _apart(self, order: np.ndarray, rows: np.ndarray, top: int) -> list[int]:
        """Places of the best sentences of `top` passages; what another document said word for word comes last.

        The same standard sentences stand in many fiches, and would fill the list.
        """
        first: list[int] = []
        again: list[int] = []
        seen: set[int] = set()
        said: dict[str, int] = {}
        for i in order:
            row = int(self.snapshot.passage_of[rows[i]])
            if row in seen:
                continue
            seen.add(row)
            book = int(self.snapshot.document_of[row])
            best, document = self.snapshot.sentences[int(rows[i])], self.snapshot.passages[row][0]
            words = " ".join(re.findall(r"[^\W\d]+", document.text[best.start : best.end].lower()))
            (first if said.setdefault(words, book) == book else again).append(int(i))
            if len(first) == top or len(seen) == _LOOKED_AT:
                break
        return (first + again)[:top]

    def _inherit(self, similarities: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Let what a sentence says last on in the sentences after it of the same passage, weaker.

        "Nederland neemt deel als volwaardig lid" is about ALT-EDIC because the sentences before it are.
        """
        out = similarities.copy()
        follows = (np.diff(rows) == 1) & (np.diff(self.snapshot.passage_of[rows]) == 0)
        for i in np.flatnonzero(follows) + 1:
            np.maximum(out[:, i], INHERITED * out[:, i - 1], out=out[:, i])
        return out

    def _introduces(self, question: str) -> np.ndarray:
        """1 for the sentence that first mentions a name whose meaning is asked: `(n_sentences,)`.

        "Wat is GenAI4EU?" is answered where the name is brought in, not where it is used.
        """
        found = np.zeros(len(self.snapshot.sentences), dtype=np.float32)
        if expected_kinds(question) == {"definition"}:
            for name in _names(question)[:_MAX_NAMES]:
                mentions = np.flatnonzero(self.snapshot.sentence_views["nl"].words.scores([name]))
                found[mentions[:1]] = 1.0
        return found

    def question_tokens(self, encoded: Encoded, question: str, lang: Language) -> np.ndarray:
        """Centred vectors of the question's words: float32, shape `(n_question_tokens, dim)`."""
        return self.snapshot.centring.question(content_tokens(encoded, question), lang)


def _words(question: str, lang: Language) -> dict[Language, list[str]]:
    """What a question is looked up by in the text of each language: in another than its own, by its names."""
    return {"nl": terms(question)} if lang == "nl" else {"nl": _names(question), "en": terms(question, "en")}


def _keywords(words: Mapping[Language, list[str]], views: Mapping[Language, View]) -> np.ndarray:
    """BM25 of every row; of an English question in whichever view it is met better."""
    found: np.ndarray = np.maximum.reduce([views[lang].words.scores(own) for lang, own in words.items()])
    return found


def _names(question: str) -> list[str]:
    """Terms of the words that are the same in both languages: with digits, or capitals inside."""
    found = [w for w in raw_words(question) if any(c.isdigit() for c in w) or any(c.isupper() for c in w[1:])]
    return [term for word in found for term in terms(word)]
