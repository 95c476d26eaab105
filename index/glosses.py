"""Says of a template heading what it is about, in the words that people ask with.

Knows nothing of documents. `Behandelingstraject Raad` is what every fiche calls the Council
formation, and nobody else does; the glosses in `data/headings.json` stand beside such a heading in
what is embedded, never in what is shown.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Literal

__all__ = ["gloss"]


@cache
def _glosses() -> dict[str, list[tuple[re.Pattern[str], str]]]:
    stored = json.loads((files("index") / "data" / "headings.json").read_text(encoding="utf-8"))
    return {
        kind: [(re.compile(pattern, re.IGNORECASE), words) for pattern, words in stored[kind].items()]
        for kind in ("field", "section")
    }


def gloss(heading: str, kind: Literal["field", "section"], *, english: bool = False) -> str:
    """What `heading` is about, or nothing for one that is not of the template.

    A gloss is Dutch and English, or only its `english` part for a text that is.

    >>> gloss("Rechtsbasis", "field")
    'juridische grondslag, verdragsartikel; legal basis, Treaty article'
    """
    found = next((words for pattern, words in _glosses()[kind] if pattern.search(heading)), "")
    return found.partition("; ")[2] if english else found
