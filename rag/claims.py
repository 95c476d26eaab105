"""Takes what a model writes apart into claims: sentences, each with the numbers of the passages that it cites.

Knows nothing of passages, and whether a number exists. Text may come in pieces: a claim is given as soon
as the next one begins, for only then all its markers are there. Dressing that models put around an
answer (bullets, bold, `Antwoord:`, what they thought aloud) is taken off.
"""

import re
from dataclasses import dataclass

from index.sentences import split_sentences

__all__ = ["Claim", "Claims", "split_claims"]

_MARKER = re.compile(r"\s*[\[【(]\s*(\d{1,3}(?:\s*[,;&]\s*\d{1,3}|\s+(?:en|and)\s+\d{1,3})*)\s*[\]】)](?!\()")
_MARKERS_FIRST = re.compile(rf"(?:{_MARKER.pattern})+")
_BRACKETED = re.compile(r"\s*[\[【][^\[\]【】]{0,40}[\]】]")
_DRESSING = re.compile(r"^(?:[-*•–]\s+|\d{1,2}[.)]\s+|#+\s*|>\s*)+")
_LABEL = re.compile(r"^(?:het )?(?:antwoord|answer)\s*:\s*", re.IGNORECASE)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_MARKUP = re.compile(
    r"\*\*|__|`+|~~|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)|</?\w[^>]*>|!\[[^\]]*\]\([^)]*\)|\[([^\]]*)\]\([^)]*\)"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a model wrote, without its markers, and what it cites."""

    text: str
    cites: tuple[int, ...] = ()
    whole: bool = True
    """Whether it ends like a sentence, or at least in a marker: else it may have been cut."""


class Claims:
    """Text that comes in pieces → claims as they are finished."""

    def __init__(self) -> None:
        self._text = ""
        self._given = 0

    def feed(self, piece: str) -> list[Claim]:
        """The claims that are finished now that `piece` has come."""
        self._text += piece
        if "<think>" in self._text and "</think>" not in self._text:
            return []
        finished = re.sub(r"[\[【(][^\]】)]*$", "", self._text)  # a marker may be on its way
        return self._new(split_claims(finished)[:-1])

    def close(self) -> list[Claim]:
        """The claims that are left when nothing comes any more."""
        return self._new(split_claims(self._text))

    def _new(self, claims: list[Claim]) -> list[Claim]:
        found = claims[self._given :]
        self._given = max(self._given, len(claims))
        return found


def split_claims(text: str) -> list[Claim]:
    """The claims of a text.

    >>> split_claims("Zeven doen mee. [1][2] Frankrijk host [3].")
    [Claim(text='Zeven doen mee.', cites=(1, 2), whole=True), Claim(text='Frankrijk host.', cites=(3,), whole=True)]
    """
    found: list[Claim] = []
    for line in _THOUGHT.sub("", text).split("\n"):
        bare = _LABEL.sub("", _DRESSING.sub("", line.strip()))
        for start, end in split_sentences(bare):
            _take(bare[start:end], found)
    return found


def _take(fragment: str, found: list[Claim]) -> None:
    """Add a fragment; markers at its front belong to the claim before, where that has none."""
    opening = _MARKERS_FIRST.match(fragment)
    own: tuple[int, ...] = ()
    if opening:
        fragment = fragment[opening.end() :]
        if found and not found[-1].cites:
            found[-1] = Claim(found[-1].text, _cited(opening[0]))
        elif not found or fragment.strip():
            own = _cited(opening[0])
    words, cites = _plain(fragment), _cited(fragment) or own
    if re.search(r"\w", words):
        found.append(Claim(words, cites, whole=bool(cites) or words[-1:] in ".!?…”\"'»"))


def _cited(text: str) -> tuple[int, ...]:
    numbers = [int(number) for match in _MARKER.finditer(text) if _is_marker(match) for number in _figures(match[1])]
    return tuple(dict.fromkeys(numbers))


def _figures(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def _is_marker(match: re.Match[str]) -> bool:
    """`[3]`, or `(3)` at the end of a sentence; `artikel 4(3)` is none."""
    bracket = match[0].strip()[0]
    return bracket in "[【" or match.string[match.end() :].strip() in ("", ".", "!", "?")


def _plain(text: str) -> str:
    bare = _MARKER.sub(lambda match: "" if _is_marker(match) else match[0], text)
    bare = _BRACKETED.sub("", _MARKUP.sub(lambda match: match[1] or "", bare))
    return re.sub(r"\s+([.,;:!?])", r"\1", " ".join(bare.split())).strip()
