"""Turns a sentence into what another must share to say the same: its figures, dates, names, denials and opposites.

Knows nothing of questions, answers or vectors: it looks at words alone, in Dutch or English, and gives
values that are the same in both (`75 miljoen` and `75 million` are `75000000`). How figures and dates are
written is in `index.agreement`; the words are in `data/claims.json` and the glossary.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import pairwise, takewhile
from typing import Any

from index.agreement import ACRONYM, dates, number_words, numeral
from index.glossary import glossary
from index.lexicon import word_list
from index.records import Language
from index.words import fold

__all__ = ["Mark", "date_met", "denials", "missing_names", "numbers", "places", "sides"]

_SCALES = {
    "mln": 6,
    "mln.": 6,
    "mld": 9,
    "mld.": 9,
    "bn": 9,
    "dzd": 3,
    "duizend": 3,
    "miljoen": 6,
    "miljard": 9,
    "biljoen": 12,
    "thousand": 3,
    "million": 6,
    "billion": 9,
    "trillion": 12,
}
_ORDINALS = {"tweede": 2, "derde": 3, "vierde": 4, "vijfde": 5, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_NO_ORDINAL = re.compile(r"Tweede Kamer|[Dd]erde landen|third (?:part(?:y|ies)|countr(?:y|ies))")
_EXTRA: dict[Language, dict[str, str]] = {
    "nl": {
        "tweemaal": "2",
        "driemaal": "3",
        "dubbele": "2",
        "half": "0.5",
        "helft": "0.5",
        "anderhalf": "1.5",
        "anderhalve": "1.5",
    },
    "en": {"eight": "8", "twice": "2", "thrice": "3", "double": "2", "half": "0.5"},
}
_EIGHT = re.compile(
    r"\bacht(?= (?:jaar|uur|keer|maal|miljoen|miljard|procent|[a-zë]+(?:en|s)\b))"
    r"|(?<=\bvan )acht(?= (?:naar|tot)\b)|(?<=\bde )acht\b|(?<=\b(?:naar|alle) )acht\b",
    re.IGNORECASE,
)
"""Elsewhere `acht` means that somebody finds something so."""
_QUARTER = re.compile(r"\b(?:een|a) (?:kwart|quarter)(?= (?:van|of)\b)", re.IGNORECASE)
_OF = re.compile(r"\s*(?:van|of|out of)(?: de| het| the)?\s*", re.IGNORECASE)
_FIGURE = r"\d+(?:[.,]\d+)*"
_MARKUP = re.compile(r"[^\W_][\w&+’'.-]*[^\W_+]\+?|[^\W_]\+?")
_CODE = re.compile(r"(?<![\w-])[^\W\d_]{3,}-\d+\b")
"""`kst-22112`: a word that a number is part of."""
_OPENERS = word_list("sentence_openers")
_STOPS = (
    word_list("dutch_stopwords")
    | word_list("english_stopwords")
    | word_list("dutch_cues")
    | word_list("english_cues")
    | _OPENERS
)
_SHARED, _ALIKE = 4, 0.7
"""Letters that two forms of a name begin with, at least, and their share of the longer one."""
_MONTHS = re.compile(
    r"\b(?:januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december|"
    r"January|February|March|April|May|June|July|August|September|October|November|December)\b"
)


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("rag") / "data" / "claims.json").read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, slots=True)
class Mark:
    """A value at its place in a text."""

    value: str
    start: int
    end: int


def numbers(text: str, lang: Language) -> list[Mark]:
    """Figures, number words and ordinals in order, with what multiplies them.

    >>> [mark.value for mark in numbers("EUR 2,5 miljard voor zeven hubs", "nl")]
    ['2500000000', '7']
    """
    words = {**number_words(lang), **_EXTRA[lang]}
    plain = sorted((word for word in words if word not in _SCALES), key=len, reverse=True)
    scales = "|".join(re.escape(word) for word in sorted(_SCALES, key=len, reverse=True))
    pattern = rf"(?:(?P<figure>{_FIGURE})|\b(?P<word>{'|'.join(plain)})(?:jarige?|daagse?|maal|tal)?\b)"
    pattern += rf"(?:[\s-]*(?P<scale>{scales})(?![^\W_]))?|(?P<bare>\b(?:{scales}))(?![^\W_])"
    found = []
    for match in re.finditer(pattern, text, re.IGNORECASE):
        if match["bare"]:
            value = "1"
        else:
            value = numeral(match["figure"], lang) if match["figure"] else words[match["word"].lower()]
        scale = (match["scale"] or match["bare"] or "").lower()
        found.append(Mark(_scaled(value, scale), match.start(), match.end()))
    found += [Mark("8", m.start(), m.end()) for m in _EIGHT.finditer(text) if lang == "nl"]
    found += [Mark("0.25", m.start(), m.end()) for m in _QUARTER.finditer(text)]
    bare = _NO_ORDINAL.sub(lambda m: " " * len(m[0]), text)
    ordinals = re.finditer(rf"\b(?:{'|'.join(_ORDINALS)})\b", bare, re.IGNORECASE)
    found += [Mark(f"{_ORDINALS[m[0].lower()]}th", m.start(), m.end()) for m in ordinals]
    return _parted(sorted(found, key=lambda mark: mark.start), text)


def _parted(marks: list[Mark], text: str) -> list[Mark]:
    """In `two of the nine` the nine is `/9`: nobody said that there are nine that …."""
    out = marks[:1]
    for before, mark in pairwise(marks):
        whole = _OF.fullmatch(text[before.end : mark.start])
        out.append(Mark(f"/{mark.value}", mark.start, mark.end) if whole else mark)
    return out


def _scaled(value: str, scale: str) -> str:
    value = {"10^2": "100", "10^3": "1000", "10^6": "1000000", "10^9": "1000000000"}.get(value, value)
    if not re.fullmatch(r"\d+(?:\.\d+)?", value):
        return value
    exact = Decimal(value) * (Decimal(10) ** _SCALES.get(scale, 0))
    return f"{exact.normalize():f}"


def date_met(claim: str, lang: Language, sources: Sequence[tuple[str, Language]]) -> bool:
    """Whether each date and month of a claim is one of a source, as far as the claim tells it.

    >>> date_met("Op 21 februari.", "nl", [("On 21 February 2024.", "en")])
    True
    """
    have = [set(found.split("-")) for text, spoken in sources for found in dates(text, spoken)]
    if not all(any(set(asked.split("-")) <= known for known in have) for asked in dates(claim, lang)):
        return False
    mine = {_month(found) for found in _MONTHS.findall(claim)} - {"may"}
    theirs = {_month(found) for text, _ in sources for found in _MONTHS.findall(text)}
    return mine <= theirs


def _month(name: str) -> str:
    lowered = fold(name)[:3]
    return {"maa": "mar", "mei": "may", "okt": "oct"}.get(lowered, lowered)


def denials(text: str, lang: Language) -> list[Mark]:
    """The words that deny something."""
    pattern = rf"\b(?:{'|'.join(_data()['negations'][lang])})\b"
    return [Mark("not", m.start(), m.end()) for m in re.finditer(pattern, text, re.IGNORECASE)]


def sides(text: str) -> list[Mark]:
    """Words that have an opposite, as `group.side`: `positief` is `0.0`, `negative` is `0.1`."""
    found = []
    for number, group in enumerate(_opposites()):
        for side, pattern in enumerate(group):
            found += [Mark(f"{number}.{side}", m.start(), m.end()) for m in pattern.finditer(text)]
    return found


def places(text: str) -> list[Mark]:
    """The countries in a text, by their Dutch names."""
    return [Mark(dutch, m.start(), m.end()) for dutch, pattern in _countries() for m in pattern.finditer(text)]


@cache
def _countries() -> list[tuple[str, re.Pattern[str]]]:
    known = glossary()["countries"].items()
    return [(nl, re.compile(rf"\b(?:{'|'.join(map(re.escape, (nl, *en)))})\b")) for nl, en in known]


@cache
def _opposites() -> list[list[re.Pattern[str]]]:
    return [[re.compile(rf"\b(?:{side})\b", re.IGNORECASE) for side in group] for group in _data()["opposites"]]


def missing_names(claim: str, lang: Language, sources: Iterable[tuple[str, Language]]) -> list[str]:
    """The names of a claim that no source has, in either language.

    A name has a capital or a digit inside, a capital within a sentence, or is a first word that no
    ordinary word explains. `Frankrijk` is met by `France`, `VWEU` by `TFEU`.
    """
    texts = list(sources)
    together = " ".join(text for text, _ in texts)
    folded = fold(together)
    words = set(re.findall(r"[^\W_]+", folded))
    known = _covered(claim, together)
    lacking = [
        name
        for name, start, end in _names(claim, lang, folded)
        if not any(a <= start and end <= b for a, b in known) and not _is_met(name, folded, words)
    ]
    return list(dict.fromkeys(lacking))


def _is_met(name: str, folded: str, words: set[str]) -> bool:
    own = fold(name)
    parts = [fold(part) for part in re.split(r"[^\w]+", name) if part[:1].isupper() or part[:1].isdigit()]
    stems = {own, own.removesuffix("'s").removesuffix("’s"), own.rstrip("s")}
    alike = set(_data()["union"]) if own in _data()["union"] else {w for w in words if _is_variant(own, w)}
    return (
        own in folded.split()
        or bool((stems | alike) & words)
        or (bool(parts) and all(part in words or part in _STOPS for part in parts))
    )


def _is_variant(one: str, other: str) -> bool:
    """Whether two words are forms of one name: `Europese` and `Europees`, `Syria` and `Syrië`, `Qatari` and `Qatar`."""
    if one in _place_names() and other in _place_names():
        return False
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    return shared >= _SHARED and shared >= _ALIKE * max(len(one), len(other))


def _covered(claim: str, source: str) -> list[tuple[int, int]]:
    """Stretches of a claim that are the other language's name of something in the source."""
    spans = []
    for one, other in _pairs():
        for mine, theirs in ((one, other), (other, one)):
            if _whole(theirs).search(source):
                spans += [match.span() for match in _whole(mine).finditer(claim)]
    return spans


