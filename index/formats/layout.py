"""Makes a document of lines that stand somewhere on a page: paragraphs, headings, footnotes, tables.

Knows nothing of PDF. What a person sees is what it goes by: footnotes stand in small type below the
text, and begin with the number that the text refers to.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from index.footnotes import FootnoteLines, marked_numbers, place_marks, split_footnotes
from index.formats.elements import Draft, Element, table_elements
from index.formats.headlines import mark_headings
from index.formats.sheets import Bookmark, Sheet, TextLine, body_size, without_running_lines
from index.formats.stretches import Columns, Placed, Stretch, stretches_of
from index.outline import runs_on, text_width
from index.pages import Line, normalise

__all__ = ["lay_out"]

_SMALL = 0.93
"""Footnotes are set in at most this share of the text's size."""
_NOTE = re.compile(r"^\s*\[?(\d{1,4}|[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})\]?(?=\s|[^\W\d])\s*")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def lay_out(sheets: Sequence[Sheet], bookmarks: Sequence[Bookmark], properties: Mapping[str, str]) -> Draft:
    """The document that stands on these pages."""
    sheets = without_running_lines(sheets)
    size = body_size(sheets)
    pages = [[(Line(normalise(line.text).strip(), sheet.number), line) for line in sheet.lines] for sheet in sheets]
    pages = [[placed for placed in page if placed[0].text] for page in pages]
    bodies, notes = _part_notes(pages, size)
    columns = Columns(bodies)
    blocks = [stretches_of(page, columns) for page in bodies]
    mark_headings(blocks, bookmarks, size)
    if not notes:
        blocks, notes = _notes_by_place(blocks)
    marked = _with_marks(blocks, notes)
    return Draft(tuple(_elements(_joined(marked))), tuple(notes), dict(properties))


def _part_notes(pages: list[list[Placed]], size: float) -> tuple[list[list[Placed]], list[FootnoteLines]]:
    """Body and footnotes: what is small, below, and begins with the number that the body refers to."""
    notes: list[list[Line]] = []
    bodies: list[list[Placed]] = []
    for page in pages:
        foot = _foot(page, size)
        above = [*(bodies[-1] if bodies else []), *page[:foot]]
        marked = {number for line, _ in above for number in marked_numbers(line.text)}
        body, opened = page[:foot], bool(notes) and foot < len(page)
        for line, placed in page[foot:]:
            start = _NOTE.match(line.text)
            number = int(start[1].translate(_DIGITS)) if start else 0
            if start and number == len(notes) + 1 and number in marked:
                notes.append([Line(line.text[start.end() :], line.page)])
                opened = True
            elif opened:
                notes[-1].append(line)
            else:
                body.append((line, placed))
        bodies.append(body)
    return bodies, [FootnoteLines(number, tuple(lines)) for number, lines in enumerate(notes, 1)]


def _foot(page: list[Placed], size: float) -> int:
    """Where the small type at the end of a page begins."""
    start = len(page)
    while start and page[start - 1][1].size <= _SMALL * size:
        start -= 1
    return start


def _notes_by_place(blocks: list[list[Stretch]]) -> tuple[list[list[Stretch]], list[FootnoteLines]]:
    """Footnotes in type as large as the text's, which only their numbers tell apart."""
    pages = []
    for page in blocks:
        lines: list[Line] = []
        for block in page:
            lines += [Line("", 0), *(line for line, _ in block.lines)]
        pages.append(lines[1:])
    _, notes = split_footnotes(pages)
    said = Counter(line.text for note in notes for line in note.lines[1:])
    opened = {f"{note.number}": note.lines[0].text for note in notes}
    left = []
    for page in blocks:
        kept = []
        for block in page:
            block.lines = [placed for placed in block.lines if not _is_said(placed[0], said, opened)]
            if block.lines:
                kept.append(block)
        left.append(kept)
    return left, notes


def _is_said(line: Line, said: Counter[str], opened: Mapping[str, str]) -> bool:
    """Whether a line is one of a footnote."""
    start = _NOTE.match(line.text)
    if start and opened.get(start[1].translate(_DIGITS)) == line.text[start.end() :]:
        return True
    if said[line.text]:
        said[line.text] -= 1
        return True
    return False


def _with_marks(pages: list[list[Stretch]], notes: list[FootnoteLines]) -> list[list[Stretch]]:
    """The same blocks, the marks of the footnotes in their lines replaced."""
    bodies = place_marks([[line for block in page for line, _ in block.lines] for page in pages], notes)
    for page, lines in zip(pages, bodies, strict=True):
        left = iter(lines)
        for block in page:
            block.lines = [(next(left), placed) for _, placed in block.lines]
    return pages


def _joined(pages: list[list[Stretch]]) -> list[Stretch]:
    """All blocks; a paragraph that a page break cut in two is one again."""
    width = text_width(line for page in pages for block in page for line, _ in block.lines)
    out: list[Stretch] = []
    for page in pages:
        for i, block in enumerate(page):
            before = out[-1] if out else None
            plain = before and not (before.level or before.title or before.table or block.level or block.table)
            if i == 0 and before and plain and runs_on(before.lines[-1][0], block.lines[0][0], width):
                before.lines += block.lines
            else:
                out.append(block)
    return out


def _elements(blocks: list[Stretch]) -> list[Element]:
    found: list[Element] = []
    for block in blocks:
        lines = tuple(line for line, _ in block.lines)
        if block.table:
            found += table_elements([_cells(placed, line.page) for line, placed in block.lines], 0)
        elif block.title:
            found.append(Element("title", lines))
        else:
            found.append(Element("heading" if block.level else "paragraph", lines, block.level))
    return found


def _cells(placed: TextLine, page: int) -> list[list[Element]]:
    return [[Element("paragraph", (Line(normalise(cell), page),))] if cell else [] for cell in placed.cells()]
