"""Says how sure an answer is, from a few signals that each can be explained.

Knows nothing of how the signals' weights came about beyond the file that holds them:
`data/calibration.json`, written by `python -m evals.calibrate`. A logistic regression turns the
signals into the chance that the quoted sentences answer the question; below a threshold fiche
refuses.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from index.snapshot import Snapshot
from index.words import ENGLISH_STOPWORDS, fold, raw_words, terms
from rag.kinds import expected_kinds, holds
from rag.language import Language
from rag.retriever import Scores

__all__ = ["SIGNALS", "Calibration", "load_calibration", "measure"]

SIGNALS: dict[str, str] = {
    "top": "how well the best sentence and its passage match the question (mean cosine)",
    "top_sentence": "how well the best sentence alone matches it",
    "margin": "how far the best passage is above the next one",
    "spread": "how far the best sentence is above the median one",
    "weakest": "how well the question's worst-matched word is matched in the best passage",
    "weak_share": "the share of the question's words that the best passage hardly matches",
    "keywords": "the keyword score of the best sentence and passage, damped",
    "unknown_names": "the share of the question's names and numbers that the document lacks",
    "unknown_words": "the share of a Dutch question's words that the document lacks",
    "kind_missing": "the question wants a number, date, name … and the best passage holds none",
    "kind_missing_sentence": "the same for the best sentence",
    "english": "the question is English, so matches are across languages",
    "length": "the number of the question's tokens (logarithm)",
}
"""Each signal's name and what it tells."""
_WEAK = 0.25


def measure(question: str, lang: Language, scores: Scores, snapshot: Snapshot) -> dict[str, float]:
    """The signals for one question, by name."""
    order = np.argsort(-scores.total, kind="stable")
    best = int(order[0])
    owners = snapshot.passage_of[scores.rows]
    others = scores.total[owners != owners[best]]
    document, passage = snapshot.passages[int(owners[best])]
    span = snapshot.sentences[int(scores.rows[best])]
    token_best = np.maximum(scores.sentence[:, best], scores.passage[:, best])
    kinds = expected_kinds(question)
    text, sentence = document.text[passage.start : passage.end], document.text[span.start : span.end]
    names, words = _names_and_words(question, lang)
    knows = snapshot.passage_words.knows
    return {
        "top": float(scores.total[best]) / 2,
        "top_sentence": float(scores.sentence[:, best].mean()),
        "margin": float(scores.total[best] - others.max()) / 2 if len(others) else 0.0,
        "spread": float(scores.total[best] - np.median(scores.total)) / 2,
        "weakest": float(token_best.min()),
        "weak_share": float((token_best < _WEAK).mean()),
        "keywords": math.log1p(float(scores.keywords[best])),
        "unknown_names": _share(not knows(term) for term in names),
        "unknown_words": _share(not knows(term) for term in words) if lang == "nl" else 0.0,
        "kind_missing": float(bool(kinds) and not any(holds(text, kind) for kind in kinds)),
        "kind_missing_sentence": float(bool(kinds) and not any(holds(sentence, kind) for kind in kinds)),
        "english": float(lang == "en"),
        "length": math.log(len(token_best)),
    }


def _names_and_words(question: str, lang: Language) -> tuple[list[str], list[str]]:
    """Terms of the question's names and numbers, and of its other content words."""
    names: list[str] = []
    words: list[str] = []
    for i, word in enumerate(raw_words(question)):
        is_name = (
            any(c.isdigit() or c.isupper() for c in word[1:]) or word[0].isdigit() or (i > 0 and word[0].isupper())
        )
        if lang == "en" and fold(word) in ENGLISH_STOPWORDS:
            continue
        (names if is_name else words).extend(terms(word)[:1])
    return names, words


def _share(values: "object") -> float:
    found = list(values)  # type: ignore[call-overload]
    return sum(found) / len(found) if found else 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights and threshold of the logistic regression, with the scale of each signal."""

    bias: float
    weights: Mapping[str, float]
    means: Mapping[str, float]
    scales: Mapping[str, float]
    threshold: float
    """Below this chance of being right fiche refuses."""
    keep: float
    """A further sentence is quoted when its score is at most this far below the best one's."""

    def confidence(self, signals: Mapping[str, float]) -> float:
        """The chance, 0 to 1, that an answer with these signals is right."""
        z = self.bias + sum(
            weight * (signals[name] - self.means[name]) / self.scales[name] for name, weight in self.weights.items()
        )
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


@cache
def load_calibration() -> Calibration:
    """The calibration that fiche ships with."""
    stored = json.loads((files("rag") / "data" / "calibration.json").read_text(encoding="utf-8"))
    return Calibration(**{name: stored[name] for name in Calibration.__slots__})
