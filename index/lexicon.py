"""The lists of Dutch and English words in `data/words.json`; knows nothing of what they are for."""

import json
from functools import cache
from importlib.resources import files

__all__ = ["word_list"]


@cache
def _lists() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((files("index") / "data" / "words.json").read_text(encoding="utf-8"))
    return found


def word_list(name: str) -> frozenset[str]:
    """The words of the list `name`."""
    return frozenset(_lists()[name])
