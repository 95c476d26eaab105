"""Lets the reader look at question and passage together: which sentence answers, or none.

Knows nothing of how the passage was found. Late interaction tells what a passage is about; a passage
on the very subject of a question may still not answer it, and only reading both at once can tell.
"""

from dataclasses import dataclass, replace

import numpy as np

from index.encoder import Judge, Part
from index.snapshot import Snapshot
from rag.window import window

__all__ = ["Judgement", "judge", "judge_alone"]

_LIMIT = 6.0
"""Log-odds beyond this say nothing more."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the reader made of a stretch of a passage."""

    rows: range
    """The sentences that it was shown."""
    answers: np.ndarray
    """float32, shape `(n_shown,)`: log-odds of each of them answering, against none."""

    alone: float = 0.0
    """Log-odds of the best sentence where it is all that is shown: whether it answers by itself."""

    @property
    def evidence(self) -> float:
        """Log-odds of the likeliest."""
        return float(self.answers.max())


def judge(question: str, row: int, snapshot: Snapshot, reader: Judge) -> Judgement:
    """Show the reader the stretch of its passage around sentence `row`."""
    number = int(snapshot.passage_of[row])
    document, passage = snapshot.passages[number]
    opening = int(snapshot.first_sentence[number])
    lengths = [len(document.text[s.start : s.end].split()) for s in passage.sentences]
    first, last = window(lengths, row - opening)
    return Judgement(range(opening + first, opening + last), _answers(question, number, first, last, snapshot, reader))


def judge_alone(question: str, row: int, judgement: Judgement, snapshot: Snapshot, reader: Judge) -> Judgement:
    """The same judgement, with what the reader makes of its sentence `row` by itself.

    Among its neighbours a sentence on the very subject looks like an answer more easily.
    """
    if len(judgement.rows) == 1:
        return replace(judgement, alone=judgement.evidence)
    number = int(snapshot.passage_of[row])
    place = row - int(snapshot.first_sentence[number])
    return replace(judgement, alone=float(_answers(question, number, place, place + 1, snapshot, reader)[0]))


def _answers(question: str, number: int, first: int, last: int, snapshot: Snapshot, reader: Judge) -> np.ndarray:
    """Log-odds, against none, of each of the sentences `first` to `last` of a passage."""
    document, passage = snapshot.passages[number]
    shown = tuple(document.text[s.start : s.end] for s in passage.sentences[first:last])
    logits = reader.judge(question, Part(document.section_title(passage.section) if passage.section else "", shown))
    return np.asarray(np.clip(logits[1:] - logits[0], -_LIMIT, _LIMIT))
