"""Finds the passages, and the sentences in them, that a question is about.

Knows nothing of answers. A sentence's score is late interaction (MaxSim: for each token of the
question the best cosine with any token of the text, averaged; Khattab & Zaharia, "ColBERT", 2020)
with the sentence under its heading, plus the same with its whole passage, plus keyword scores
(BM25) of that; the reader then looks at the best passage or two and says which sentence answers. A
question is held against the Dutch text and against its translation, where there is one: two wordings of
one sentence, of which the nearer counts, whichever language is asked in. In the Dutch one only the
names and numbers of an English question can be met as keywords, so only those are looked up there.
"""

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from index.encoder import Encoded, Encoder, Judge
from index.snapshot import Snapshot, View
from index.tokens import TokenTable
from index.words import raw_words, terms
from rag.judging import Judgement, judge, judge_alone
from rag.kinds import expected_kinds
from rag.language import Language
from rag.question import content_tokens
from rag.records import Hit, Retrieved
from rag.scope import Scope
from rag.searching import searching
from rag.shelf import Aim, Shelf

__all__ = ["Retriever", "Scores", "max_similarities"]

TOP = 10
PASSAGE_WEIGHT = 0.6
"""What a match of the whole passage counts, beside one of the sentence."""
KEYWORD_WEIGHT = 0.01
"""What a point of BM25 counts, beside cosines."""
LENGTH_WEIGHT = 0.013
"""What a longer text loses for having more words to be met by, for each e-fold of tokens."""
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
_MOST_READ = 2
_MAX_NAMED = 5
"""Documents that a question names, every sentence of which is looked at."""
_MOST_WHOLE = 5_000
"""Passages of the documents that a filter leaves, up to which all of them are candidates."""
_LOOKED_AT = 50
_CORES = min(4, os.cpu_count() or 1)


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


