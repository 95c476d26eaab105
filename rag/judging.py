"""Lets the reader look at question and passage together: which sentence answers, or none.

Knows nothing of how the passages were found. Late interaction tells what a passage is about; a passage
on the very subject of a question may still not answer it, and only reading both at once can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.encoder import Judge, Part
from index.snapshot import Snapshot
from rag.window import window

__all__ = ["Judgement", "judge"]

_LIMIT = 12.0
"""Logits beyond this say nothing more."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the reader made of the passages that it was shown."""

    answers: dict[int, float]
    """For each sentence row shown, the probability that it answers, within its passage."""
    evidence: float
    """Log-odds that any of the passages answers: the best sentence of all against its passage's "none"."""


def judge(question: str, rows: Sequence[int], snapshot: Snapshot, reader: Judge) -> Judgement:
    """Show the reader the passages of some sentences, each as the stretch around its sentence.

    Args:
        question: as asked, in either language.
        rows: sentence rows, one a passage.
        snapshot: where they are from.
        reader: reads.
    """
    parts, shown = [], []
    for row in rows:
        number = int(snapshot.passage_of[row])
        document, passage = snapshot.passages[number]
        sentences = [document.text[s.start : s.end] for s in passage.sentences]
        opening = int(snapshot.first_sentence[number])
        first, last = window([len(s.split()) for s in sentences], row - opening)
        title = document.section_title(passage.section) if passage.section else ""
        parts.append(Part(title, tuple(sentences[first:last])))
        shown.append(range(opening + first, opening + last))
    answers: dict[int, float] = {}
    evidence = -_LIMIT
    for logits, own in zip(reader.judge(question, parts), shown, strict=True):
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        answers.update(zip(own, (float(share) for share in shares[1:]), strict=True))
        evidence = max(evidence, float(logits[1:].max() - logits[0]))
    return Judgement(answers, min(_LIMIT, evidence))
