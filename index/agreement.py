"""Says whether an English segment says what its Dutch one says, as far as that can be seen without understanding it.

Knows nothing of memories or models. Numbers, dates, percentages, document numbers and names must
agree on both sides; a length far from the usual is only worth a look. The words that differ by
language (`VWEU` is `TFEU`, `zeven` is `seven`) are in `data/glossary.json`.
"""

import re
from collections import Counter

from index.glossary import glossary
from index.lexicon import word_list
from index.records import Language

__all__ = ["ACRONYM", "dates", "differences", "length_is_unusual", "number_words", "numeral"]

_MONTHS: dict[Language, list[str]] = {
    "nl": [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
ACRONYM = re.compile(r"(?<![^\W_])(?=[^\W_]*[^\W\d_][^\W_]*)[^\W_]*[A-Z][^\W_]*[A-Z0-9][^\W_]*")
"""Words with two capitals, or a capital and a digit after it: `AI`, `EuroHPC`, `GenAI4EU`."""
_PERCENT = {"nl": re.compile(r"%|\bprocent\b"), "en": re.compile(r"%|\bper ?cent\b")}
_USUAL = (0.55, 1.6)
_SHORT = 60
"""Characters below which a length says nothing: `N.v.t.` is `N/A`."""
_DUTCH = word_list("dutch_cues")


def differences(source: str, target: str) -> list[str]:
    """What the two do not share and must, each in a few words; nothing where they agree.

    >>> differences("14 lidstaten vanaf 3 mei", "40 Member States from 3 May")
    ['numbers: 14 against 40']
    """
    found = []
    for name, count in (("numbers", _numbers), ("dates", dates), ("percentages", _percentages)):
        mine, theirs = count(source, "nl"), count(target, "en")
        if mine != theirs:
            found.append(f"{name}: {_listed(mine - theirs)} against {_listed(theirs - mine)}")
    found += _names(source, target)
    if target == source and len(target.split()) > 1 and _is_dutch(target):
        found.append("left in Dutch")
    elif _is_dutch(target) and len(target.split()) > 3:
        found.append("reads as Dutch")
    return found


def length_is_unusual(source: str, target: str) -> bool:
    """Whether the English is so much shorter or longer than the Dutch that someone should look."""
    return len(source) >= _SHORT and not _USUAL[0] <= len(target) / len(source) <= _USUAL[1]


def _listed(values: Counter[str]) -> str:
    return ", ".join(sorted(values.elements())) or "nothing"


def _numbers(text: str, lang: Language) -> Counter[str]:
    """Figures and number words, as their values."""
    figures = [numeral(figure, lang) for figure in _FIGURE.findall(text)]
    words = number_words(lang)
    pattern = rf"\b({'|'.join(words)})(?:jarige?|daagse?|maal|tal)?\b"
    named = [words[word.lower()] for word in re.findall(pattern, text, re.IGNORECASE)]
    return Counter(figures + named)


def numeral(figure: str, lang: Language) -> str:
    """A figure as the language writes it, with a point for decimals and nothing for thousands.

    >>> numeral("1.200.000", "nl"), numeral("1,200.5", "en"), numeral("3,5", "nl")
    ('1200000', '1200.5', '3.5')
    """
    thousands, point = (".", ",") if lang == "nl" else (",", ".")
    if re.fullmatch(rf"(?:\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+)(?:{re.escape(point)}\d+)?", figure):
        return figure.replace(thousands, "").replace(point, ".")
    return figure


def number_words(lang: Language) -> dict[str, str]:
    """The number words of a language with their values: `zeven` is `7`, `miljoen` is `10^6`."""
    known = zip(glossary()["numbers"].items(), _VALUES, strict=True)
    return {word: value for (nl, english), value in known for word in (english if lang == "en" else [nl])}


_VALUES = [str(n) for n in (*range(2, 8), *range(9, 21), *range(30, 100, 10))] + [
    "10^2",
    "10^3",
    "10^6",
    "10^9",
    "10^12",
]


def dates(text: str, lang: Language) -> Counter[str]:
    """Dates as `21-2-2024`, `21-2` or `2-2024`: those that have a day or a year beside the month."""
    months = "|".join(_MONTHS[lang])
    found = re.findall(rf"\b(?:(\d{{1,2}}) )?({months})\b(?: (\d{{4}}))?", text, re.IGNORECASE if lang == "nl" else 0)
    lowered = [m.lower() for m in _MONTHS[lang]]
    dated = [(day, lowered.index(month.lower()) + 1, year) for day, month, year in found if day or year]
    return Counter("-".join(str(part) for part in date if part) for date in dated)


def _percentages(text: str, lang: Language) -> Counter[str]:
    return Counter("%" for _ in _PERCENT[lang].findall(text))


def _names(source: str, target: str) -> list[str]:
    """Acronyms and countries that one side has and the other lacks."""
    both = glossary()["acronyms"]
    found: list[str] = []
    theirs = set(ACRONYM.findall(target))
    mine = set(ACRONYM.findall(source))
    met = theirs | {t.rstrip("s") for t in theirs}
    lacking = (n for n in sorted(mine - met) if not any(word in target for word in both.get(n, [])))
    found += [f"name: {name} is missing" for name in lacking]
    allowed = mine | {english for dutch in both if re.search(rf"\b{dutch}\b", source) for english in both[dutch]}
    found += [f"name: {name} is not in the Dutch" for name in sorted(theirs) if not {name, name.rstrip("s")} & allowed]
    for dutch, english in glossary()["countries"].items():
        if re.search(rf"\b{dutch}\b", source) and not any(word in target for word in english):
            found.append(f"name: {english[0]} is missing")
        elif english[0] in target and not re.search(rf"\b{dutch}|\b{dutch[:5]}", source):
            found.append(f"name: {english[0]} is not in the Dutch")
    return found


def _is_dutch(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text.lower())
    return sum(word in _DUTCH for word in words) >= max(2, 0.15 * len(words))
