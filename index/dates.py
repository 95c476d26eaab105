"""Finds the date that a few words name, in Dutch, in English or in figures; knows nothing of documents."""

import re
from datetime import date

__all__ = ["find_date"]

_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "januari january jan",
            "februari february feb",
            "maart march mrt mar",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul",
            "augustus august aug",
            "september sept sep",
            "oktober october okt oct",
            "november nov",
            "december dec",
        ],
        1,
    )
    for name in names.split()
}
_WORDS = re.compile(r"\b(\d{1,2})(?:e|ste|de|st|nd|rd|th)?\s+([a-z]{3,9})\.?\s+(\d{4})\b", re.I)
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})")
_FIGURES = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b")


def find_date(text: str) -> date | None:
    """The first date that `text` names, or `None`.

    >>> find_date("Datum ontvangst: 24 januari 2024").isoformat()
    '2024-01-24'
    >>> find_date("5-11-2025").isoformat()
    '2025-11-05'
    """
    found: list[tuple[int, date]] = []
    for match in _WORDS.finditer(text):
        if month := _MONTHS.get(match[2].lower()):
            found += _date(match.start(), int(match[3]), month, int(match[1]))
    for match in _ISO.finditer(text):
        found += _date(match.start(), int(match[1]), int(match[2]), int(match[3]))
    for match in _FIGURES.finditer(text):
        found += _date(match.start(), int(match[3]), int(match[2]), int(match[1]))
    return min(found)[1] if found else None


def _date(place: int, year: int, month: int, day: int) -> list[tuple[int, date]]:
    try:
        return [(place, date(year, month, day))]
    except ValueError:
        return []
