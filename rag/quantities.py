"""Turns the durations and shares in a text into values that are equal where they say the same.

Knows nothing of claims. `zes maanden` is `een half jaar` and `six-monthly`; `14 dagen` is `two weeks`; `een
vijfde van` is `20%` and `one in five`; `25 cent` is `EUR 0,25`. The numbers in them are those of `rag.atoms`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.records import Language
from rag.atoms import Mark, numbers

__all__ = ["Quantity", "quantities"]

_UNITS: tuple[tuple[str, str, float], ...] = (
    ("minutes", r"minu(?:ut|ten)|minutes?", 1),
    ("minutes", r"uur|uren|hours?|hourly", 60),
    ("minutes", r"dag(?:en)?|days?|daily|etma(?:al|len)", 24 * 60),
    ("minutes", r"we(?:ek|ken)|weeks?|weekly", 7 * 24 * 60),
    ("months", r"maand(?:en)?|months?|monthly", 1),
    ("months", r"kwarta(?:al|len)|quarters?", 3),
    ("months", r"jaar|jaren|years?|yearly", 12),
    ("percent", r"procent|per ?cent", 1),
    ("number", r"(?:euro)?cents?", 0.01),
)
"""What a unit measures, how it is written in both languages, and how many of the smallest it is."""
_UNIT = re.compile(
    r"\s?(?P<sign>%)|[\s-]+(?:a |full |volle? )?(?:"
    + "|".join(f"(?P<u{i}>{written})" for i, (_, written, _) in enumerate(_UNITS))
    + r")(?![^\W_])",
    re.IGNORECASE,
)
_HALF_YEAR = re.compile(r"(?<![^\W_])(?:halfjaar(?:lijkse?)?|half-?yearly)(?![^\W_])", re.IGNORECASE)
_SOME = {"een": 1, "één": 1, "a": 1, "one": 1, "twee": 2, "two": 2, "drie": 3, "three": 3, "vier": 4, "four": 4}
_PARTS = {
    2: "helft|half",
    3: "derde|thirds?",
    4: "kwart|quarters?",
    5: "vijfde|fifths?",
    6: "zesde|sixths?",
    8: "achtste|eighths?",
    10: "tiende|tenths?",
}
_SHARE = re.compile(
    rf"(?<![^\W_])(?:(?P<some>{'|'.join(_SOME)}|de)[\s-]*)?(?:"
    + "|".join(f"(?P<p{whole}>{written})" for whole, written in _PARTS.items())
    + r")(?=\s+(?:van|of)(?![^\W_]))",
    re.IGNORECASE,
)
_ONE_IN = re.compile(
    rf"(?<![^\W_])(?P<some>{'|'.join(_SOME)}|\d+)\s+(?:op(?: de| elke)?|in(?: every)?|out of(?: every)?)\s+$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount at its place in a text."""

    kind: str
    """`minutes`, `months`, `percent` or `number`: only what is of one kind can be equal."""
    value: float
    start: int
    end: int

    @property
    def amount(self) -> tuple[str, float]:
        """What it says, wherever it stands."""
        return self.kind, self.value


def quantities(text: str, lang: Language) -> list[Quantity]:
    """The durations, shares and cents of a text, in no order.

    >>> [q.amount for q in quantities("Een half jaar voor een vijfde van de vloot.", "nl")]
    [('months', 6.0), ('percent', 20.0)]
    >>> [q.amount for q in quantities("Six-monthly, for 20% of the fleet", "en")]
    [('months', 6.0), ('percent', 20.0)]
    """
    marks = numbers(text, lang)
    return [*_measured(marks, text), *_shares(marks, text)]


def _measured(marks: list[Mark], text: str) -> Iterator[Quantity]:
    """Numbers with a unit behind them."""
    for mark in marks:
        unit = _UNIT.match(text, mark.end)
        if unit is None or not re.fullmatch(r"/?\d+(?:\.\d+)?", mark.value):
            continue
        kind, size = ("percent", 1.0) if unit["sign"] else _measure(unit)
        yield Quantity(kind, round(float(mark.value.lstrip("/")) * size, 6), mark.start, unit.end())
    for half in _HALF_YEAR.finditer(text):
        yield Quantity("months", 6.0, half.start(), half.end())


def _measure(unit: re.Match[str]) -> tuple[str, float]:
    return next((kind, size) for i, (kind, _, size) in enumerate(_UNITS) if unit[f"u{i}"])


def _shares(marks: list[Mark], text: str) -> Iterator[Quantity]:
    """`een vijfde van`, `two thirds of`, `one in five`."""
    for share in _SHARE.finditer(text):
        whole = next(whole for whole in _PARTS if share[f"p{whole}"])
        some = _SOME.get((share["some"] or "een").lower(), 1)
        yield Quantity("percent", _rounded(100 * some / whole), share.start(), share.end())
    for mark in marks:
        one, all_ = _ONE_IN.search(text[: mark.start]), mark.value.lstrip("/")
        if not one or not all_.isdigit():
            continue
        many, of = _SOME.get(one["some"].lower()) or int(one["some"]), int(all_)
        if many < of <= 100:
            yield Quantity("percent", _rounded(100 * many / of), one.start(), mark.end)


def _rounded(share: float) -> float:
    """`a third` is `33%`, `an eighth` is `12.5%`."""
    return share if (2 * share).is_integer() else float(round(share))
