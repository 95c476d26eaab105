"""Checks a claim against the sentences that it cites: is it supported, and if not, why not?

Knows nothing of language models or screens. A claim is supported when its figures, dates and names are
in the sentences, when they stand there beside the same things, when neither denies or turns round what
the other says, and when the meaning is near. Nearness is late interaction (as in `rag.retriever`) of the
claim with the sentences: on average over its tokens, and in its worst stretch of four, for what a
claim adds of its own shows there. The four thresholds are in `data/grounding.json`, set on the dev half
of `evals/datasets/grounding.jsonl` by `python -m evals.grounding --fit`. In doubt a claim is not supported.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Literal

import numpy as np

from index.centring import Centring
from index.encoder import Encoder
from index.records import Language
from index.words import fold, terms
from rag.atoms import Mark, denials, numbers, places, sides
from rag.lacking import Source, lacking

__all__ = ["Grounder", "Reason", "Signals", "Thresholds", "load_thresholds"]

Reason = Literal["", "numbers", "dates", "names", "denied", "mixed up", "meaning"]
"""Why a claim is not supported; empty where it is."""
_STRETCH = 4
"""Tokens of the shortest addition that is looked for: some two words."""
_REACH = 6.0
"""Tokens over which a word's tie to a figure falls to a third."""
_BARRIER = 4
"""Tokens that a comma or an `en` between two counts for."""
_JOINT = re.compile(r"\s*[,;:(]|\s*(?:en|and|of|or|maar|but)$", re.IGNORECASE)
_LISTED = re.compile(r"(?:\s|,|\ben\b|\band\b|\bof\b|\bor\b|\bhet\b|\bde\b|\bthe\b)+", re.IGNORECASE)
"""What stands between the members of an enumeration."""
_SHARPNESS = 6
"""Power of a cosine by which a word counts as met: a doubtful one hardly does."""
_KEPT = 256
"""Texts whose vectors a checker keeps: the sentences of a few questions."""
_SAME_WORD = 0.95
"""What a word counts that the sentences have too: a vector also holds what stands around it."""
_WORD = re.compile(r"[^\W_]+")
_CLAUSE = re.compile(r"[,;:()–—]|\b(?:maar|terwijl|omdat|hoewel|but|while|whereas|because|although)\b", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From how near on a claim counts as near: in one language, and across two."""

    mean: float
    stretch: float
    mean_across: float
    stretch_across: float


@dataclass(frozen=True, slots=True)
class Signals:
    """What was measured of a claim and its sentences."""

    flaw: Reason
    """What words alone show to be wrong; empty where they show nothing."""
    mean: float
    """The mean over the claim's tokens of the best cosine with any token of the sentences."""
    stretch: float
    """The lowest mean of four tokens in a row."""
    across: bool
    """Whether claim and sentences are in different languages."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A text with its token vectors."""

    text: str
    lang: Language
    vectors: np.ndarray
    """float32, shape `(n_tokens, dim)`: of the tokens that hold a letter or a digit."""
    offsets: np.ndarray
    """int32, shape `(n_tokens, 2)`."""

    def near(self, mark: Mark) -> np.ndarray:
        """How close each token is to a mark, 1 in it and falling off: `(n_tokens,)`."""
        inside = np.flatnonzero((self.offsets[:, 0] < mark.end) & (self.offsets[:, 1] > mark.start))
        if not len(inside):
            return np.zeros(len(self.offsets))
        at = self._steps()
        gaps = np.maximum(0, np.maximum(at[inside[0]] - at, at - at[inside[-1]]))
        return np.asarray(np.exp(-gaps / _REACH))

    def _steps(self) -> np.ndarray:
        """The place of each token, further from those beyond a comma or an `en`: `(n_tokens,)`."""
        before = [self.text[a:b] for a, b in zip([0, *self.offsets[:-1, 1]], self.offsets[:, 1], strict=True)]
        return np.cumsum([1 + _BARRIER * bool(_JOINT.match(piece)) for piece in before])


class Grounder:
    """Checks claims with one encoder. Never changes; threads may share it."""

    def __init__(self, encoder: Encoder, centring: Centring, thresholds: Thresholds | None = None) -> None:
        self._encoder, self._centring = encoder, centring
        self.thresholds = thresholds or load_thresholds()
        self._read = lru_cache(_KEPT)(self._read_anew)

    def check(self, claim: str, lang: Language, sources: Sequence[Source]) -> Reason:
        """Why the claim is not supported by the sentences taken together; empty where it is."""
        if not sources:
            return "meaning"
        return self.verdict(self.measure(claim, lang, sources))

    def verdict(self, signals: Signals) -> Reason:
        """What signals come to."""
        limits = self.thresholds
        mean, stretch = (limits.mean_across, limits.stretch_across) if signals.across else (limits.mean, limits.stretch)
        return signals.flaw or ("meaning" if signals.mean < mean or signals.stretch < stretch else "")

    def measure(self, claim: str, lang: Language, sources: Sequence[Source]) -> Signals:
        """All signals; the claim is held against each sentence in its own language where that is known."""
        told = self._read(claim, lang)
        read = [self._read_source(source, lang) for source in sources]
        similar = np.concatenate([told.vectors @ r.vectors.T for r in read], axis=1)
        if not similar.size:
            return Signals("meaning", 0.0, 0.0, across=False)
        best = np.maximum(similar.max(axis=1), np.where(_same_words(told, read), _SAME_WORD, 0.0))
        count = max(1, len(best) - _STRETCH + 1)
        stretch = min(float(best[i : i + _STRETCH].mean()) for i in range(count))
        flaw = lacking(claim, lang, sources) or _turned(told, read) or _mixed_up(told, read)
        return Signals(flaw, float(best.mean()), stretch, across=any(r.lang != lang for r in read))

    def nearness(self, claim: str, lang: Language, source: Source) -> float:
        """How near a claim is to one sentence, whatever else is wrong with it."""
        similar = self._read(claim, lang).vectors @ self._read_source(source, lang).vectors.T
        return float(similar.max(axis=1).mean()) if similar.size else 0.0

    def _read_source(self, source: Source, lang: Language) -> _Read:
        if source.lang != lang and source.translation:
            return self._read(_titled(source.title_translation, source.translation), lang)
        return self._read(_titled(source.title, source.text), source.lang)

    def _read_anew(self, text: str, lang: Language) -> _Read:
        encoded = self._encoder.encode([text], query=False)[0]
        worded = np.array([bool(re.search(r"\w", text[a:b])) for a, b in encoded.offsets], dtype=bool)
        return _Read(text, lang, self._centring.passage(encoded.tokens[worded], lang), encoded.offsets[worded])


def _same_words(claim: _Read, read: Sequence[_Read]) -> np.ndarray:
    """Which tokens of a claim belong to a word, or to a figure, that the sentences have: `(n_tokens,)`."""
    known = {stem for r in read for stem in _stems(r.text, r.lang)}
    values = {mark.value for r in read for mark in numbers(r.text, r.lang)}
    words = [(m.start(), m.end()) for m in _WORD.finditer(claim.text) if _stems(m[0], claim.lang) & known]
    words += [(mark.start, mark.end) for mark in numbers(claim.text, claim.lang) if mark.value in values]
    return np.array([any(a < end and b > start for start, end in words) for a, b in claim.offsets], dtype=bool)


def _stems(text: str, lang: Language) -> set[str]:
    return {fold(word) for word in _WORD.findall(text)} | set(terms(text, lang))


def _titled(title: str, text: str) -> str:
    return f"{title}: {text}" if title else text


def _turned(claim: _Read, read: Sequence[_Read]) -> Reason:
    """Whether one denies what the other says, or says the opposite."""
    theirs = {mark.value for r in read for mark in sides(r.text)}
    for mark in sides(claim.text):
        group = mark.value.split(".")[0] + "."
        if mark.value not in theirs and any(value.startswith(group) for value in theirs):
            return "denied"
    denied = [clause for r in read for clause in _denied_clauses(r) if _covers(claim, r, clause)]
    return "denied" if bool(denied) != bool(denials(claim.text, claim.lang)) else ""


def _denied_clauses(read: _Read) -> list[tuple[int, int]]:
    """The stretches between commas, brackets and conjunctions that deny something."""
    edges = [0, *(m.start() for m in _CLAUSE.finditer(read.text)), len(read.text)]
    spans = list(pairwise(edges))
    marks = denials(read.text, read.lang)
    return [(a, b) for a, b in spans if any(a <= mark.start < b for mark in marks)]


def _covers(claim: _Read, read: _Read, clause: tuple[int, int]) -> bool:
    """Whether the claim speaks of what a clause says: half of its tokens are met in it."""
    inside = (read.offsets[:, 0] >= clause[0]) & (read.offsets[:, 1] <= clause[1])
    for mark in denials(read.text, read.lang):
        inside &= ~((read.offsets[:, 0] < mark.end) & (read.offsets[:, 1] > mark.start))
    if not inside.any():
        return True
    met = (read.vectors[inside] @ claim.vectors.T).max(axis=1)
    usual = (read.vectors @ claim.vectors.T).max(axis=1).mean()
    return bool(met.mean() >= 0.75 * usual)


def _mixed_up(claim: _Read, read: Sequence[_Read]) -> Reason:
    """Whether a figure, country or opposite of the claim stands beside other things in the sentences.

    Each token of a claim near the mark is sought in a sentence; the mark of the sentence that those
    places lie nearest to must have the same value.
    """
    for kind in (_counts, _years, _countries, _opposites):
        for r in read:
            theirs, mine = kind(r.text, r.lang), kind(claim.text, claim.lang)
            if any(_strays(mark, mine, theirs, claim, r) for mark in mine):
                return "mixed up"
    return ""


def _counts(text: str, lang: Language) -> list[Mark]:
    return [mark for mark in numbers(text, lang) if not _YEAR.fullmatch(mark.value)]


def _years(text: str, lang: Language) -> list[Mark]:
    return [mark for mark in numbers(text, lang) if _YEAR.fullmatch(mark.value)]


def _countries(text: str, lang: Language) -> list[Mark]:
    return places(text)


def _opposites(text: str, lang: Language) -> list[Mark]:
    return sides(text)


def _strays(mark: Mark, mine: Sequence[Mark], theirs: Sequence[Mark], claim: _Read, read: _Read) -> bool:
    """Whether what stands around the mark stands around another one in the sentence."""
    rivals = _without_listed(mark, [t for t in theirs if _comparable(mark.value, t.value)], read.text)
    if len({_same(t, mark) for t in rivals}) < 2:
        return False
    weights = claim.near(mark)
    for other in mine:  # what stands nearer to another figure tells of that one
        weights = np.where(claim.near(other) > claim.near(mark), 0.0, weights)
    weights = np.where(weights == 1.0, 0.0, weights)  # the mark's own tokens
    strength = _by_word(np.maximum(claim.vectors @ read.vectors.T, 0.0), read) ** _SHARPNESS
    ties = [(float(weights @ (strength * read.near(t)).max(axis=1)), _same(t, mark)) for t in rivals]
    return max(tie for tie, same in ties if not same) > max(tie for tie, same in ties if same)


def _by_word(similar: np.ndarray, read: _Read) -> np.ndarray:
    """Similarities with the words of a sentence rather than their places: a word that comes twice tells nothing."""
    words = np.array([read.text[a:b].lower() for a, b in read.offsets])
    return np.stack([similar[:, words == word].max(axis=1) for word in words], axis=1)


def _same(one: Mark, other: Mark) -> bool:
    return one.value.lstrip("/") == other.value.lstrip("/")


def _without_listed(mark: Mark, marks: Sequence[Mark], text: str) -> list[Mark]:
    """The marks without those that stand in one enumeration with a mark of the same value."""
    ordered = sorted(marks, key=lambda m: m.start)
    lists: list[list[Mark]] = []
    for m in ordered:
        if lists and _LISTED.fullmatch(text[lists[-1][-1].end : m.start]):
            lists[-1].append(m)
        else:
            lists.append([m])
    return [m for row in lists for m in row if _same(m, mark) or not any(_same(o, mark) for o in row)]


def _comparable(mine: str, theirs: str) -> bool:
    """Opposites vie within their group; figures and countries with all of their kind."""
    return (
        mine.split(".", maxsplit=1)[0] == theirs.split(".", maxsplit=1)[0] if re.fullmatch(r"\d+\.\d", mine) else True
    )


@cache
def load_thresholds() -> Thresholds:
    """The thresholds that fiche ships."""
    stored = json.loads((files("rag") / "data" / "grounding.json").read_text(encoding="utf-8"))
    return Thresholds(**{name: float(stored[name]) for name in Thresholds.__slots__})
