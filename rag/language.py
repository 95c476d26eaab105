"""Tells whether a question is Dutch or English; knows nothing of documents or answers.

Function words decide first: `wie leidt de AI Office` is Dutch, whatever its names look like.
Where there are none, lingua judges the words that are no names, and where it cannot tell (a bare
`ALT-EDIC`), the caller's default stands.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

from index.lexicon import word_list
from index.records import Language

__all__ = ["Language", "detect_language"]

_DUTCH = word_list("dutch_cues")
_ENGLISH = word_list("english_cues")
_SURE = 0.75
"""Lingua's probability from which its word is taken for a question without function words."""


@cache
def _detector() -> "LanguageDetector":
    from lingua import Language as Lingua
    from lingua import LanguageDetectorBuilder

    return LanguageDetectorBuilder.from_languages(Lingua.DUTCH, Lingua.ENGLISH).build()


def detect_language(question: str, default: Language = "nl") -> Language:
    """The language of `question`; `default` when it holds nothing but names, numbers or signs.

    >>> detect_language("Wat is GenAI4EU?"), detect_language("observers in ALT-EDIC")
    ('nl', 'en')
    """
    words = re.findall(r"[^\W\d_]+(?:['’-][^\W_]+)*", question)
    lowered = [word.lower().replace("’", "'") for word in words]
    dutch, english = sum(w in _DUTCH for w in lowered), sum(w in _ENGLISH for w in lowered)
    if dutch != english:
        return "nl" if dutch > english else "en"
    plain = [w for i, w in enumerate(words) if not _is_name(w, first=i == 0)]
    if not plain:
        return default
    from lingua import Language as Lingua

    english_share = _detector().compute_language_confidence(" ".join(plain).lower(), Lingua.ENGLISH)
    if english_share >= _SURE:
        return "en"
    return "nl" if english_share <= 1 - _SURE else default


def _is_name(word: str, *, first: bool) -> bool:
    """Capitals within a word, or at its front past the first word, mark a name."""
    return any(char.isupper() for char in word[1:]) or (word[0].isupper() and not first)
