"""Takes away from token vectors what all texts of a kind share, so that what differs counts.

Token vectors of E5 crowd into a narrow cone: any two have a cosine of 0.7 or more, most of it
from a common mean that says only "this is Dutch" or "this is a question". Subtracting the mean of
passages from passages, and that of questions in a language from questions in it, leaves the rest
(after Mu & Viswanath, "All-but-the-Top", ICLR 2018, here per kind of text). On the training
questions it puts the right passage first for 2.6 points more in Dutch and 1.4 in English, with
means of other fields than the one asked about. There are no English passages in the sample, so
the mean of those is that of its English questions read as passages.

Knows nothing of documents. The means are a property of the model: those of the bundled one are
shipped, those of any other are computed once, from the same sample, when an index is built.
"""

import json
import threading
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from index.records import Language

if TYPE_CHECKING:
    from pathlib import Path

    from index.encoder import Encoder

__all__ = ["Centring", "mean_direction"]

_FILE = "centring.npz"
_LOADING = threading.Lock()
"""NumPy parses the head of an array as Python, which CPython 3.11 cannot do in two threads at once (gh-106905)."""
_LANGUAGES: tuple[Language, ...] = ("nl", "en")


@dataclass(frozen=True, slots=True)
class Centring:
    """The mean token vectors of a model: of passages and of questions in each language."""

    fingerprint: str
    passages: dict[Language, np.ndarray]
    questions: dict[Language, np.ndarray]

    @classmethod
    def of(cls, encoder: "Encoder") -> "Centring":
        """The means of `encoder`: the shipped ones if they are its own, else computed."""
        for folder in (files("index") / "data" / "reader", files("index") / "data"):
            with _LOADING, (folder / _FILE).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                if str(stored["fingerprint"]) == encoder.fingerprint:
                    return cls._from(stored)
        return cls.compute(encoder)

    @classmethod
    def compute(cls, encoder: "Encoder") -> "Centring":
        """The means over the sample of texts in `data/centring.json`."""
        sample = json.loads((files("index") / "data" / "centring.json").read_text(encoding="utf-8"))

        def mean(texts: list[str], *, query: bool) -> np.ndarray:
            tokens = np.concatenate([encoded.tokens for encoded in encoder.encode(texts, query=query)])
            return np.asarray(tokens.mean(axis=0), dtype=np.float32)

        return cls(
            encoder.fingerprint,
            {"nl": mean(sample["passages"], query=False), "en": mean(sample["questions"]["en"], query=False)},
            {lang: mean(sample["questions"][lang], query=True) for lang in _LANGUAGES},
        )

    @classmethod
    def load(cls, folder: "Path") -> "Centring":
        """What `save` wrote to the same folder."""
        with _LOADING, np.load(folder / _FILE, allow_pickle=False) as stored:
            return cls._from(stored)

    @classmethod
    def _from(cls, stored: "np.lib.npyio.NpzFile") -> "Centring":
        means = {kind: {lang: stored[f"{kind}_{lang}"] for lang in _LANGUAGES} for kind in ("passages", "questions")}
        return cls(str(stored["fingerprint"]), means["passages"], means["questions"])

    def save(self, folder: "Path") -> None:
        """Write the means into `folder`."""
        with (folder / _FILE).open("wb") as file:
            np.savez(
                file,
                fingerprint=self.fingerprint,
                passages_nl=self.passages["nl"],
                passages_en=self.passages["en"],
                questions_nl=self.questions["nl"],
                questions_en=self.questions["en"],
            )

    def passage(self, tokens: np.ndarray, lang: Language = "nl") -> np.ndarray:
        """Passage token vectors `(n, dim)`, centred for their language and of unit length again."""
        return _unit(tokens - self.passages[lang])

    def question(self, tokens: np.ndarray, lang: Language) -> np.ndarray:
        """Question token vectors `(n, dim)`, centred for their language."""
        return _unit(tokens - self.questions[lang])


def mean_direction(tokens: np.ndarray) -> np.ndarray:
    """Where the centred token vectors `(n, dim)` of a text point on average: float32 `(dim,)`, of unit length.

    A text's candidates are found by it. It is nearer to what late interaction sees than the model's own pooled
    vector, which is not centred: of 100,000 synthetic passages' ten best, 0.98 lie among the 2,000 sentences
    whose means are nearest to the question's, and 0.86 of them by pooled vectors.
    """
    return np.asarray(_unit(tokens.mean(axis=0)), dtype=np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12), dtype=np.float32)
