"""Completes a question that cannot stand alone with what the conversation was about.

Knows nothing of documents or answers, and keeps nothing: the earlier questions are given to it. It
recognises a follow-up by a few signs, and changes nothing where it sees none; what it makes is
shown to the user, and is a question that finds the passage rather than fine prose. Which of several
`readings` is meant it cannot tell: `rag.understanding` does, by what the index holds.
"""

import re
from collections.abc import Sequence

from index.lexicon import word_list

__all__ = ["complete", "leans", "readings"]

_OPENS = re.compile(r"(?:en|and|maar|but|ook|also|en ook)\s+(?=\w)", re.IGNORECASE)
_POINTS = re.compile(
    r"\b(?:die|dat|deze|ze|zij|hij|hen|hun|daar\w*|hier\w*|ervan|erover|it|its|they|them|their|those|that|these|he|she)\b"
    r"|\b(?:er|there)(?=\s*(?:\?|$|daarvan\b))"
    r"|\b(?:het|dit|this)(?=\s*(?:\?|$|te\b|nu\b|ook\b|leiden\b))",
    re.IGNORECASE,
)
"""Words that point back; `het` and `dit` only where no noun follows, for they are articles as well."""
_ASKS = re.compile(
    r"\b(?:wie|wat|waar\w*|wanneer|hoe\w*|welke?|who\w*|what|where|when|how|which|why|much|many|voor|van|in|"
    r"of|op|bij|aan|with|for|on|at|by|soort|kind)\b",
    re.IGNORECASE,
)
_LAST_PHRASE = re.compile(r"\b(over|voor|van|bij|about|for|of)\s+(?!.*\b(?:over|voor|van|bij|about|for|of)\b)(.+?)\??$")
_SHORT = 3
"""A question of so few words without a name leans on what came before: `In welke stad?`."""
_LONG = 8
"""From so many words on, a word that points back points within the question."""


def complete(question: str, history: Sequence[str]) -> str:
    """`question`, made to stand alone where it leans on the last of the questions before it.

    >>> complete("En proportionaliteit?", ["Wat is het oordeel over subsidiariteit?"])
    'Wat is het oordeel over proportionaliteit?'
    >>> complete("Wie host het?", ["Hoeveel lidstaten zijn lid van ALT-EDIC?"])
    'Wie host het (ALT-EDIC)?'
    """
    earlier = next((asked for asked in reversed(history) if asked.strip()), "")
    return _about(question, earlier) if earlier and leans(question) else question


def readings(question: str, history: Sequence[str]) -> list[str]:
    """What a question may mean in a conversation: what it says, that of what was asked last, or of the first topic.

    Only itself where it is long, or names what it is about, so that it stands alone.

    >>> readings("Tot wanneer loopt die?", ["Wat doet de NLAIC?", "Hoeveel subsidie krijgt ROBUST?"])
    ['Tot wanneer loopt die?', 'Tot wanneer loopt die (ROBUST)?', 'Tot wanneer loopt die (NLAIC)?']
    """
    asked = [earlier for earlier in history if earlier.strip()]
    if not asked or not (leans(question) or _is_bare(question)):
        return [question]
    return list(dict.fromkeys([question, _about(question, asked[-1]), _about(question, asked[0])]))


def _about(question: str, earlier: str) -> str:
    """The question, said of what an earlier one was about."""
    if (swapped := _swapped(question, earlier)) is not None:
        return swapped
    bare = question.strip().rstrip("?!. ")
    subject = _subject(earlier, bare)
    return f"{bare} ({subject})?" if subject else question


def _is_bare(question: str) -> bool:
    """Whether it is short and names nothing: it may stand alone, or not."""
    words = re.findall(r"[\w’'-]+", question)
    return (
        len(words) <= _LONG
        and not any(any(c.isupper() or c.isdigit() for c in word[1:]) for word in words)
        and (not any(word[0].isupper() for word in words[1:]))
    )


def leans(question: str) -> bool:
    """Whether a question shows signs that it cannot be understood without the one before it."""
    words = re.findall(r"[\w’'-]+", question)
    named = any(any(c.isupper() or c.isdigit() for c in word[1:]) for word in words) or any(
        word[0].isupper() for word in words[1:]
    )
    if _OPENS.match(question):
        return True
    short = len(words) <= _SHORT and bool(_ASKS.match(question))
    return not named and (short or (len(words) < _LONG and bool(_POINTS.search(question))))


def _swapped(question: str, earlier: str) -> str | None:
    """The earlier question about something else: `En voor industriebeleid?`, which asks nothing of its own."""
    opening = _OPENS.match(question)
    if not opening:
        return None
    rest = question[opening.end() :].strip().rstrip("?!. ")
    phrase = re.sub(r"^(?:over|voor|van|bij|about|for|of)\s+", "", rest)
    place = _LAST_PHRASE.search(earlier)
    if place is None or _ASKS.match(phrase) or _POINTS.search(rest) or len(rest.split()) > 2 * _SHORT:
        return None
    return f"{earlier[: place.start(2)]}{phrase}?"


def _subject(earlier: str, question: str) -> str:
    """The names of the earlier question, or the words in it that mean something; not those asked anew."""
    inside = re.search(r"\(([^()]+)\)\?$", earlier)
    if inside:
        return inside[1]
    words = [word.removesuffix("’s") for word in re.findall(r"[\w’'-]+", earlier)]
    common = word_list("dutch_cues") | word_list("english_cues") | word_list("manners")
    asked = {word.lower() for word in re.findall(r"[\w’'-]+", question)}
    kept = [len(w) > 2 and w.lower() not in common | asked and not _ASKS.fullmatch(w) for w in words]
    named = [any(c.isupper() for c in w[1:]) or (i > 0 and w[0].isupper()) for i, w in enumerate(words)]
    about = [w for i, w in enumerate(words) if named[i] or (i > 0 and named[i - 1] and kept[i])]
    if not any(len(word) > 2 for word in about):
        about = [w for w, keep in zip(words, kept, strict=True) if keep]
    return " ".join(about)
