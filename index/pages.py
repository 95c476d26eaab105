"""Turns the raw text of a document into pages of lines, without running headers and footers.

Knows nothing of footnotes, headings or sentences. A page ends at a form feed; where a text has
none, at a running footer, at a page number alone on its line, or before a line that starts with
exactly one space while the others start with none (what some PDF extractors make of a new page).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Line", "is_page_furniture", "is_page_number", "normalise", "split_pages"]

_PARLIAMENTARY = re.compile(
    r"""^\s*(?:
        (?:Tweede|Eerste)\ Kamer,\ vergaderjaar\ \d{4}\s*[-–]\s*\d{4},.*  # the running footer
      | kst-\d[\w-]*\s* | ISSN\ [\d\s-]+ | [’']s-Gravenhage\ \d{4}\s*      # the colophon
    )$""",
    re.VERBOSE,
)
_PAGE_NUMBER = re.compile(
    r"^\s*(?:[-–]\s*)?(?:(?:pagina|blz\.?|page)\s+)?(\d{1,4})(?:\s*(?:van|of|/)\s*\d{1,4})?\s*(?:[-–]\s*)?$", re.I
)
_LIGATURES: dict[str, str | int | None] = {
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
    "ﬅ": "st",
    "ﬆ": "st",
}
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_MOST_MARKS = 30
"""Accents on one letter: as many as Unicode's stream-safe text has (UAX #15)."""
_REPEATS = 3
"""A line at the edge of a page is a running one when as many pages show it."""
_PAGE_SIGN_SHARE = 0.1
"""One-space lines are page signs while they are at most this share of all lines."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page, without trailing blanks; an empty `text` is a blank line."""

    text: str
    page: int


def is_page_number(text: str) -> bool:
    """Whether a line is a page's number and nothing else."""
    return bool(_PAGE_NUMBER.match(text))


def is_page_furniture(text: str) -> bool:
    """Whether a line is the running footer or the colophon of a parliamentary paper."""
    return bool(_PARLIAMENTARY.match(text))


def normalise(raw: str) -> str:
    """One kind of newline and space; no escapes, control, zero-width or private characters."""
    text = _ANSI.sub("", raw.removeprefix("\ufeff")).replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    text = text.replace("\u00ad\n", "-\n").replace("\u00ad", "").translate(str.maketrans(_LIGATURES))
    kept = (" " if unicodedata.category(c) == "Zs" or c == "\t" else c for c in text)
    clean = (c for c in kept if c in "\n\f" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs", "Cn"))
    return unicodedata.normalize("NFC", "".join(_few_marks(clean)))


def _few_marks(chars: Iterable[str]) -> Iterator[str]:
    """The same without what goes beyond any word: putting endless accents in order takes endless time."""
    row = 0
    for char in chars:
        row = row + 1 if unicodedata.category(char).startswith("M") else 0
        if row <= _MOST_MARKS:
            yield char


def split_pages(raw: str) -> list[list[Line]]:
    r"""The document's pages, each a list of its lines; at least one page.

    >>> [[line.text for line in page] for page in split_pages("Een\n1\n\fTwee\n2\n")]
    [['Een'], ['Twee']]
    """
    text = normalise(raw)
    chunks = text.split("\f") if "\f" in text else _split_without_form_feeds(text)
    pages = [[line.rstrip() for line in chunk.split("\n")] for chunk in chunks if chunk.strip()]
    pages = [_trim([line for line in page if not _PARLIAMENTARY.match(line)]) for page in pages]
    pages = _without_page_numbers(pages) if len(pages) > 1 else pages
    pages = _without_running_lines(pages)
    kept = [page for page in pages if any(page)] or [[]]
    return [[Line(text, number) for text in page] for number, page in enumerate(kept, 1)]


def _split_without_form_feeds(text: str) -> list[str]:
    lines = text.split("\n")
    written = [line for line in lines if line.strip()]
    signs = [bool(re.match(r" \S", line)) for line in lines]
    use_signs = 0 < sum(signs) <= max(2, _PAGE_SIGN_SHARE * len(written))
    ends = _numbered_ends(lines)
    chunks: list[list[str]] = [[]]
    for i, line in enumerate(lines):
        if use_signs and signs[i]:
            chunks.append([])
        chunks[-1].append(line)
        if i in ends:
            chunks.append([])
    return ["\n".join(chunk) for chunk in chunks]


def _numbered_ends(lines: list[str]) -> set[int]:
    """Places of running footers, and of bare numbers that count the pages up one by one.

    A page's number stands apart from the text; a bare number within it (a cell of a table, a
    year that a line break left alone) is not followed by its successor a page further on.
    """
    footers = {i for i, line in enumerate(lines) if _PARLIAMENTARY.match(line) and re.search(r"\s\d{1,4}\s*$", line)}
    found = [(i, int(m[1])) for i, line in enumerate(lines) if (m := _PAGE_NUMBER.match(line))]
    after: dict[int, int] = {}  # where each number was seen last, going backwards
    run: list[tuple[int, int]] = [(0, 0)] * len(found)  # how long the count from each on is, and who comes next
    for k in reversed(range(len(found))):
        follower = after.get(found[k][1] + 1, -1)
        run[k] = (run[follower][0] + 1 if follower >= 0 else 1, follower)
        after[found[k][1]] = k
    k = max(range(len(found)), key=lambda k: run[k][0], default=-1)
    counted = set()
    while k >= 0:
        counted.add(found[k][0])
        k = run[k][1]
    return footers | (counted if len(counted) > 1 else set())


def _trim(page: list[str]) -> list[str]:
    written = [i for i, line in enumerate(page) if line.strip()]
    return page[written[0] : written[-1] + 1] if written else []


def _without_page_numbers(pages: list[list[str]]) -> list[list[str]]:
    """Pages without a bare number as their first or last line, where most pages have one there."""
    for edge in (-1, 0):
        numbered = [bool(page) and bool(_PAGE_NUMBER.match(page[edge])) for page in pages]
        if sum(numbered) >= 2 or (edge == -1 and len(pages) == 2 and any(numbered)):
            pages = [
                _trim(page[:-1] if edge else page[1:]) if has else page
                for page, has in zip(pages, numbered, strict=True)
            ]
    return pages


def _without_running_lines(pages: list[list[str]]) -> list[list[str]]:
    """Pages without the first or last line that at least `_REPEATS` pages share but for its digits."""
    return [page[::-1] for page in _without_running_heads([page[::-1] for page in _without_running_heads(pages)])]


def _without_running_heads(pages: list[list[str]]) -> list[list[str]]:
    """The same for first lines alone; what a page that lost its first one then begins with may be another."""
    starts = [0] * len(pages)
    shown: dict[str, list[int]] = {}  # the pages that begin with a line, by its shape
    changed = list(range(len(pages)))
    while changed:
        shapes = set()
        for number in changed:
            page, start = pages[number], starts[number]
            while start < len(page) and not page[start].strip():
                start += 1
            starts[number] = start
            if start < len(page):
                shape = re.sub(r"\d+", "#", page[start].strip())
                shown.setdefault(shape, []).append(number)
                shapes.add(shape)
        running = [s for s in shapes if len(shown[s]) >= _REPEATS and s != "#"]
        changed = [number for shape in running for number in shown.pop(shape)]
        for number in changed:
            starts[number] += 1
    return [page[start:] for page, start in zip(pages, starts, strict=True)]