def max_similarities(question: np.ndarray, tokens: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The best cosine of each question token with any token of each text.

    Args:
        question: unit vectors, shape `(n_question_tokens, dim)`.
        tokens: unit vectors of all texts, one after another, shape `(n_tokens, dim)`.
        starts: first token of each text, ascending, shape `(n_texts,)`; no text is empty.

    Returns:
        float32, shape `(n_question_tokens, n_texts)`.
    """
    return np.maximum.reduceat(question @ tokens.T, starts, axis=1)


class Retriever:
    """Searches one snapshot. Never changes; threads may share it."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder) -> None:
        self.snapshot, self.encoder = snapshot, encoder
        self.shelf = Shelf(snapshot, encoder)
        self._plan = searching(snapshot)
        self._exhaustive = self._plan.kind == "exact"
        self._threads = ThreadPoolExecutor(_CORES)
        self._read = len(snapshot.passages) if self._exhaustive else self._plan.read
        # Idle BLAS threads spin for work and take the cores from the model: a question took twice as long.
        threadpool_limits(limits=1, user_api="blas")
        tables = [v.tokens for views in (snapshot.sentence_views, snapshot.passage_views) for v in views.values()]
        self._vectors = {id(t): t.whole() for t in tables} if self._exhaustive else {}
        dutch = snapshot.sentence_views["nl"].tokens, snapshot.passage_views["nl"].tokens
        self._lengths = [np.log(t.lengths.astype(np.float32)) for t in dutch]

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
        encoded = self.encoder.encode([question], query=True)[0]
        tokens = self.question_tokens(encoded, question, lang)
        words = _words(question, lang)
        keywords = _keywords(words, self.snapshot.passage_views)
        owners = self._candidates(encoded, words, keywords, aim)
        passage = self._similarities(tokens, self.snapshot.passage_views, owners)
        around = PASSAGE_WEIGHT * passage.mean(axis=0) - LENGTH_WEIGHT * self._lengths[1][owners]
        around += KEYWORD_WEIGHT * keywords[owners] + aim.lift[self.snapshot.document_of[owners]]
        if len(owners) > self._read:
            kept = np.sort(np.argpartition(-around, self._read)[: self._read])
            owners, passage, around = owners[kept], passage[:, kept], around[kept]
        rows, where = self._sentences_of(owners)
        sentence = self._inherit(self._similarities(tokens, self.snapshot.sentence_views, rows), rows)
        total = sentence.mean(axis=0) - LENGTH_WEIGHT * self._lengths[0][rows] + around[where]
        total += INTRODUCED * self._introduces(question)[rows]
        judgement = self._consult(question, rows, total, self.encoder) if isinstance(self.encoder, Judge) else None
        return Scores(rows, total, sentence, passage[:, where], judgement)

    def _consult(self, question: str, rows: np.ndarray, total: np.ndarray, reader: Judge) -> Judgement:
        """Let the reader look at the best passage, and at the next where it is about as good.

        What it makes of their sentences goes into `total`, shape `(n_rows,)`; returned is what it made
        of the passage that then is the best of those read.
        """
        owners = self.snapshot.passage_of[rows]
        read: dict[int, Judgement] = {}
        for _ in range(_MOST_READ):
            known = np.isin(owners, list(read))
            row = int(np.argmax(np.where(known, -np.inf, total)))
            if read and (known.all() or total[known].max() - total[row] > LEVEL):
                break
            judgement = read[int(owners[row])] = judge(question, int(rows[row]), self.snapshot, reader)
            places = np.searchsorted(rows, judgement.rows)
            met = (places < len(rows)) & (rows[np.minimum(places, len(rows) - 1)] == np.array(judgement.rows))
            total[places[met]] += JUDGE_WEIGHT * judgement.answers[met]
        best = np.where(np.isin(owners, list(read)), total, -np.inf).argmax()
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

    def _candidates(
        self, encoded: Encoded, words: Mapping[Language, list[str]], keywords: np.ndarray, aim: Aim
    ) -> np.ndarray:
        """Rows of the passages that are looked at, ascending: of the documents that the question is put to."""
        found, owner = self._found(encoded, words, keywords), self.snapshot.document_of
        if not self._exhaustive and len(aim.named):
            found = np.union1d(found, np.flatnonzero(np.isin(owner, aim.named[:_MAX_NAMED])))
        if aim.allowed is None:
            return found
        whole = np.flatnonzero(aim.allowed[owner])
        kept = found[aim.allowed[owner[found]]]
        return whole if len(whole) <= _MOST_WHOLE or not len(kept) else kept

    def _found(self, encoded: Encoded, words: Mapping[Language, list[str]], keywords: np.ndarray) -> np.ndarray:
        if self._exhaustive:
            return np.arange(len(self.snapshot.passages))
        if elsewhere := self.snapshot.elsewhere:
            nearest = self.snapshot.passage_of[elsewhere.nearest(encoded.pooled, self._plan.nearest)]
            return np.unique(np.concatenate([nearest, elsewhere.worded(words, self._plan.worded)]))
        nearest, _ = self.snapshot.vectors.search(encoded.pooled, self._plan.nearest)
        count = min(self._plan.worded, len(keywords) - 1)
        best = np.argpartition(-keywords, count)[: count + 1]
        return np.unique(np.concatenate([self.snapshot.passage_of[nearest], best[keywords[best] > 0]]))

    def _sentences_of(self, passages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of all their sentences, since one may inherit from those before it; and each one's passage's place."""
        snapshot = self.snapshot
        first, counts = snapshot.first_sentence[passages], snapshot.sentences_of[passages]
        rows = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        return rows, np.repeat(np.arange(len(passages)), counts)

    def _similarities(self, question: np.ndarray, views: Mapping[Language, View], rows: np.ndarray) -> np.ndarray:
        """Best cosine of each question token with each row, in whichever view of it is nearer."""
        found = self._against(question, views["nl"].tokens, rows)
        translated = views["en"].rows
        if len(translated):
            known = np.isin(rows, translated)
            at = np.searchsorted(translated, rows[known])
            found[:, known] = np.maximum(found[:, known], self._against(question, views["en"].tokens, at))
        return found

    def _against(self, question: np.ndarray, table: TokenTable, rows: np.ndarray) -> np.ndarray:
        if self._exhaustive:
            starts = np.cumsum(table.lengths) - table.lengths
            return max_similarities(question, self._vectors[id(table)], starts)[:, rows]
        # NumPy lets other threads run while it unpacks and multiplies, so each core takes a share.
        shares = np.array_split(rows, _CORES)
        return np.concatenate([*self._threads.map(lambda own: _read(question, table, own), shares)], axis=1)


def _read(question: np.ndarray, table: TokenTable, rows: np.ndarray) -> np.ndarray:
    found = [max_similarities(question, tokens, starts) for tokens, starts in table.pieces(rows)]
    return np.concatenate([np.zeros((len(question), 0), dtype=np.float32), *found], axis=1)


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
