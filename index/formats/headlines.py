"""Says which stretches of a text are headings: by the file's bookmarks, or else by how they look.

Knows nothing of numbers before headings: what is numbered is recognised without this.
"""

import re
from collections.abc import Sequence

from index.formats.sheets import Bookmark
from index.formats.stretches import Stretch

__all__ = ["mark_headings"]

_LARGE = 1.12
_NORMAL = 0.93
"""A heading in the text's own size may be a little smaller than it."""
_HEADING_WORDS = 25


def mark_headings(pages: list[list[Stretch]], bookmarks: Sequence[Bookmark], size: float) -> None:
    """Say which blocks are headings, by the bookmarks or else by how they look."""
    if _mark_by_bookmarks(pages, bookmarks) < 2:
        _mark_by_looks(pages, size)
    first = next((block for page in pages for block in page if not block.table), None)
    if first and not first.title and first.lines[0][1].size >= _LARGE * size and _is_short(first):
        sizes = [block.lines[0][1].size for page in pages for block in page]
        first.title = sum(s >= first.lines[0][1].size for s in sizes) == 1
    if first and first.title:
        first.level = 0


def _mark_by_bookmarks(pages: list[list[Stretch]], bookmarks: Sequence[Bookmark]) -> int:
    met = 0
    for bookmark in bookmarks:
        if not 0 < bookmark.page <= len(pages) or not (wanted := _bare(bookmark.title)):
            continue
        page = pages[bookmark.page - 1]
        for i, block in enumerate(page):
            if block.level or block.table:
                continue
            taken = _lines_of(block, wanted)
            if taken:
                rest = block.lines[taken:]
                block.lines, block.level = block.lines[:taken], bookmark.level
                page[i + 1 : i + 1] = [Stretch(rest)] if rest else []
                met += 1
                break
    return met


def _lines_of(block: Stretch, wanted: str) -> int:
    """How many lines at the front of a block are that title; 0 where it says something else."""
    said = ""
    for taken, (line, _) in enumerate(block.lines[:4], 1):
        said += _bare(line.text)
        if said == wanted:
            return taken
        if not wanted.startswith(said):
            return 0
    return 0


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


def _mark_by_looks(pages: list[list[Stretch]], size: float) -> None:
    blocks = [block for page in pages for block in page if not block.table]
    bold = sum(len(block.lines) for block in blocks if block.lines[0][1].bold)
    telling = bold < 0.3 * sum(len(block.lines) for block in blocks)
    looks: dict[int, float] = {}
    for i, block in enumerate(blocks):
        line = block.lines[0][1]
        larger = line.size >= _LARGE * size
        if _is_short(block) and (larger or (telling and line.bold and line.size >= _NORMAL * size)):
            looks[i] = round(line.size, 0) + (0.5 if line.bold else 0)
    ranks = sorted(set(looks.values()), reverse=True)
    for i, look in looks.items():
        blocks[i].level = 1 + ranks.index(look)


def _is_short(block: Stretch) -> bool:
    text = " ".join(line.text for line, _ in block.lines)
    words = text.split()
    return (
        len(block.lines) <= 4
        and 0 < len(words) <= _HEADING_WORDS
        and text[-1] not in ".;,:"
        and any(char.isalpha() for char in text)
    )
