"""Splits a Dutch paragraph into sentences; knows nothing of documents.

A full stop ends a sentence unless it belongs to an abbreviation, an initial or an ordinal. Some
abbreviations may stand at a sentence's end (`jl.`, `enz.`); those end it only when what follows
is a word that hardly ever starts a name.
"""

import re

from index.lexicon import word_list

__all__ = ["split_sentences"]

_NEVER_LAST = word_list("abbreviations_never_last")
_MAYBE_LAST = word_list("abbreviations_maybe_last")
_OPENERS = word_list("sentence_openers")
_END = re.compile(r"(?<![.!?…])([.!?…]+)([\"”’'»)\]]*)\s+(?=[\"“‘«(\[]*(?:[A-ZÀ-ÖØ-Þ0-9€]|’[a-z]|-\w|[a-z]+[A-Z]))")
_TOKEN = re.compile(r"(?<![^\s\"“‘«(\[])[^\s\"“‘«(\[]+$")
_WORD = re.compile(r"[\"“‘«(\[]*([\w’'-]+)")
_DOTTED = re.compile(r"^(?:[a-z]\.){2,}$")
"""`o.a.`, `m.b.t.` and whatever else is made of single letters."""
_BRACKETS = 200
"""Characters: what opened a bracket longer ago than this has forgotten to close it."""
_INITIALS = re.compile(r"^[A-Z]\.(?:-?[A-Z]\.)*$")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence; together they cover all but the spaces between them.

    >>> text = "Op 24 januari jl. kwam zij o.a. met art. 4. Het kabinet is positief."
    >>> [text[a:b] for a, b in split_sentences(text)]
    ['Op 24 januari jl. kwam zij o.a. met art. 4.', 'Het kabinet is positief.']
    """
    spans: list[tuple[int, int]] = []
    sentence = _Sentence(text, 0)
    for end in _END.finditer(text):
        if sentence.ends_at(end):
            spans.append((sentence.start, end.end(2)))
            sentence = _Sentence(text, end.end())
    tail = len(text.rstrip())
    if sentence.start < tail:
        spans.append((sentence.start, tail))
    return spans


class _Sentence:
    """One sentence, as far as it was read: each stop in it is looked at from where the last one was."""

    def __init__(self, text: str, start: int) -> None:
        self.text, self.start = text, start
        self._read = start
        self._open = 0
        self._opened_at = -1
        self._words = next((i for i in range(start, len(text)) if not text[i].isspace()), len(text))

    def ends_at(self, end: re.Match[str]) -> bool:
        """Whether the stop `end` ends it."""
        found = _TOKEN.search(self.text, self._read, end.end(1))
        self._count(end.end(1))
        if end[1] != ".":
            return not self._inside_brackets(end)
        token = found[0] if found else ""
        lowered = token.lower()
        word = _WORD.match(self.text, end.end())
        following = word[1].lower() if word else ""
        if lowered in _NEVER_LAST or _INITIALS.search(token):
            return False
        if lowered in _MAYBE_LAST or _DOTTED.search(lowered):
            return following in _OPENERS
        if found and re.fullmatch(r"\d{1,2}\.", token):  # an ordinal (`1. Inleiding`) opens; a number may close
            return found.start() != self._words and (following in _OPENERS or not following.isdigit())
        return not self._inside_brackets(end)

    def _count(self, stop: int) -> None:
        """Keep account of the brackets before `stop`."""
        self._open += self.text.count("(", self._read, stop) - self.text.count(")", self._read, stop)
        self._opened_at = max(self._opened_at, self.text.rfind("(", self._read, stop))
        self._read = stop

    def _inside_brackets(self, end: re.Match[str]) -> bool:
        """Whether the stop stands within brackets that are still open after it."""
        return self._open > end[2].count(")") and end.end(1) - self._opened_at < _BRACKETS
