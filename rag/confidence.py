"""Says how sure an answer is, from a few signals that each can be explained.

Knows nothing of how the signals' weights came about beyond the file that holds them:
`data/calibration.json`, written by `python -m evals.calibrate`. A logistic regression weighs the
signals into the support for the document answering at all; below a threshold fiche refuses. A
second one, of that support alone, gives the chance that the quoted sentences are the right ones
(Platt, "Probabilistic Outputs for Support Vector Machines", 1999).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from index.settings import GENERAL_MODEL
from index.snapshot import Snapshot
from index.words import raw_words, terms
from rag.kinds import expected_kinds, holds
from rag.retriever import Scores

__all__ = ["SIGNALS", "Calibration", "load_calibration", "measure", "unknown_names"]

SIGNALS: dict[str, str] = {
    "top": "how well the best sentence and its passage match the question (mean cosine)",
    "top_sentence": "how well the best sentence alone matches it",
    "weakest": "how well the question's worst-matched word is matched in the best passage",
    "weak_share": "the share of the question's words that the best passage hardly matches",
    "unknown_names": "the share of the question's names and numbers that the document lacks",
    "kind_missing": "the question wants a number, date, name … and the best passage holds none",
    "kind_missing_sentence": "the same for the best sentence",
    "evidence": "the reader's log-odds that one of the best passages answers (0 of a model that cannot tell)",
}
"""Each signal's name and what it tells."""
_WEAK = 0.25


def measure(question: str, scores: Scores, snapshot: Snapshot) -> dict[str, float]:
    """The signals for one question, by name."""
    best = int(np.argmax(scores.total))
    document, passage = snapshot.passages[int(snapshot.passage_of[scores.rows[best]])]
    span = snapshot.sentences[int(scores.rows[best])]
    token_best = np.maximum(scores.sentence[:, best], scores.passage[:, best])
    kinds = expected_kinds(question)
    text, sentence = document.text[passage.start : passage.end], document.text[span.start : span.end]
    return {
        "top": float(scores.total[best]) / 2,
        "top_sentence": float(scores.sentence[:, best].mean()),
        "weakest": float(token_best.min()),
        "weak_share": float((token_best < _WEAK).mean()),
        "unknown_names": _share([not _is_known(word, snapshot) for word in _names(question)]),
        "kind_missing": float(bool(kinds) and not any(holds(text, kind) for kind in kinds)),
        "kind_missing_sentence": float(bool(kinds) and not any(holds(sentence, kind) for kind in kinds)),
        "evidence": scores.judgement.evidence if scores.judgement else 0.0,
    }


def unknown_names(question: str, snapshot: Snapshot) -> list[str]:
    """The question's names and numbers that no document has, in either language."""
    return [word for word in _names(question) if not _is_known(word, snapshot)]


def _names(question: str) -> list[str]:
    """The words with digits, with capitals inside, or with one in front past the first word."""
    return [
        word
        for i, word in enumerate(raw_words(question))
        if any(c.isdigit() or c.isupper() for c in word[1:]) or word[0].isdigit() or (i and word[0].isupper())
    ]


def _is_known(word: str, snapshot: Snapshot) -> bool:
    """Whether the text has the word, or its translation has; a function word counts as known."""
    for lang, view in snapshot.passage_views.items():
        stems = terms(word, lang)[:1]
        if not stems or view.words.knows(stems[0]):
            return True
    return False


def _share(values: list[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights and threshold of the two regressions, with the scale of each signal."""

    bias: float
    weights: Mapping[str, float]
    means: Mapping[str, float]
    scales: Mapping[str, float]
    slope: float
    offset: float
    threshold: float
    """Below this support fiche refuses."""
    floor: float
    """Nor does it answer where the best sentence matches less than this (`top_sentence`): what is far
    from the document is told apart by that alone, whatever kind of thing it asks for."""
    keep: float
    """A further sentence is quoted when its score is at most this far below the best one's."""

    def support(self, signals: Mapping[str, float]) -> float:
        """How much, as log-odds, the signals speak for the document answering the question."""
        return self.bias + sum(
            weight * (signals[name] - self.means[name]) / self.scales[name] for name, weight in self.weights.items()
        )

    def refuses(self, signals: Mapping[str, float]) -> bool:
        """Whether the signals speak too little for an answer to give one."""
        return signals["top_sentence"] < self.floor or self.support(signals) < self.threshold

    def confidence(self, support: float) -> float:
        """The chance, 0 to 1, that an answer with this support is right."""
        z = max(-30.0, min(30.0, self.slope * support + self.offset))
        return 1.0 / (1.0 + math.exp(-z))


@cache
def load_calibration(model: str) -> Calibration:
    """The calibration that fiche ships for the model of that name, or the general one's for any other."""
    stored = json.loads((files("rag") / "data" / "calibration.json").read_text(encoding="utf-8"))
    own = stored.get(model, stored[GENERAL_MODEL])
    return Calibration(**{name: own[name] for name in Calibration.__slots__})
