"""Pages of lines that stand somewhere, and which of those lines run along with the pages.

Knows nothing of PDF, nor of paragraphs. Running lines stand at the same height of several pages, in
the margin and apart from the text.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.pages import is_page_furniture, is_page_number

__all__ = ["Bookmark", "Cut", "Sheet", "TextLine", "body_size", "without_running_lines"]

_EDGE = 0.12
"""Running lines stand in so much of the page's height at its top and its foot."""
_ALIGNED = 3.0
"""Edges at most so many points apart are below each other."""
_GAP_SIZES = 1.6
_OUTER = 3
"""Running lines are among so many at the top or the foot of the page."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A wide gap in a line, where another cell of a table may begin."""

    place: int
    """Of the character after it in the line's text."""
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line, and where it stands."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    bold: bool
    cuts: tuple[Cut, ...] = ()

    def cells(self) -> tuple[str, ...]:
        """The text parted at its wide gaps."""
        ends = [0, *(cut.place for cut in self.cuts), len(self.text)]
        return tuple(self.text[a:b].strip() for a, b in pairwise(ends))

    def edges(self) -> list[tuple[float, float]]:
        """Left and right of each cell."""
        lefts = [self.left, *(cut.right for cut in self.cuts)]
        return list(zip(lefts, [*(cut.left for cut in self.cuts), self.right], strict=True))

    def is_row_like(self, other: "TextLine") -> bool:
        """Whether the cells of two lines stand below each other, by their left or their right edges."""
        pairs = list(zip(self.edges(), other.edges(), strict=False))
        aligned = all(min(abs(a[0] - b[0]), abs(a[1] - b[1])) < _ALIGNED for a, b in pairs)
        return len(self.cuts) == len(other.cuts) > 0 and aligned


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page."""

    number: int
    height: float
    lines: tuple[TextLine, ...]


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the outline that a file brings along."""

    level: int
    title: str
    page: int


def body_size(sheets: Sequence[Sheet]) -> float:
    """The size that most of the text is set in."""
    sizes: Counter[float] = Counter()
    for sheet in sheets:
        for line in sheet.lines:
            sizes[round(2 * line.size) / 2] += len(line.text)
    return max(sizes, key=lambda size: sizes[size], default=10.0)


def without_running_lines(sheets: Sequence[Sheet]) -> list[Sheet]:
    """The pages without page numbers, and without lines that stand at the same height of several pages."""
    seen: Counter[tuple[str, int]] = Counter()
    edges = [_edge_lines(sheet) for sheet in sheets]
    for edge in edges:
        seen.update({key for line in edge for key in _keys(line)})
    several = 2 if len(sheets) < 8 else 3
    kept = []
    for sheet, edge in zip(sheets, edges, strict=True):
        lines = [
            line
            for line in sheet.lines
            if not (line in edge and (is_page_number(line.text) or any(seen[key] >= several for key in _keys(line))))
            and not is_page_furniture(line.text)
        ]
        kept.append(Sheet(sheet.number, sheet.height, tuple(lines)))
    return kept


def _edge_lines(sheet: Sheet) -> list[TextLine]:
    """The outermost lines in the margins of a page that stand apart from the text."""
    lines = sorted(sheet.lines, key=lambda line: line.bottom)
    top, foot = (1 - _EDGE) * sheet.height, _EDGE * sheet.height
    low = [line for line in _apart(lines) if line.top < foot]
    return low + [line for line in _apart(lines[::-1]) if line.bottom > top]


def _apart(lines: Sequence[TextLine]) -> Sequence[TextLine]:
    """The lines at the front, which is one edge of the page, up to the last wide gap among the first few."""
    heights = sorted({line.bottom for line in lines}, key=[line.bottom for line in lines].index)[: _OUTER + 1]
    ends = [i for i, (a, b) in enumerate(pairwise(heights), 1) if abs(a - b) > _GAP_SIZES * lines[0].size]
    return [line for line in lines if line.bottom in heights[: ends[-1]]] if ends else ()


def _keys(line: TextLine) -> list[tuple[str, int]]:
    """A line's words, digits aside, with its height on the page, up to a few points."""
    words = re.sub(r"\d+", "#", line.text.strip().lower())
    return [(words, int(line.bottom // 6)), (words, int((line.bottom + 3) // 6) - 1_000_000)]
