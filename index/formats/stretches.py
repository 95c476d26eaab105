"""Lines of a page → stretches that belong together: paragraphs, and the rows of tables.

Knows nothing of headings or footnotes. A paragraph begins after a gap, an indent or a short line; in
a table wide gaps stand below each other.
"""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from index.formats.sheets import TextLine
from index.pages import Line

__all__ = ["Columns", "Placed", "Stretch", "stretches_of"]

_WIDE_GAP = 1.3
"""Lines further apart than so many times the usual distance belong to two paragraphs."""
_OFTEN = 0.08
_INDENT = 0.8
_LETTER = 0.5
"""The width of a letter, in sizes."""
_ENDED = re.compile(r"[.!?:;][\"”’»)\]⁰¹²³⁴⁵⁶⁷⁸⁹]*$")

Placed = tuple[Line, TextLine]
"""A line's words, and where it stands."""


@dataclass(slots=True)
class Stretch:
    """Lines that belong together; `level` above 0 makes them a heading, `rows` a table."""

    lines: list[Placed]
    level: int = 0
    title: bool = False
    table: bool = False


class Columns:
    """The usual distance of lines and the right edge of the text."""

    def __init__(self, pages: list[list[Placed]]) -> None:
        pitches: Counter[float] = Counter()
        for page in pages:
            for (_, a), (_, b) in pairwise(page):
                if 0 < a.bottom - b.bottom < 3 * a.size:
                    pitches[round((a.bottom - b.bottom) / max(a.size, b.size), 1)] += 1
        often = [pitch for pitch, count in pitches.items() if count >= _OFTEN * pitches.total()]
        self.pitch = min(often, default=1.2)  # in a text of one-line paragraphs the gap between them is the commonest
        self._right: dict[int, float] = {}
        for page in pages:
            for _, line in page:
                column = int(line.left // 40)
                self._right[column] = max(self._right.get(column, 0.0), line.right)

    def begins(self, before: Placed, after: Placed) -> bool:
        """Whether a paragraph begins between two lines of one page."""
        (first, a), (second, b) = before, after
        if abs(a.size - b.size) > 0.08 * a.size or a.bold != b.bold:
            return True
        distance = a.bottom - b.bottom
        ended = bool(_ENDED.search(first.text))
        if distance < -a.size:  # another column
            return ended and self._room(a) > _LETTER * a.size * len(_first_word(second.text))
        if distance > _WIDE_GAP * max(self.pitch, 1.0) * a.size:
            return True
        if ended and b.left - a.left > _INDENT * a.size:
            return True
        return ended and self._room(a) > _LETTER * a.size * (1 + len(_first_word(second.text))) + a.size

    def _room(self, line: TextLine) -> float:
        """How much of a line is empty at its end."""
        return self._right.get(int(line.left // 40), line.right) - line.right


def _first_word(text: str) -> str:
    return text.split(" ", 1)[0]


def stretches_of(page: list[Placed], columns: Columns) -> list[Stretch]:
    """The stretches of one page, in the order of its lines."""
    blocks: list[Stretch] = []
    i = 0
    while i < len(page):
        if (rows := _table_at(page, i)) > 1:
            blocks.append(Stretch(page[i : i + rows], table=True))
            i += rows
            continue
        fresh = not blocks or blocks[-1].table or columns.begins(page[i - 1], page[i])
        if fresh:
            blocks.append(Stretch([]))
        blocks[-1].lines.append(page[i])
        i += 1
    return blocks


def _table_at(page: list[Placed], start: int) -> int:
    """How many lines from `start` on are the rows of one table."""
    end = start + 1
    while end < len(page) and page[end - 1][1].is_row_like(page[end][1]):
        end += 1
    return end - start
