"""Reads a PDF with PDFium: where every line of text stands, its size, and the bookmarks.

Knows nothing of paragraphs, headings or footnotes: `layout` makes those out of what stands where.
Lengths are points (1/72 inch), measured from the lower left corner of the page.
"""

import ctypes
import re
from pathlib import Path

import pypdfium2 as pdfium
from pypdfium2 import raw

from index.errors import DocumentError
from index.formats.elements import Draft
from index.formats.layout import lay_out
from index.formats.sheets import Bookmark, Cut, Sheet, TextLine

__all__ = ["MAX_PAGES", "read_pdf"]

MAX_PAGES = 5_000
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALLER = 0.85
"""A digit of at most this share of its line's size, above its line, is a raised one: a mark."""
_GAP = 1.0
"""Between two words further apart than so many times the size begins another cell of a table."""
_HYPHEN = "\x02"
"""What PDFium gives for a hyphen at the end of a line; the line feed is gone."""
_BOLD = re.compile(r"bold|black|heavy|semibold|-bd", re.I)
_JUNK_TITLE = re.compile(
    r"\.(?:docx?|odt|pdf|rtf|dotx?|indd|qxd)$"
    r"|^(?:microsoft word|\(?(?:untitled|anonymous|unspecified)\)?$|document\d*$)",
    re.I,
)


def read_pdf(path: Path) -> Draft:
    """The document in a PDF.

    Raises:
        DocumentError: it is encrypted, damaged, too long, or holds pictures of pages only.
    """
    try:
        pdf = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "assword" in str(error):
            raise DocumentError(
                "it is protected with a password: save it without one",
                "het is beveiligd met een wachtwoord. Sla het zonder wachtwoord op.",
            ) from error
        raise DocumentError(
            "it is damaged, or no PDF at all: save or download it again",
            "het is beschadigd, of geen PDF. Bewaar of download het opnieuw.",
        ) from error
    count = len(pdf)
    if count > MAX_PAGES:
        raise DocumentError(
            f"it says that it has {count:,} pages, more than {MAX_PAGES:,}: split it first",
            f"het heeft {count} pagina’s, meer dan {MAX_PAGES}. Splits het eerst.",
        )
    sheets = [_sheet(pdf, number) for number in range(count)]
    if not any(sheet.lines for sheet in sheets):
        raise DocumentError(
            "no text can be read in it, as in a scan: have the text recognised (OCR) first",
            "er is geen tekst in te lezen, zoals bij een scan. Laat de tekst eerst herkennen (OCR).",
        )
    return lay_out(sheets, _bookmarks(pdf), _properties(pdf))


def _sheet(pdf: pdfium.PdfDocument, number: int) -> Sheet:
    """One page; one that cannot be loaded counts as empty, so that the others keep their numbers."""
    try:
        page = pdf[number]
    except pdfium.PdfiumError:
        return Sheet(number + 1, 0.0, ())
    text = page.get_textpage()
    try:
        return Sheet(number + 1, page.get_height(), tuple(_Chars(text.raw).lines()))
    finally:
        text.close()
        page.close()


