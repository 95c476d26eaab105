"""Says how sure an answer is, from a few signals that each can be explained.

Knows nothing of how the signals' weights came about beyond the file that holds them:
`data/calibration.json`, written by `python -m evals.calibrate`. A logistic regression weighs the
signals into the support for the document answering at all; below a threshold fiche refuses. A
second one, of that support alone, gives the chance that the quoted sentences are the right ones
(Platt, "Probabilistic Outputs for Support Vector Machines", 1999).
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from index.glossary import english_terms, glossary
from index.lexicon import word_list
from index.records import Language
from index.settings import GENERAL_MODEL
from index.snapshot import Snapshot
from index.words import fold, raw_words, terms
from rag.kinds import expected_kinds, holds
from rag.retriever import Scores

__all__ = ["SIGNALS", "Calibration", "load_calibration", "measure", "unknown_names"]

SIGNALS: dict[str, str] = {
    "top_sentence": "how well the best sentence alone matches it",
    "weakest": "how well the question's worst-matched word is matched in the best passage",
    "weak_share": "the share of the question's words that the best passage hardly matches",
    "stranger": "the question has a name or number that the document lacks",
    "kind_missing": "the question wants a number, date, name … and the best sentence holds none",
    "evidence": "the reader's log-odds that the best passage answers (0 of a model that cannot tell)",
    "alone": "its log-odds that the best sentence does by itself (likewise)",
}
"""Each signal's name and what it tells."""
_WEAK = 0.25
_METONYMS = word_list("metonyms")


def measure(question: str, lang: Language, scores: Scores, snapshot: Snapshot) -> dict[str, float]:
    """The signals for one question, by name."""
    best = int(np.argmax(scores.total))
    document, _ = snapshot.passages[int(snapshot.passage_of[scores.rows[best]])]
    span = snapshot.sentences[int(scores.rows[best])]
    token_best = np.maximum(scores.sentence[:, best], scores.passage[:, best])
    kinds = expected_kinds(question)
    sentence = document.text[span.start : span.end]
    return {
        "top_sentence": float(scores.sentence[:, best].mean()),
        "weakest": float(token_best.min()),
        "weak_share": float((token_best < _WEAK).mean()),
        "stranger": float(bool(unknown_names(question, lang, snapshot))),
        "kind_missing": float(bool(kinds) and not any(holds(sentence, kind) for kind in kinds)),
        "evidence": scores.judgement.evidence if scores.judgement else 0.0,
        "alone": scores.judgement.alone if scores.judgement else 0.0,
    }


def _names(question: str) -> list[str]:
    """The words, or parts of compounds, with digits, capitals inside, or one in front within a sentence.

    `Brussel` and `Den Haag` stand for the Commission and the cabinet, so they are no names here.
    """
    found = []
    for match in re.finditer(r"[^\W_]+", question):
        word, before = match[0], question[: match.start()].rstrip(" \"'“‘«(")
        opens = not before or before[-1] in ".?!:"
        inside = any(c.isdigit() or c.isupper() for c in word[1:])
        named = inside or word[0].isdigit() or (word[0].isupper() and not opens)
        if named and fold(word) not in _METONYMS:
            found.append(word)
    return found


def unknown_names(question: str, lang: Language, snapshot: Snapshot) -> list[str]:
    """The question's names and numbers that no document has, in either language.

    Of an English question on a text that has no translation only figures, and countries by their Dutch
    name, can be looked up: that `GDPR` is not in it says nothing where it writes `AVG`.
    """
    met: dict[str, bool] = {}
    for english, dutch in english_terms(question):
        known = _all_known(dutch, snapshot)
        met |= {word: known or met.get(word, False) for word in raw_words(fold(english))}
    blind = not len(snapshot.passage_views["en"].rows) and lang == "en"
    names = [word for word in _names(question) if not met.get(fold(word), False) and not _is_known(word, snapshot)]
    return [word for word in names if not blind or word[0].isdigit() or word.title() in _countries()]


@cache
def _countries() -> frozenset[str]:
    return frozenset(name for names in glossary()["countries"].values() for name in names)


def _all_known(words: str, snapshot: Snapshot) -> bool:
    return all(_is_known(word, snapshot) for word in raw_words(words))


def _is_known(word: str, snapshot: Snapshot) -> bool:
    """Whether the text has the word, or its translation has; a function word counts as known."""
    for lang, view in snapshot.passage_views.items():
        stems = terms(word, lang)[:1]
        if not stems or view.words.knows(stems[0]):
            return True
    return False


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
