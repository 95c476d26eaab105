"""Which documents a question is put to: those that a filter leaves, and those that it names itself.

Knows nothing of passages or scores. Everything it goes by is on a document's card: its name, title,
number, date and ministry.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from index.dates import find_date
from index.errors import ScopeError
from index.segment import DocumentEntry
from index.words import fold, terms

__all__ = [
    "Card",
    "Scope",
    "card_of",
    "cut_out",
    "named_by_number",
    "named_by_title",
    "read_day",
    "read_scope",
    "without_name",
]

_NUMBER = re.compile(r"\d[\d\s.()/-]*\d|\d")
_DIGITS = 5
"""A number of fewer digits names no document: it may be a year or an amount."""
_TITLE_SHARE = 0.5
"""A question that has so much of what tells a title apart names the document."""
_TELLING = 3
"""So many words, the rarest, tell a title apart."""
_QUESTION_WORDS = 3
"""What is left of fewer words asks nothing by itself."""
_OPENING = re.compile(
    r"(?:\b(?:in|uit|bij|van|volgens|blijkens|over|according\s+to|of|under|from)\s+)?\b(?:de|het|deze|dit|the|this)\s+"
    r"(?:BNC-)?(?:fiche|mededeling|verordening|richtlijn|aanbeveling|voorstel|besluit|brief|nota|document|kamerstuk|"
    r"communication|regulation|directive|recommendation|proposal|decision|letter|paper)\b"
    r"(?:\s+(?:over|inzake|betreffende|van|voor|tot|on|about|concerning|for))?[\s:“‘\"'«(]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Card:
    """What a document is known by."""

    id: str
    title: str
    number: str
    """Of the proposal that it is about: `COM(2024) 28`."""
    date: date | None
    ministry: str
    english: str = ""
    """Its title in English, where that is known."""

    @cached_property
    def terms(self) -> set[str]:
        """The words of its titles, stemmed; once, for every question is held against every card."""
        return set(terms(self.title)) | set(terms(self.english, "en"))


def card_of(entry: DocumentEntry, english: Callable[[str], str | None] = lambda _: None) -> Card:
    """The card of a document that an index holds; its title also in English, where `english` knows it."""
    told = entry.metadata
    titles = {entry.title, told.get("title", "")} - {entry.id, ""}
    day, ministry = find_date(told.get("date", "")), told.get("ministry", "")
    known = " ".join(sorted({found for title in titles if (found := english(title))}))
    return Card(entry.id, " ".join(sorted(titles)), told.get("number", ""), day, ministry, known)


@dataclass(frozen=True, slots=True)
class Scope:
    """A filter on documents; one without anything set lets all through."""

    documents: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    ministry: str = ""

    def __bool__(self) -> bool:
        return bool(self.documents or self.since or self.until or self.ministry.strip())

    def choose(self, cards: Sequence[Card]) -> list[int]:
        """The numbers of the documents that it leaves.

        Raises:
            ScopeError: it leaves none, or names one that is not there.
        """
        names = {fold(card.id) for card in cards}
        if unknown := [name for name in self.documents if fold(name) not in names]:
            known = ", ".join(card.id for card in cards[:5]) + (", …" if len(cards) > 5 else "")
            raise ScopeError(
                f"no document {unknown[0]!r} in the index: it holds {known}",
                f"de index bevat geen document {unknown[0]!r}. Wel: {known}.",
            )
        kept = [number for number, card in enumerate(cards) if self._admits(card)]
        if not kept:
            raise ScopeError(
                f"no document {self._told()}: see 'fiche index list', and ask for more",
                f"er is geen document dat aan de keuze voldoet ({self._told()}). Neem de keuze ruimer.",
            )
        return kept

    def _admits(self, card: Card) -> bool:
        if self.documents and fold(card.id) not in {fold(name) for name in self.documents}:
            return False
        if (self.since or self.until) and card.date is None:
            return False
        day = card.date or date.min
        within = (self.since or date.min) <= day <= (self.until or date.max)
        return within and _words(self.ministry) <= _words(card.ministry)

    def _told(self) -> str:
        parts = [f"called {' or '.join(self.documents)}"] if self.documents else []
        parts += [f"of a ministry with {self.ministry!r} in its name"] if self.ministry else []
        parts += [f"dated since {self.since}"] if self.since else []
        parts += [f"dated until {self.until}"] if self.until else []
        return ", ".join(parts)


def _words(text: str) -> set[str]:
    return {fold(word) for word in re.findall(r"\w+", text)}


def read_scope(documents: Iterable[str], since: str, until: str, ministry: str) -> Scope:
    """A filter out of words that someone typed; what is empty filters nothing.

    Raises:
        ScopeError: a date is none, or the last day lies before the first.
    """
    names = tuple(name.strip() for name in documents if name.strip())
    scope = Scope(names, read_day(since, "--since"), read_day(until, "--until"), ministry.strip())
    if scope.since and scope.until and scope.since > scope.until:
        raise ScopeError(
            f"--since {scope.since} lies after --until {scope.until}: turn them round",
            f"{scope.since} ligt na {scope.until}. Wissel ze om.",
        )
    return scope


def read_day(text: str, name: str) -> date | None:
    """The day of a filter, `None` where nothing is given.

    Raises:
        ScopeError: it is no date of the form 2024-01-31.
    """
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise ScopeError(
            f"{name} is {text!r}, which is no date: write it as 2024-01-31",
            f"{text!r} is geen datum. Schrijf hem als 2024-01-31.",
        ) from error


def named_by_number(question: str, cards: Sequence[Card]) -> tuple[list[int], str]:
    """The documents whose number the question has, and the question without it.

    >>> card = Card("kst-22112-3908", "", "COM(2024) 28", None, "")
    >>> named_by_number("Wie betaalt volgens kst-22112-3908 de AI Office?", [card])
    ([0], 'Wie betaalt de AI Office?')
    """
    met: dict[int, None] = {}
    rest = question
    for found in _NUMBER.finditer(question):
        digits = re.sub(r"\D", "", found[0])
        if len(digits) < _DIGITS:
            continue
        own = [n for n, card in enumerate(cards) if digits in {_digits(card.id), _digits(card.number)}]
        met.update(dict.fromkeys(own))
        if own:
            rest = rest.replace(found[0], "\0")
    lead = r"(?:\b(?:volgens|in|uit|van|according to|of)\s+)?(?:\b(?:de|het|the)\s+)?"
    kind = r"(?:\b(?:fiche|kamerstuk|document)\s+)?"
    rest = re.sub(rf"\(?{lead}{kind}(?:nr\.?\s*|[A-Za-z]+[-(\s]?)?\0\)?[:,]?", " ", rest)
    rest = " ".join(rest.split()).replace(" ?", "?")
    return list(met), rest if len(re.findall(r"\w+", rest)) > 1 else question


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def named_by_title(question: str, cards: Iterable[Card], rarity: dict[str, float]) -> dict[int, float]:
    """How much of each document's title the question has, 0 to 1, where that is enough to name it.

    Words count by how few titles have them, so that `voorstel` names nothing.

    Args:
        question: as it was asked.
        cards: of all documents.
        rarity: of each word of any title, 0 where all titles have it.
    """
    asked = {term for term in (*terms(question), *terms(question, "en")) if term in rarity}
    found = {}
    for number, card in enumerate(cards):
        own = card.terms
        whole = sum(sorted((rarity[term] for term in own), reverse=True)[:_TELLING])
        shared = sum(rarity[term] for term in own & asked)
        if whole and shared >= _TITLE_SHARE * whole:
            found[number] = min(1.0, shared / whole)
    return found


def without_name(question: str, card: Card) -> str:
    """The question without the phrase that only says which document it is about.

    Such a phrase names a kind of document and goes on in words of the title; it would be met best by
    the title itself, which answers nothing.

    >>> card = Card("kst-1", "Richtlijn schoon zwemwater", "", None, "")
    >>> without_name("Wat kost het volgens de richtlijn over schoon zwemwater?", card)
    'Wat kost het?'
    """
    known = card.terms
    for opening in _OPENING.finditer(question):
        end, met = opening.end(), 0
        for word in re.finditer(r"[\w’'/-]+|[^\w\s]", question[opening.end() :]):
            own = terms(word[0])
            if not known.isdisjoint([*own, *terms(word[0], "en")]):
                met, end = met + 1, opening.end() + word.end()
            elif own or word[0] in "?!.:;":
                break
        if met and (rest := cut_out(question, opening.start(), end)):
            return rest
    return question


def cut_out(question: str, start: int, end: int) -> str:
    """The question without what stands there and closes it; nothing where what is left asks nothing.

    >>> cut_out("In the fiche on “honey”: what does it cost?", 0, 22)
    'What does it cost?'
    """
    closing = re.match(r"[\s”’\"'»)]*[,:]?", question[end:])
    rest = question[:start] + " " + question[end + (closing.end() if closing else 0) :]
    rest = re.sub(r"\s+([?!.,])", r"\1", " ".join(rest.split()))
    return rest[:1].upper() + rest[1:] if len(re.findall(r"\w+", rest)) >= _QUESTION_WORDS else ""
