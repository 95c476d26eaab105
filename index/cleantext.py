"""Joins lines into the clean text, and keeps the page of every character.

Knows nothing of headings or footnotes beyond the mark characters that it takes out. A word split
over two lines is joined (`grens-⏎overschrijdende`), a compound that owns its hyphen keeps it
(`AI-⏎startups`), and a suspended hyphen keeps its space (`midden-⏎en kleinbedrijf`).
"""

import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from index.footnotes import number_of
from index.pages import Line

__all__ = ["CleanText", "Hyphenation"]

_SUSPENDED = re.compile(r"(?:en|of|en/of|tot|dan wel|respectievelijk|resp\.|als)(?![\w-])")
_LAST_WORD = re.compile(r"(?<![\w’'/-])[\w’'/-]*-$")
_LONGEST_WORD = 200
"""Characters that are looked back at from a line's end."""
_FIRST_WORD = re.compile(r"[\w’'-]+")
_KEEPS_HYPHEN = re.compile(r"(?:^|[-/])(?:[^\W_]*[A-Z0-9]|[a-z]|niet|non|ex|oud|vice|pro|anti|pan)-$")
"""Initials, digits and single letters (`AI-`, `COVID-19-`, `e-`), and prefixes that Dutch spells
with a hyphen before a name or another word."""


class Hyphenation:
    """Decides what a hyphen at a line's end was, with the document's own words as witness.

    >>> Hyphenation(["een publiek-private aanpak"]).glue("publiek-", "private")
    'publiek-private'
    >>> Hyphenation([]).glue("grens-", "overschrijdende")
    'grensoverschrijdende'
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        for line in lines:
            self._words.update(word.lower() for word in re.findall(r"(?<![\w-])[\w-]*\w", line))

    def glue(self, before: str, after: str) -> str:
        """`before` (which ends in a hyphen) and the word `after`, as a person reads them."""
        dropped, between = self.between(before, after)
        return (before[:-1] if dropped else before) + between + after

    def between(self, before: str, after: str) -> tuple[bool, str]:
        """Whether the hyphen of `before` goes, and what comes between it and `after`."""
        if _SUSPENDED.match(after):
            return False, " "
        if _KEEPS_HYPHEN.search(before) or after[:1].isupper():
            return False, ""
        first = (_FIRST_WORD.match(after) or [after])[0].lower()
        last = before[:-1].rsplit("/", 1)[-1].lower()
        hyphened, joined = self._words[f"{last}-{first}"], self._words[last + first]
        return hyphened <= joined, ""


class CleanText:
    """Builds the clean text paragraph by paragraph.

    After `finish`, `text` is the clean text and `page_starts`/`page_numbers` map it to pages.
    `anchors` holds, for each footnote, the offset at which its mark stood.
    """

    def __init__(self, hyphenation: Hyphenation) -> None:
        self._hyphenation = hyphenation
        self._parts: list[str] = []
        self._pages = array("I")
        self._length = 0
        self.anchors: dict[int, int] = {}

    def add(self, lines: Sequence[Line]) -> tuple[int, int]:
        """Append one paragraph made of `lines`; returns its start and end (equal when it is empty)."""
        chars, pages = self._join(lines)
        kept: list[tuple[str, int]] = []
        marks: list[tuple[int, int]] = []
        for char, page in zip(chars, pages, strict=True):
            number = number_of(char)
            if number is not None:
                marks.append((number, len(kept)))
            elif char != " " or (kept and kept[-1][0] != " "):
                kept.append((char, page))
        while kept and kept[-1][0] == " ":
            kept.pop()
        if not kept:
            return self._length, self._length
        if self._length:
            self._append("\n\n", [self._pages[-1]] * 2)
        start = self._length
        self._append("".join(c for c, _ in kept), [p for _, p in kept])
        self.anchors.update({number: start + min(at, len(kept)) for number, at in marks})
        return start, self._length

    def finish(self) -> tuple[str, list[int], list[int]]:
        """The clean text, the offsets where the page changes, and the page from each on."""
        starts, numbers = [0], [self._pages[0] if self._pages else 1]
        for i, page in enumerate(self._pages):
            if page != numbers[-1]:
                starts.append(i)
                numbers.append(page)
        return "".join(self._parts), starts, numbers

    def _append(self, text: str, pages: list[int]) -> None:
        self._parts.append(text)
        self._pages.extend(pages)
        self._length += len(text)

    def _join(self, lines: Sequence[Line]) -> tuple[str, list[int]]:
        parts: list[str] = []
        tail = ""  # the last characters of what was joined so far
        length = 0
        ends: list[int] = []
        owners: list[int] = []
        for line in lines:
            piece = line.text.strip()
            if not piece:
                continue
            if tail:
                dropped, between = self._glue(tail, piece)
                if dropped:  # a hyphen that went belonged to the line before
                    parts[-1], tail, length = parts[-1][:-1], tail[:-1], length - 1
                ends[-1] = length
                piece = between + piece
            parts.append(piece)
            tail = (tail + piece)[-_LONGEST_WORD:]
            length += len(piece)
            ends.append(length)
            owners.append(line.page)
        return "".join(parts), [owners[bisect_left(ends, i + 1)] for i in range(length)]

    def _glue(self, tail: str, piece: str) -> tuple[bool, str]:
        """Whether the hyphen at the end of `tail` goes, and what stands between it and `piece`."""
        last = _LAST_WORD.search(tail) if tail.endswith("-") else None
        if last and len(last[0]) > 1 and re.match(r"\w", piece):
            return self._hyphenation.between(last[0], piece)
        if re.search(r"\w/$", tail[-2:]) or (re.search(r"\d–$", tail[-2:]) and piece[0].isdigit()):
            return False, ""
        return False, " "
