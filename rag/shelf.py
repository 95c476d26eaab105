"""The documents of an index as a question meets them: which it is put to, and which it names.

Knows nothing of sentences or vectors. What a question says of its document is met in three ways: a
number names one for certain, the words that tell a title apart name one probably, and everything
else is left to the titles themselves, which the retriever reads along with the text.
"""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from index.records import Document
from index.snapshot import Snapshot
from index.words import terms
from rag.scope import Scope, card_of, named_by_number, named_by_title, without_name

__all__ = ["Aim", "Shelf"]

NUMBER_LIFT = 0.5
"""What every sentence of a document gains whose number the question has: more than any match differs."""
TITLE_LIFT = 0.06
"""What it gains at most where the question has the words that tell its title apart."""
NAMED_LIFT = 0.25
"""What it gains besides where a phrase says that it is about that document."""


@dataclass(frozen=True, slots=True)
class Aim:
    """A question on its way to the documents of an index."""

    question: str
    """Without the words that only name a document: its title would match them best, and answers nothing."""
    allowed: np.ndarray | None
    """bool, shape `(n_documents,)`: the documents that a filter leaves; `None` lets all through."""
    lift: np.ndarray
    """float32, shape `(n_documents,)`: what their sentences gain for being in a document that is named."""

    @property
    def named(self) -> np.ndarray:
        """The numbers of the documents that the question names."""
        return np.flatnonzero(self.lift)


class Shelf:
    """The documents of one snapshot. Never changes.

    Attributes:
        cards: what each document is known by.
        owner: int64, shape `(n_passages,)`: the number of each passage's document.
        titles: int64, shape `(n_documents,)`: the passage that holds each document's title, -1 where none does.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        documents = list(snapshot.documents.values())
        self.cards = [card_of(document) for document in documents]
        counts = [len(document.passages) for document in documents]
        self.owner = np.repeat(np.arange(len(documents)), counts)
        first = np.cumsum([0, *counts[:-1]])
        places = [_title_place(document) for document in documents]
        self.titles = np.array([start + p if p >= 0 else -1 for start, p in zip(first, places, strict=True)])
        seen = Counter(term for card in self.cards for term in set(terms(card.title)))
        self._rarity = {term: math.log(len(documents) / count) for term, count in seen.items()}

    def aim(self, question: str, scope: Scope | None = None) -> Aim:
        """What the question is put to.

        Raises:
            ScopeError: the filter leaves no document.
        """
        lift = np.zeros(len(self.cards), dtype=np.float32)
        allowed = None
        if scope:
            allowed = np.zeros(len(self.cards), dtype=bool)
            allowed[scope.choose(self.cards)] = True
        if len(self.cards) < 2:
            return Aim(question, allowed, lift)
        numbered, rest = named_by_number(question, self.cards)
        titled = named_by_title(rest, self.cards, self._rarity)
        for number, share in titled.items():
            lift[number] = TITLE_LIFT * share
        if titled:
            best = max(titled, key=lambda number: titled[number])
            bare = without_name(rest, self.cards[best].title)
            lift[best] += NAMED_LIFT * (bare != rest)
            rest = bare
        lift[numbered] = NUMBER_LIFT
        return Aim(rest, allowed, lift)


def _title_place(document: Document) -> int:
    """Which of its first passages is the document's title, or the field that holds it; -1 where none is."""
    for place, passage in enumerate(document.passages[:2]):
        heading = document.section_title(passage.section).lower() if passage.section else ""
        if passage.kind == "field" and (not heading or heading.startswith("titel")):
            return place
    return -1
