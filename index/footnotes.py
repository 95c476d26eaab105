"""Parts the footnotes of a page from its body, and finds the marks that refer to them.

Knows nothing of headings or sentences. A footnote begins at a line that starts with the next
number in turn, stands after the body of its page, and runs to the next one or to the page's end.
Its mark is that number glued to a word, a bracket or a full stop on the same page. A mark is
replaced by one private-use character (`mark_of`), so that lines can be joined before marks go.
"""

import re
from dataclasses import dataclass

from index.pages import Line

__all__ = ["MAX_NOTES", "FootnoteLines", "mark_candidates", "mark_of", "number_of", "place_marks", "split_footnotes"]

_FIRST_MARK = 0xE000
_LAST_MARK = 0xF8FF
MAX_NOTES = _LAST_MARK - _FIRST_MARK
"""As many footnotes as there are characters to mark them with."""
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_NOTE_START = re.compile(r"^\s*(?:\[(\d{1,3})\]|(\d{1,3})(?=\s)|([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}))\s*(?=\S)")
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
    for page in pages:
        before = [line for earlier in bodies[-2:] for line in earlier]
        body, found = _split_page(page, len(notes) + 1, before, paged=len(pages) > 1)
        bodies.append(body)
        notes += found
    return place_marks(bodies, notes), notes


def _split_page(
    page: list[Line], expected: int, before: list[Line], *, paged: bool
) -> tuple[list[Line], list[FootnoteLines]]:
    """Body and footnotes of one page; a text without pages may have several rows of footnotes."""
    start = _zone_start(page, expected, before)
    if start is None:
        return page, []
    found, rest = _take_notes(page[start:], expected, paged=paged)
    body = page[:start]
    after, more = _split_page(rest, expected + len(found), before + body, paged=paged)
    return body + after, found + more


def _zone_start(page: list[Line], expected: int, before: list[Line]) -> int | None:
    """The line that the footnotes begin at: the expected number, standing apart, and referred to.

    The last such line: an ordinary paragraph that starts with the number comes before the notes.
    """
    for i in reversed(range(len(page))):
        apart = i == 0 or not page[i - 1].text.strip() or _is_rule(page[i - 1])
        if apart and _note_number(page[i]) == expected:
            body = "\n".join(line.text for line in [*before, *page[:i]])
            if mark_candidates(body, expected):
                return i
    return None


def _is_rule(line: Line) -> bool:
    return bool(re.fullmatch(r"\s*[_—–-]{5,}\s*", line.text))


def _note_number(line: Line) -> int | None:
    found = _NOTE_START.match(line.text)
    return int((found[1] or found[2] or found[3]).translate(_SUPERSCRIPTS)) if found else None


def _take_notes(lines: list[Line], expected: int, *, paged: bool) -> tuple[list[FootnoteLines], list[Line]]:
    """Footnotes from the front of `lines`, and what follows them.

    On a page the notes run to its foot, blank lines and all. Without pages, a blank line ends them
    unless the note so far does not end a sentence, or the next line is the next note.
    """
    notes: list[list[Line]] = []
    for i, line in enumerate(lines):
        if _note_number(line) == expected + len(notes):
            start = _NOTE_START.match(line.text)
            notes.append([Line(line.text[start.end() if start else 0 :], line.page)])
        elif line.text.strip() and not _is_rule(line):
            new_block = not lines[i - 1].text.strip()
            if new_block and not paged and notes[-1][-1].text.rstrip().endswith(_TERMINAL):
                return _freeze(notes, expected), lines[i:]
            notes[-1].append(line)
    return _freeze(notes, expected), []


def _freeze(notes: list[list[Line]], expected: int) -> list[FootnoteLines]:
    return [FootnoteLines(expected + k, tuple(lines)) for k, lines in enumerate(notes)]


def mark_candidates(text: str, number: int) -> list[re.Match[str]]:
    """Places where `number` may be a mark: glued to a word or a closing sign, or superscript."""
    digits = str(number)
    raised = digits.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    glued = rf"(?<=[^\W\d_]|[.,;:!?)\]»”’\"%]){digits}(?![\w/]|[-–]\d|[.,]\d)"
    return list(re.finditer(rf"{raised}(?![⁰¹²³⁴⁵⁶⁷⁸⁹])|\[{digits}\]|{glued}", text))


def place_marks(bodies: list[list[Line]], notes: list[FootnoteLines]) -> list[list[Line]]:
    """The bodies with each footnote's mark replaced, searched in order so that marks ascend."""
    texts = ["\n".join(line.text for line in body) for body in bodies]
    whole = "\n".join(texts)
    page_of_note = {note.number: note.lines[0].page for note in notes}
    at = (0, 0)
    for number in sorted(page_of_note):
        for page in range(at[0], len(texts)):
            if bodies[page] and bodies[page][0].page > page_of_note[number]:
                break
            begin = at[1] if page == at[0] else 0
            found = [m for m in mark_candidates(texts[page], number) if m.start() >= begin]
            if found:
                best = min(found, key=lambda m: (_part_of_name(texts[page], m, whole), m.start()))
                texts[page] = texts[page][: best.start()] + mark_of(number) + texts[page][best.end() :]
                at = (page, best.start())
                break
    return [
        [Line(text, line.page) for text, line in zip(joined.split("\n"), body, strict=True)] if body else []
        for joined, body in zip(texts, bodies, strict=True)
    ]


def _part_of_name(text: str, found: re.Match[str], whole: str) -> bool:
    """Whether the digits belong to the word, as in `CO2`: the word never stands without them."""
    word = re.search(r"[^\W\d_]+$", text[: found.start()])
    if not word or not found[0][0].isascii():
        return False
    return not re.search(rf"(?<!\w){re.escape(word[0])}(?!\w)", whole) and word[0].isupper()
