"""Turns text into the words that keyword search compares; knows nothing of indexes.

Lower case, accents folded, function words dropped, endings stemmed (Snowball) by the language. A compound
with hyphens counts as a whole and as its parts, so that `AI-verordening` is met by `verordening`.
"""

import re
import unicodedata

import Stemmer

from index.lexicon import word_list
from index.records import Language

__all__ = ["DUTCH_STOPWORDS", "ENGLISH_STOPWORDS", "fold", "raw_words", "terms"]

DUTCH_STOPWORDS = word_list("dutch_stopwords")
ENGLISH_STOPWORDS = word_list("english_stopwords")
_WORD = re.compile(r"[^\W_]+(?:[-/.’'][^\W_]+)*")
_LANGUAGES = {
    "nl": (Stemmer.Stemmer("dutch"), DUTCH_STOPWORDS),
    "en": (Stemmer.Stemmer("english"), ENGLISH_STOPWORDS),
}


def fold(text: str) -> str:
    """Lower case without accents: `Coördinatie` becomes `coordinatie`."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def raw_words(text: str) -> list[str]:
    """The words as written, compounds whole: `AI-verordening`, `26`, `o.a`."""
    return _WORD.findall(text)


def terms(text: str, lang: Language = "nl") -> list[str]:
    """Stemmed content words in order, a hyphened compound followed by its parts.

    >>> terms("De lidstaten en de AI-verordening")
    ['lidstaat', 'ai-verorden', 'ai', 'verorden']
    """
    stemmer, stopwords = _LANGUAGES[lang]
    found: list[str] = []
    for word in raw_words(text):
        folded = fold(word)
        parts = re.split(r"[-/.’']", folded)
        own = [folded, *parts] if len(parts) > 1 else [folded]
        found += [stemmer.stemWord(term) for term in own if term and term not in stopwords]
    return found
