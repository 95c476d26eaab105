"""Lets the reader look at question and passage together: which sentence answers, or none.

Knows nothing of how the passage was found. Late interaction tells what a passage is about; a passage
on the very subject of a question may still not answer it, and only reading both at once can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from index.encoder import Judge, Part
from index.snapshot import Snapshot
from rag.window import window

__all__ = ["LIMIT", "Judgement", "judge", "judge_alone"]

LIMIT = 6.0
"""Log-odds beyond this say nothing more."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the reader made of a stretch of a passage."""

    rows: range
    """The sentences that it was shown."""
    answers: np.ndarray
    """float32, shape `(n_shown,)`: log-odds of each of them answering, against none."""

    alone: float = 0.0
    """Log-odds of one sentence where it is all that is shown: whether it answers by itself."""
    single: int = -1
    """Which sentence that is; -1 where none was shown alone."""

    @property
    def evidence(self) -> float:
        """Log-odds of the likeliest."""
        return float(self.answers.max())


def judge(question: str, rows: Sequence[int], snapshot: Snapshot, reader: Judge) -> list[Judgement]:
    """Show the reader, for each sentence of `rows`, the stretch of its passage around it, and the first one alone.

    All at the same time: the first is mostly the one that is wanted alone in the end.
    """
    stretches = [_around(row, snapshot) for row in rows]
    first = range(rows[0], rows[0] + 1)
    *answers, alone = _answers(question, [*stretches, first], snapshot, reader)
    found = [Judgement(stretch, own) for stretch, own in zip(stretches, answers, strict=True)]
    return [replace(found[0], alone=float(alone[0]), single=rows[0]), *found[1:]]


def judge_alone(question: str, row: int, judgement: Judgement, snapshot: Snapshot, reader: Judge) -> Judgement:
    """The same judgement, with what the reader makes of its sentence `row` by itself.

    Among its neighbours a sentence on the very subject looks like an answer more easily.
    """
    if judgement.single == row:
        return judgement
    (answers,) = _answers(question, [range(row, row + 1)], snapshot, reader)
    return replace(judgement, alone=float(answers[0]), single=row)


def _around(row: int, snapshot: Snapshot) -> range:
    """The sentences around `row` that the reader takes in at once."""
    number = int(snapshot.passage_of[row])
    document, passage = snapshot.passages[number]
    opening = int(snapshot.first_sentence[number])
    lengths = [len(document.text[s.start : s.end].split()) for s in passage.sentences]
    first, last = window(lengths, row - opening)
    return range(opening + first, opening + last)


def _answers(question: str, stretches: Sequence[range], snapshot: Snapshot, reader: Judge) -> list[np.ndarray]:
    """Log-odds, against none, of each of the sentences of each stretch of a passage; what is the same is read once."""
    distinct = list(dict.fromkeys(stretches))
    logits = reader.judge(question, [_part(rows, snapshot) for rows in distinct])
    found = {
        rows: np.asarray(np.clip(own[1:] - own[0], -LIMIT, LIMIT)) for rows, own in zip(distinct, logits, strict=True)
    }
    return [found[rows] for rows in stretches]


def _part(rows: range, snapshot: Snapshot) -> Part:
    number = int(snapshot.passage_of[rows[0]])
    document, passage = snapshot.passages[number]
    opening = int(snapshot.first_sentence[number])
    shown = tuple(document.text[s.start : s.end] for s in passage.sentences[rows[0] - opening : rows[-1] - opening + 1])
    return Part(document.section_title(passage.section) if passage.section else "", shown)
