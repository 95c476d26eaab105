"""Tells what kind of thing a question asks for, and whether a text holds such a thing.

Knows nothing of search or answers. Late interaction sees what a text is about, not whether it
says how many, when or why; the few surface signs in `data/kinds.json` do, in both languages.
"""

import json
import re
from importlib.resources import files
from typing import Literal, get_args

__all__ = ["KINDS", "Kind", "expected_kinds", "holds"]

Kind = Literal["number", "money", "date", "actor", "reason", "purpose", "place", "reference", "definition"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_stored = json.loads((files("rag") / "data" / "kinds.json").read_text(encoding="utf-8"))
_asks = {kind: re.compile(rf"\b(?:{'|'.join(_stored['asks'][kind])})\b", re.IGNORECASE) for kind in KINDS}
_holds = {
    kind: re.compile("|".join(_stored["holds"][kind]), re.NOFLAG if kind in _stored["cased"] else re.IGNORECASE)
    for kind in KINDS
}


def expected_kinds(question: str) -> frozenset[Kind]:
    """The kinds of thing that an answer to `question` may be expected to hold.

    >>> sorted(expected_kinds("Hoeveel lidstaten doen mee?"))
    ['number']
    """
    found = {kind for kind, pattern in _asks.items() if pattern.search(question)}
    if "money" in found:
        found.discard("number")
    if found - {"definition"}:
        found.discard("definition")
    return frozenset(found)


def holds(text: str, kind: Kind) -> bool:
    """Whether `text`, which is Dutch, shows a thing of that kind."""
    return bool(_holds[kind].search(text))
