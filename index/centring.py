"""Takes away from token vectors what all texts of a kind share, so that what differs counts.

Token vectors of E5 crowd into a narrow cone: any two have a cosine of 0.7 or more, most of it
from a common mean that says only "this is Dutch" or "this is a question". Subtracting the mean of
passages from passages, and that of questions in a language from questions in it, leaves the rest
(after Mu & Viswanath, "All-but-the-Top", ICLR 2018, here per kind of text). On the training
questions it puts the right passage first for 2.6 points more in Dutch and 1.4 in English, with
means of other fields than the one asked about.

Knows nothing of documents. The means are a property of the model: those of the bundled one are
shipped, those of any other are computed once, from the same sample, when an index is built.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from index.encoder import Encoder

__all__ = ["Centring"]

_FILE = "centring.npz"
_LANGUAGES = ("nl", "en")


@dataclass(frozen=True, slots=True)
class Centring:
    """The mean token vectors of a model: of passages, and of questions in each language."""

    fingerprint: str
    passages: np.ndarray
    questions: dict[str, np.ndarray]

    @classmethod
    def of(cls, encoder: "Encoder") -> "Centring":
        """The means of `encoder`: the shipped ones if they are its own, else computed."""
        shipped = files("index") / "data" / _FILE
        with shipped.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            found = cls._from(stored)
        return found if found.fingerprint == encoder.fingerprint else cls.compute(encoder)

    @classmethod
    def compute(cls, encoder: "Encoder") -> "Centring":
        """The means over the sample of texts in `data/centring.json`."""
        sample = json.loads((files("index") / "data" / "centring.json").read_text(encoding="utf-8"))

        def mean(texts: list[str], *, query: bool) -> np.ndarray:
            tokens = np.concatenate([encoded.tokens for encoded in encoder.encode(texts, query=query)])
            return np.asarray(tokens.mean(axis=0), dtype=np.float32)

        return cls(
            encoder.fingerprint,
            mean(sample["passages"], query=False),
            {lang: mean(sample["questions"][lang], query=True) for lang in _LANGUAGES},
        )

    @classmethod
    def load(cls, folder: "Path") -> "Centring":
        """What `save` wrote to the same folder."""
        with np.load(folder / _FILE, allow_pickle=False) as stored:
            return cls._from(stored)

    @classmethod
    def _from(cls, stored: "np.lib.npyio.NpzFile") -> "Centring":
        return cls(str(stored["fingerprint"]), stored["passages"], {lang: stored[lang] for lang in _LANGUAGES})

    def save(self, folder: "Path") -> None:
        """Write the means into `folder`."""
        with (folder / _FILE).open("wb") as file:
            np.savez(
                file,
                fingerprint=self.fingerprint,
                passages=self.passages,
                nl=self.questions["nl"],
                en=self.questions["en"],
            )

    def passage(self, tokens: np.ndarray) -> np.ndarray:
        """Passage token vectors `(n, dim)`, centred and of unit length again."""
        return _unit(tokens - self.passages)

    def question(self, tokens: np.ndarray, lang: str) -> np.ndarray:
        """Question token vectors `(n, dim)`, centred for their language."""
        return _unit(tokens - self.questions[lang])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12), dtype=np.float32)
