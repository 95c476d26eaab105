"""Tells what a claim has that its sentences lack: a figure, a date, a name.

Knows nothing of vectors; what it looks at are words and values, which are the same in both languages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from index.records import Language
from rag.atoms import Mark, date_met, missing_names, numbers
from rag.quantities import Quantity, quantities

__all__ = ["Source", "lacking"]

_PERCENT = re.compile(r"%|\bprocent\b|\bper ?cent\b")


@dataclass(frozen=True, slots=True)
class Source:
    """A sentence that a claim may stand on, with the title that it stands under."""

    text: str
    lang: Language = "nl"
    translation: str = ""
    """The same in the other language, where it is known."""
    title: str = ""
    title_translation: str = ""

    def reads(self) -> list[tuple[str, Language]]:
        """All that it says, in each language that it is known in."""
        other: Language = "en" if self.lang == "nl" else "nl"
        both = [(f"{self.title} {self.text}", self.lang)]
        return [*both, (f"{self.title_translation} {self.translation}", other)] if self.translation else both


def lacking(claim: str, lang: Language, sources: Sequence[Source]) -> Literal["", "numbers", "dates", "names"]:
    """Whether the claim has a figure, a date or a name that the sentences lack."""
    reads = [read for source in sources for read in source.reads()]
    known = {mark.value for source in sources for mark in numbers(*source.reads()[0])}
    known |= {f"/{value}" for value in known}
    theirs = {amount for source in sources for amount in _amounts(*source.reads()[0])}
    converted = [q for q in quantities(claim, lang) if q.amount in theirs]
    if any(mark.value not in known and not _within(mark, converted) for mark in numbers(claim, lang)):
        return "numbers"
    shares = any(kind == "percent" for kind, _ in theirs) or any(_PERCENT.search(text) for text, _ in reads)
    if _PERCENT.search(claim) and not shares:
        return "numbers"
    if not date_met(claim, lang, reads):
        return "dates"
    return "names" if missing_names(claim, lang, reads) else ""


def _amounts(text: str, lang: Language) -> set[tuple[str, float]]:
    """What the quantities of a text come to, and every number: `25 cent` may be `EUR 0,25`."""
    plain = {("number", float(m.value)) for m in numbers(text, lang) if re.fullmatch(r"\d+(?:\.\d+)?", m.value)}
    return plain | {q.amount for q in quantities(text, lang)}


def _within(mark: Mark, found: Sequence[Quantity]) -> bool:
    return any(q.start <= mark.start and mark.end <= q.end for q in found)
