"""Parts the footnotes of a page from its body, and finds the marks that refer to them.

Knows nothing of headings or sentences. A footnote begins at a line that starts with the next
number in turn, stands after the body of its page, and runs to the next one or to the page's end.
Its mark is that number glued to a word, a bracket or a full stop on the same page. A mark is
replaced by one private-use character (`mark_of`), so that lines can be joined before marks go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.pages import Line

__all__ = ["MAX_NOTES", "FootnoteLines", "mark_of", "marked_numbers", "number_of", "place_marks", "split_footnotes"]

_FIRST_MARK = 0xE000
_LAST_MARK = 0xF8FF
MAX_NOTES = _LAST_MARK - _FIRST_MARK
"""As many footnotes as there are characters to mark them with."""
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_NOTE_START = re.compile(r"^\s*(?:\[(\d{1,3})\]|(\d{1,3})(?=\s)|([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}))\s*(?=\S)")
_MARK = re.compile(
    r"([⁰¹²³⁴⁵⁶⁷⁸⁹]+)|\[([1-9][0-9]{0,3})\]"
    r"|(?<=[^\W\d_]|[.,;:!?)\]»”’\"%])([1-9][0-9]{0,3})(?![\w/]|[-–]\d|[.,]\d)"
)
_MOST_DIGITS = 4
_LETTER = re.compile(r"[^\W\d_]")
_TERMINAL = tuple('.!?)»”’"')


@dataclass(frozen=True, slots=True)
class FootnoteLines:
    """A footnote as its lines, the number taken off the first."""

    number: int
    lines: tuple[Line, ...]


def mark_of(number: int) -> str:
    """The character that stands for the mark of footnote `number` while lines are joined."""
    return chr(_FIRST_MARK + number)


def number_of(char: str) -> int | None:
    """The footnote that a mark character stands for; `None` for any other character."""
    return ord(char) - _FIRST_MARK if _FIRST_MARK <= ord(char) <= _LAST_MARK else None


def split_footnotes(pages: list[list[Line]]) -> tuple[list[list[Line]], list[FootnoteLines]]:
    """The body of each page with its marks replaced, and the footnotes of all pages in order."""
    bodies: list[list[Line]] = []
    notes: list[FootnoteLines] = []
    referred: list[set[int]] = []
    for page in pages:
        body, found = _split_page(page, len(notes) + 1, set().union(*referred[-2:]), paged=len(pages) > 1)
        bodies.append(body)
        referred.append({number for line in body for number in marked_numbers(line.text)})
        notes += found
    return place_marks(bodies, notes), notes


def _split_page(
    page: list[Line], expected: int, before: set[int], *, paged: bool
) -> tuple[list[Line], list[FootnoteLines]]:
    """Body and footnotes of one page; a text without pages may have several rows of footnotes.

    Args:
        page: its lines.
        expected: the number that the next footnote has.
        before: the numbers that the pages just before refer to.
        paged: whether the text has pages at all.
    """
    openings, marked = _openings(page), _marked_lines(page)
    body: list[Line] = []
    found: list[FootnoteLines] = []
    taken = bytearray(len(page))
    at = 0
    while True:
        number = expected + len(found)
        start = openings.get(number, -1)
        first = next((i for i in marked.get(number, ()) if not taken[i]), start)
        if start < at or not (number in before or first < start):
            return body + page[at:], found
        notes, end = _take_notes(page, start, number, paged=paged)
        body += page[at:start]
        found += notes
        taken[start:end] = b"\1" * (end - start)
        at = end


def _openings(page: list[Line]) -> dict[int, int]:
    """The line at which the footnotes begin, if the number is the one expected: it opens with it, standing apart.

    The last such line: an ordinary paragraph that starts with the number comes before the notes.
    """
    found = {}
    for i, line in enumerate(page):
        number = _note_number(line)
        if number is not None and (i == 0 or not page[i - 1].text.strip() or _is_rule(page[i - 1])):
            found[number] = i
    return found


def _marked_lines(page: list[Line]) -> dict[int, list[int]]:
    """The lines that refer to a footnote, by its number."""
    found: dict[int, list[int]] = {}
    for i, line in enumerate(page):
        for number in marked_numbers(line.text):
            found.setdefault(number, []).append(i)
    return found


def _is_rule(line: Line) -> bool:
    return bool(re.fullmatch(r"\s*[_—–-]{5,}\s*", line.text))


def _note_number(line: Line) -> int | None:
    found = _NOTE_START.match(line.text)
    return int((found[1] or found[2] or found[3]).translate(_SUPERSCRIPTS)) if found else None


def _take_notes(page: list[Line], begin: int, expected: int, *, paged: bool) -> tuple[list[FootnoteLines], int]:
    """Footnotes from the line `begin` on, and the line that follows them.

    On a page the notes run to its foot, blank lines and all. Without pages, a blank line ends them
    unless the note so far does not end a sentence, or the next line is the next note.
    """
    notes: list[list[Line]] = []
    for i in range(begin, len(page)):
        line = page[i]
        if _note_number(line) == expected + len(notes):
            start = _NOTE_START.match(line.text)
            notes.append([Line(line.text[start.end() if start else 0 :], line.page)])
        elif line.text.strip() and not _is_rule(line):
            new_block = not page[i - 1].text.strip()
            if new_block and not paged and notes[-1][-1].text.rstrip().endswith(_TERMINAL):
                return _freeze(notes, expected), i
            notes[-1].append(line)
    return _freeze(notes, expected), len(page)


def _freeze(notes: list[list[Line]], expected: int) -> list[FootnoteLines]:
    return [FootnoteLines(expected + k, tuple(lines)) for k, lines in enumerate(notes)]


def marked_numbers(text: str) -> set[int]:
    """The footnotes that `text` may refer to.

    >>> sorted(marked_numbers("Het kabinet1 en de Raad[2] sinds 2024."))
    [1, 2]
    """
    return {number for number, _ in _marks(text)}


def _marks(text: str) -> Iterator[tuple[int, tuple[int, int]]]:
    """Each number that may be a mark, with its start and end, in order.

    Glued to a word or a closing sign, in brackets, or superscript. Of several superscripts in a
    row the last few may be the mark as well, for the first may be an exponent.
    """
    for found in _MARK.finditer(text):
        if digits := found[2] or found[3]:
            yield int(digits), found.span()
            continue
        raised = found[1].translate(_SUPERSCRIPTS)
        for length in range(min(_MOST_DIGITS, len(raised)), 0, -1):
            if raised[-length] != "0":
                yield int(raised[-length:]), (found.end() - length, found.end())


def place_marks(bodies: list[list[Line]], notes: list[FootnoteLines]) -> list[list[Line]]:
    """The bodies with each footnote's mark replaced, searched in order so that marks ascend."""
    texts = ["\n".join(line.text for line in body) for body in bodies]
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    page_of_note = {note.number: note.lines[0].page for note in notes}
    places: dict[int, list[tuple[int, int, int]]] = {number: [] for number in page_of_note}
    for page, text in enumerate(texts):
        for number, (start, end) in _marks(text):
            if number in places:
                places[number].append((page, start, end))
    chosen: dict[int, list[tuple[int, int, int]]] = {}
    at = (0, 0)  # the page and the offset that the last mark ended at
    for number in sorted(places):
        left = [p for p in places[number] if p[:2] >= at and bodies[p[0]][0].page <= page_of_note[number]]
        left = [p for p in left if _is_free(texts[p[0]], p, at)]
        if left:
            begin = at[1] if left[0][0] == at[0] else 0
            ranks = [(_part_of_name(texts[p[0]], begin, p[1], words), p) for p in left if p[0] == left[0][0]]
            page, start, end = min(ranks)[1]
            chosen.setdefault(page, []).append((start, end, number))
            at = (page, end)
    marked = [_replaced(text, chosen.get(page, [])) for page, text in enumerate(texts)]
    return [
        [Line(text, line.page) for text, line in zip(joined.split("\n"), body, strict=True)] if body else []
        for joined, body in zip(marked, bodies, strict=True)
    ]


def _is_free(text: str, place: tuple[int, int, int], at: tuple[int, int]) -> bool:
    """Whether a number is glued to something else than the mark before it."""
    return place[:2] != at or not text[place[1]].isascii() or text[place[1]] == "["


def _replaced(text: str, marks: list[tuple[int, int, int]]) -> str:
    """`text` with the characters that stand for marks, given as start, end and number in order."""
    parts, done = [], 0
    for start, end, number in marks:
        parts += [text[done:start], mark_of(number)]
        done = end
    return "".join(parts) + text[done:]


def _part_of_name(text: str, after: int, start: int, words: set[str]) -> bool:
    """Whether the digits at `start` belong to the word after `after`, as in `CO2`: it never stands without them."""
    begin = start
    while begin > after and _LETTER.match(text[begin - 1]):
        begin -= 1
    word = text[begin:start]
    return bool(word) and text[start].isascii() and word not in words and word.isupper()
