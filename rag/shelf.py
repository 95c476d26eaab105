"""The documents of an index as a question meets them: which it is put to, and which it names.

Knows nothing of sentences or vectors. A number names a document for certain, the words that tell its
title apart probably. What only names it is taken out of the question.
"""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from index.encoder import Encoder
from index.snapshot import Snapshot
from rag.naming import named_by_meaning, subject_of
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
        cards: what each document is known by, in the order of the snapshot's `entries`.
    """

    def __init__(self, snapshot: Snapshot, encoder: Encoder) -> None:
        self._snapshot, self._encoder = snapshot, encoder
        self.cards = [card_of(entry, snapshot.translation) for entry in snapshot.entries]
        seen = Counter(term for card in self.cards for term in card.terms)
        self._rarity = {term: math.log(len(self.cards) / count) for term, count in seen.items()}

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
        meant, bare = (None, rest) if numbered else self._meant(rest)
        if meant is not None:
            lift[meant], rest = TITLE_LIFT + NAMED_LIFT, bare
        elif titled:
            best = max(titled, key=lambda number: titled[number])
            bare = without_name(rest, self.cards[best])
            lift[best] += NAMED_LIFT * (bare != rest)
            rest = bare
        lift[numbered] = NUMBER_LIFT
        return Aim(rest, allowed, lift)

    def _meant(self, question: str) -> tuple[int | None, str]:
        """The document that an English question names by its subject, and the question without that."""
        subject, bare = subject_of(question)
        if not subject:
            return None, question
        number = named_by_meaning(subject, self.cards, self._snapshot, self._encoder)
        titled = named_by_title(subject, self.cards, self._rarity) if number is None else {}
        return max(titled, key=lambda n: titled[n]) if titled else number, bare
