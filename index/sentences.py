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
_TOKEN = re.compile(r"[^\s\"“‘«(\[]+$")
_DOTTED = re.compile(r"^(?:[a-z]\.){2,}$")
"""`o.a.`, `m.b.t.` and whatever else is made of single letters."""
_INITIALS = re.compile(r"^[A-Z]\.(?:-?[A-Z]\.)*$")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence; together they cover all but the spaces between them.

    >>> text = "Op 24 januari jl. kwam zij o.a. met art. 4. Het kabinet is positief."
    >>> [text[a:b] for a, b in split_sentences(text)]
    ['Op 24 januari jl. kwam zij o.a. met art. 4.', 'Het kabinet is positief.']
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for end in _END.finditer(text):
        stop = end.end(2)
        if _ends_sentence(text[start : end.end(1)], end, text):
            spans.append((start, stop))
            start = end.end()
    tail = len(text.rstrip())
    if start < tail:
        spans.append((start, tail))
    return spans


def _ends_sentence(before: str, end: re.Match[str], text: str) -> bool:
    if end[1] != ".":
        return not _inside_brackets(before, end)
    found = _TOKEN.search(before)
    token = found[0] if found else ""
    lowered = token.lower()
    word = re.match(r"[\"“‘«(\[]*([\w’'-]+)", text[end.end() :])
    following = word[1].lower() if word else ""
    if lowered in _NEVER_LAST or _INITIALS.search(token):
        return False
    if lowered in _MAYBE_LAST or _DOTTED.search(lowered):
        return following in _OPENERS
    if re.fullmatch(r"\d{1,2}\.", token):  # an ordinal (`1. Inleiding`) opens; a number may close
        return before.strip() != token and (following in _OPENERS or not following.isdigit())
    return not _inside_brackets(before, end)


def _inside_brackets(before: str, end: re.Match[str]) -> bool:
    """Whether the stop stands within brackets that are still open after it."""
    closing = end[2].count(")")
    opened = before.count("(") - before.count(")") - closing
    return opened > 0 and len(before) - before.rfind("(") < 200