@cache
def _pairs() -> list[tuple[str, str]]:
    kinds = [glossary()[kind] for kind in ("terms", "countries", "acronyms")] + [_data()["places"]]
    return [(dutch, english) for kind in kinds for dutch, all_ in kind.items() for english in all_]


@cache
def _whole(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(words)}(?:s|e)?(?![^\W_])", re.IGNORECASE)


@cache
def _place_names() -> frozenset[str]:
    kinds = (glossary()["countries"], _data()["places"])
    return frozenset(fold(n) for kind in kinds for dutch, english in kind.items() for n in (dutch, *english))


def _names(claim: str, lang: Language, source: str) -> list[tuple[str, int, int]]:
    found = [(m[0], m.start(), m.end()) for m in (*ACRONYM.finditer(claim), *_CODE.finditer(claim))]
    words = list(_MARKUP.finditer(claim))
    for i, match in enumerate(words):
        word = re.sub(r"['’]s$", "", match[0])
        lowered = fold(word)
        if not word[0].isupper() or _MONTHS.fullmatch(word) or _is_generic(lowered, lang):
            continue
        opens = i == 0 or claim[: match.start()].rstrip(" \"'“‘«(")[-1:] in ".?!:"
        if (not opens and lowered not in ("i",)) or (opens and _opens_with_name(words, i, lang, source)):
            found.append((word, match.start(), match.start() + len(word)))
    return found


def _is_generic(word: str, lang: Language) -> bool:
    """An institution that is no one's name, or in Dutch a compound that begins with one: `Raadsbesluit`."""
    known = _data()["institutions"][lang]
    compound = lang == "nl" and (word.startswith(tuple(known)) or (word.startswith("commissie") and len(word) > 10))
    return word in known or compound


def _opens_with_name(words: Sequence[re.Match[str]], i: int, lang: Language, source: str) -> bool:
    """Whether a sentence's first word is a name: a country, beside another capital, or nothing ordinary."""
    lowered = fold(words[i][0])
    if lowered in _place_names():
        return True
    if lowered in _STOPS or lowered in number_words(lang) or lowered in _EXTRA[lang]:
        return False
    following = words[i + 1][0] if i + 1 < len(words) else ""
    if following[:1].isupper() and not _is_generic(fold(following), lang):
        return True
    # A Dutch noun without an article is a plural, or a name: `Rotterdam krijgt …`.
    return lang == "nl" and not re.search(r"(?:en|s|te|de|ing)$", lowered) and lowered not in source