class _Chars:
    """The characters of one page, in the order in which the file draws them."""

    def __init__(self, handle: raw.FPDF_TEXTPAGE) -> None:
        self.handle = handle
        self.count = max(0, raw.FPDFText_CountChars(handle))
        get = raw.FPDFText_GetUnicode
        self.codes = [get(handle, i) for i in range(self.count)]
        self._box = [ctypes.c_double() for _ in range(4)]

    def lines(self) -> list[TextLine]:
        found: list[TextLine] = []
        start = 0
        for i in range(self.count + 1):
            ends = i == self.count or self.codes[i] in (10, 13, 2, 0xFFFE)
            if ends:
                hyphen = i < self.count and self.codes[i] in (2, 0xFFFE)
                if line := self._line(start, i, "-" if hyphen else ""):
                    found.append(line)
                start = i + 1
        return found

    def _line(self, start: int, end: int, hyphen: str) -> TextLine | None:
        while start < end and self.codes[start] in (32, 0xA0):
            start += 1
        while end > start and self.codes[end - 1] in (32, 0xA0):
            end -= 1
        if start == end:
            return None
        size = self._size_of(start, end)
        left, _, _, top = self.box(start)
        right = self.box(end - 1)[2]
        base = self._base(start, end, size)
        words, cuts = self._words(start, end, size, base)
        bold = all(self._is_bold(i) for i in {start, (start + end) // 2, end - 1})
        return TextLine(words + hyphen, left, max(right, left), base, max(top, base + size / 2), size, bold, cuts)

    def _words(self, start: int, end: int, size: float, base: float) -> tuple[str, tuple[Cut, ...]]:
        """The line's text with raised digits as such, and the places where another cell begins."""
        out: list[str] = []
        cuts: list[Cut] = []
        for i in range(start, end):
            code = self.codes[i]
            char = chr(code) if 31 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
            if char.isdigit() and char.isascii() and self._is_raised(i, size, base):
                char = char.translate(_RAISED)
            if char == " " and i + 1 < end and self.codes[i + 1] not in (32, 0xA0) and out:
                before, after = self._right_before(i), self.box(i + 1)[0]
                if after - before > _GAP * size:
                    cuts.append(Cut(len(out) + 1, before, after))
            out.append(char)
        return "".join(out), tuple(cuts)

    def _right_before(self, i: int) -> float:
        while i > 0 and self.codes[i] in (32, 0xA0):
            i -= 1
        return self.box(i)[2]

    def box(self, i: int) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of a character."""
        left, right, bottom, top = self._box
        raw.FPDFText_GetCharBox(self.handle, i, left, right, bottom, top)
        return left.value, bottom.value, right.value, top.value

    def _is_raised(self, i: int, size: float, base: float) -> bool:
        if raw.FPDFText_GetFontSize(self.handle, i) > _SMALLER * size:
            return False
        return self._origin(i) > base + 0.1 * size

    def _base(self, start: int, end: int, size: float) -> float:
        """The height that the line's letters stand on, by the first that is neither raised nor lowered."""
        for i in range(start, end):
            if self.codes[i] > 32 and raw.FPDFText_GetFontSize(self.handle, i) > _SMALLER * size:
                return self._origin(i)
        return self._origin(start)

    def _origin(self, i: int) -> float:
        x, y = self._box[:2]
        raw.FPDFText_GetCharOrigin(self.handle, i, x, y)
        return y.value

    def _size_of(self, start: int, end: int) -> float:
        """The size of most of a line's characters, by a sample of them."""
        step = max(1, (end - start) // 9)
        sizes = sorted(raw.FPDFText_GetFontSize(self.handle, i) for i in range(start, end, step))
        height = self.box(start)[3] - self.box(start)[1]
        size = float(sizes[len(sizes) // 2])
        return size if size > 1.5 else max(height, 1.0)  # some files scale a font of size 1

    def _is_bold(self, i: int) -> bool:
        name = ctypes.create_string_buffer(128)
        raw.FPDFText_GetFontInfo(self.handle, i, name, 128, ctypes.c_int())
        return raw.FPDFText_GetFontWeight(self.handle, i) >= 600 or bool(_BOLD.search(name.value.decode("latin-1")))


def _bookmarks(pdf: pdfium.PdfDocument) -> list[Bookmark]:
    found = []
    try:
        for entry in pdf.get_toc(max_depth=6):
            target = entry.get_dest()
            page = target.get_index() if target else None
            if page is not None and entry.get_title().strip():
                found.append(Bookmark(entry.level + 1, entry.get_title(), page + 1))
            if len(found) >= MAX_PAGES:
                break
    except pdfium.PdfiumError:
        return found
    return found


def _properties(pdf: pdfium.PdfDocument) -> dict[str, str]:
    told = pdf.get_metadata_dict(skip_empty=True)
    found = {}
    title = told.get("Title", "").strip()
    if title and not _JUNK_TITLE.search(title):
        found["title"] = title
    if date := re.match(r"D:(\d{4})(\d\d)(\d\d)", told.get("CreationDate", "")):
        found["date"] = "-".join(date.groups())
    if re.match(r"ministerie\b", told.get("Author", ""), re.I):
        found["ministry"] = told["Author"].strip()
    return found
