"""Chooses how a question is meant that may lean on the conversation, by what the index holds on each reading.

Knows nothing of screens or of how answers are made. Every reading is scored over all sentences; what
the readings agree on is the likeliest answer, the more so where it stands in the passage that answered
the question before. The reading that ranks that sentence best is the one that is asked.
"""

from collections.abc import Sequence

import numpy as np

from rag.followup import readings
from rag.language import Language
from rag.retriever import Retriever, Scores

__all__ = ["understand"]

SAME_PASSAGE = 0.12
"""What a sentence gains that stands in the passage on the question before; chosen on `training/followups.jsonl`."""


def understand(question: str, lang: Language, history: Sequence[str], retriever: Retriever) -> str:
    """`question`, or the reading of it that stands alone.

    Args:
        question: as it was typed.
        lang: its language.
        history: the questions before it, as they were understood.
        retriever: of the index that is asked.
    """
    ways = readings(question, history)
    if len(ways) == 1:
        return question
    found = [_spread(retriever.score(way, lang), retriever) for way in ways]
    last = next(asked for asked in reversed(history) if asked.strip())
    passage = retriever.snapshot.passage_of
    before = int(np.argmax(_spread(retriever.score(last, lang), retriever)))
    likely = int(np.argmax(np.mean(found, axis=0) + SAME_PASSAGE * (passage == passage[before])))
    return max(zip(ways, found, strict=True), key=lambda way: way[1][likely] - way[1].max())[0]


def _spread(scores: Scores, retriever: Retriever) -> np.ndarray:
    """The scores by sentence row, float32 `(n_sentences,)`; what was no candidate scores below all that were."""
    total = np.full(len(retriever.snapshot.sentences), scores.total.min(), dtype=np.float32)
    total[scores.rows] = scores.total
    return total
