"""The subject that an English question names its document by → the document with that Dutch title.

Knows nothing of answers. "The regulation on fireworks" shares no word with a Dutch title, so the
encoder holds them together: late interaction of the subject's words with each title, of which the best
must stand out from the next. Only documents that have sentences near the subject are looked at, so that
few titles are encoded, each once.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from index.centring import mean_direction
from index.encoder import Encoder
from index.snapshot import Snapshot
from rag.question import content_tokens
from rag.scope import Card, cut_out

__all__ = ["named_by_meaning", "subject_of"]

_SUBJECT = re.compile(
    r"(?P<lead>\b(?:in|according\s+to|of|under|from|by)\s+)?\bthe\s+(?:BNC[ -])?"
    r"(?:fiche|communication|regulation|directive|recommendation|proposal|decision|action\s+plan|strategy|letter|paper)"
    r"\s+(?:on|about|concerning|for|of)\s+[“‘\"']*(?P<subject>[^?:;.”\"]*[^?:;.”\"\s])",
    re.IGNORECASE,
)
_LEAST = 0.46
"""The cosine, averaged over the subject's words, that a title must have with them."""
_APART = 0.10
"""What it must have more than the next title. Both were set on questions about the invented fiches that the
reader learnt from: of thirty, eighteen name their document and none another."""
_NEAR = 100
"""Sentences nearest to the subject, and so many documents of theirs whose titles are compared."""
_TITLES = 10


def subject_of(question: str) -> tuple[str, str]:
    """The subject that an English question names its document by, and the question without it; else nothing.

    The subject ends at a colon, or else at the first comma. Where the phrase hangs on a preposition, nothing
    else of the sentence stands before that end, and it can be taken out. In "What does the regulation on
    honey say about labels?" something does, so there the question stays as it is.

    >>> subject_of("Who pays for it under the regulation on honey?")
    ('honey', 'Who pays for it?')
    """
    found = _SUBJECT.search(question)
    if not found:
        return "", question
    subject = found["subject"]
    if not question.startswith(":", found.end()):
        subject = subject.split(",")[0]
    bare = cut_out(question, found.start(), found.start("subject") + len(subject)) if found["lead"] else ""
    return subject, bare or question


def named_by_meaning(subject: str, cards: Sequence[Card], snapshot: Snapshot, encoder: Encoder) -> int | None:
    """The number of the document that an English subject names, where one stands out.

    Args:
        subject: the words that say what the document is about.
        cards: of all documents of the snapshot, in its order.
        snapshot: what is asked.
        encoder: the model that it was made with.
    """
    asked = snapshot.centring.question(content_tokens(encoder.encode([subject], query=True)[0], subject), "en")
    near = snapshot.document_of[snapshot.passage_of[snapshot.nearest(mean_direction(asked), _NEAR)]].tolist()
    numbers = [n for n in dict.fromkeys([*near, *range(min(_TITLES, len(cards)))]) if cards[n].title][:_TITLES]
    if len(numbers) < 2:
        return None
    model: Any = encoder  # kept by what object it is, which its protocol does not promise
    titles = [snapshot.centring.passage(_title_tokens(model, cards[number].title)) for number in numbers]
    scores = np.array([(asked @ title.T).max(axis=1).mean() for title in titles])
    first, second = np.argsort(-scores)[:2]
    return numbers[first] if scores[first] >= _LEAST and scores[first] - scores[second] >= _APART else None


@lru_cache(500)
def _title_tokens(encoder: Encoder, title: str) -> np.ndarray:
    encoded = encoder.encode([title], query=False)[0]
    return content_tokens(encoded, title)
