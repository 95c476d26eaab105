"""The terms of EU and Dutch government texts in both languages, from `data/glossary.json`.

Knows nothing of what they are used for: a translation must keep to them, and by them the
names of an English question are known in a Dutch text.
"""

import json
import re
from functools import cache
from importlib.resources import files

__all__ = ["english_terms", "glossary", "terms_in"]


@cache
def glossary() -> dict[str, dict[str, list[str]]]:
    """Dutch words with their English, by kind: `terms`, `countries`, `acronyms`, `numbers`."""
    stored = json.loads((files("index") / "data" / "glossary.json").read_text(encoding="utf-8"))
    return {kind: words for kind, words in stored.items() if kind != "about"}


def terms_in(text: str) -> dict[str, str]:
    """The glossary's terms that `text` has, with their preferred English."""
    found = {}
    for kind in ("terms", "countries", "acronyms"):
        for dutch, english in glossary()[kind].items():
            if re.search(rf"(?<![^\W_]){re.escape(dutch)}(?![^\W_])", text, 0 if dutch[0].isupper() else re.IGNORECASE):
                found[dutch] = english[0]
    return found


@cache
def _by_english() -> list[tuple[re.Pattern[str], str, str]]:
    pairs = [
        (en, nl) for kind in ("terms", "countries", "acronyms") for nl, all_ in glossary()[kind].items() for en in all_
    ]
    return [(re.compile(rf"(?<![^\W_]){re.escape(en)}(?![^\W_])", re.IGNORECASE), en, nl) for en, nl in pairs]


def english_terms(text: str) -> list[tuple[str, str]]:
    """The glossary's English terms that `text` has, each with its Dutch.

    >>> english_terms("What does the AI Act say on venture capital?")
    [('venture capital', 'durfkapitaal'), ('AI Act', 'AI-verordening')]
    """
    return [(en, nl) for pattern, en, nl in _by_english() if pattern.search(text)]
