"""Lets the reader look at question and passage together: which sentence answers, or none.

Knows nothing of how the passage was found. Late interaction tells what a passage is about; a passage
on the very subject of a question may still not answer it, and only reading both at once can tell.
"""

from dataclasses import dataclass

import numpy as np

from index.encoder import Judge, Part
from index.snapshot import Snapshot
from rag.window import window

__all__ = ["Judgement", "judge"]

_LIMIT = 6.0
"""Log-odds beyond this say nothing more."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the reader made of a stretch of a passage."""

    rows: range
    """The sentences that it was shown."""
    answers: np.ndarray
    """float32, shape `(n_shown,)`: log-odds of each of them answering, against none."""

    @property
    def evidence(self) -> float:
        """Log-odds of the likeliest."""
        return float(self.answers.max())


def judge(question: str, row: int, snapshot: Snapshot, reader: Judge) -> Judgement:
    """Show the reader the stretch of its passage around sentence `row`."""
    number = int(snapshot.passage_of[row])
    document, passage = snapshot.passages[number]
    sentences = [document.text[s.start : s.end] for s in passage.sentences]
    opening = int(snapshot.first_sentence[number])
    first, last = window([len(s.split()) for s in sentences], row - opening)
    title = document.section_title(passage.section) if passage.section else ""
    logits = reader.judge(question, Part(title, tuple(sentences[first:last])))
    return Judgement(range(opening + first, opening + last), np.clip(logits[1:] - logits[0], -_LIMIT, _LIMIT))
