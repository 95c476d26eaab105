"""Documents for the tests, made on the spot: one fiche as PDF, Word, ODT and web page, and hostile files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from index.records import Document

HEADER = "Ministerie van Buitenlandse Zaken - Beoordeling Nieuwe Commissievoorstellen"
TABLE = [
    ["Land", "Bijdrage", "Rol"],
    ["Nederland", "4 miljoen euro", "lid"],
    ["Ierland", "1 miljoen euro", "waarnemer"],
]


@dataclass(frozen=True)
class Block:
    """A paragraph of a document: its kind, its page, and its text in pieces; a number is a footnote's mark."""

    kind: str
    page: int
    pieces: tuple[str | int, ...]
    level: int = 0

    @property
    def text(self) -> str:
        return "".join(piece for piece in self.pieces if isinstance(piece, str))


def blocks(document: Document) -> list[Block]:
    """The body of a document that was read, as blocks to be written in another format."""
    sections = {section.start: section for section in document.sections}
    anchors = sorted((note.anchor, note.number) for note in document.footnotes if note.anchor is not None)
    first_note = min((note.start for note in document.footnotes), default=len(document.text))
    found: list[Block] = []
    start = 0
    for text in document.text.split("\n\n"):
        if start < first_note - 4:
            kind = "title" if not start else "heading" if start in sections else "paragraph"
            kind = "item" if text.startswith("- ") else kind
            level = 1 + (sections[start].id != sections[start].chapter) if start in sections else 0
            pages = sorted({document.page_at(start), document.page_at(start + len(text) - 1)})
            for page in pages:
                a, b = _stretch(document, start, start + len(text), page)
                found.append(
                    Block(kind if page == pages[0] else "more", page, _pieces(text, start, a, b, anchors), level)
                )
        start += len(text) + 2
    return found


def _stretch(document: Document, start: int, end: int, page: int) -> tuple[int, int]:
    here = [i for i in range(start, end) if document.page_at(i) == page]
    return here[0], here[-1] + 1


def _pieces(text: str, start: int, a: int, b: int, anchors: list[tuple[int, int]]) -> tuple[str | int, ...]:
    pieces: list[str | int] = []
    here = a
    for anchor, number in anchors:
        if a < anchor <= b:
            pieces += [text[here - start : anchor - start], number]
            here = anchor
    last = text[here - start : b - start]
    return (*pieces, last)


def _broken(pieces: tuple[str | int, ...], following: str) -> tuple[str | int, ...]:
    """Pieces that end within a word, with the hyphen that a page's last line shows there."""
    last = pieces[-1]
    split = isinstance(last, str) and last[-1:].isalpha() and following[:1].isalpha()
    return (*pieces[:-1], f"{last}-") if split else pieces


def notes(document: Document) -> list[tuple[int, int, str]]:
    """Number, page and text of each footnote."""
    return [(n.number, document.page_at(n.start), document.text[n.start : n.end]) for n in document.footnotes]


# PDF


def write_pdf(document: Document, path: Path, *, bookmarks: bool = True) -> None:
    """A page for each of the document's: a header, a footer with its number, notes in small type, broken words."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=(595, 842), invariant=True)
    canvas.setTitle("Microsoft Word - concept 3.docx")
    for page in range(1, document.pages + 1):
        _Sheet(canvas).draw(document, page, bookmarks=bookmarks)
        canvas.showPage()
    canvas.save()


class _Sheet:
    left, right, size, leading = 72.0, 523.0, 10.0, 13.0

    def __init__(self, canvas) -> None:  # type: ignore[no-untyped-def]
        self.canvas, self.y = canvas, 760.0

    def draw(self, document: Document, page: int, *, bookmarks: bool) -> None:
        self.canvas.setFont("Helvetica", 8)
        self.canvas.drawString(self.left, 800, HEADER)
        self.canvas.drawRightString(self.right, 40, f"Pagina {page} van {document.pages}")
        whole = blocks(document)
        for i, block in enumerate(whole):
            if block.page != page:
                continue
            more = whole[i + 1].text if i + 1 < len(whole) and whole[i + 1].kind == "more" else ""
            pieces = _broken(block.pieces, more)
            if block.kind == "heading" and bookmarks:
                self.canvas.bookmarkHorizontal(str(id(block)), self.left, self.y + 12)
                self.canvas.addOutlineEntry(block.text, str(id(block)), level=block.level - 1)
            bold = block.kind in ("title", "heading") and block.level < 2
            self.paragraph(pieces, "Helvetica-Bold" if bold else "Helvetica", 14 if block.kind == "title" else 10)
            self.y -= 0 if block.kind == "item" else 7
        small = [(number, text) for number, at, text in notes(document) if at == page]
        self.y = 70 + 10 * sum(1 + len(text) // 110 for _, text in small)
        if small:
            self.canvas.line(self.left, self.y + 12, self.left + 140, self.y + 12)
        for number, text in small:
            self.leading = 10
            self.paragraph((number, f" {text}"), "Helvetica", 7.5)

    def paragraph(self, pieces: tuple[str | int, ...], font: str, size: float) -> None:
        words: list[list[str | int]] = [[]]
        for piece in pieces:
            if isinstance(piece, int):
                words[-1].append(piece)
                continue
            for i, word in enumerate(piece.split(" ")):
                if i:
                    words.append([])
                words[-1].append(word)
        self.fill([word for word in words if any(word)], font, size)

    def fill(self, words: list[list[str | int]], font: str, size: float) -> None:
        x = self.left
        for whole in words:
            word = whole
            plain = "".join(piece for piece in word if isinstance(piece, str))
            width = self.canvas.stringWidth(plain, font, size)
            if x + width > self.right and len(plain) > 9 and plain.isalpha() and plain.islower():
                cut = len(plain) // 2
                while cut > 2 and x + self.canvas.stringWidth(plain[:cut] + "-", font, size) > self.right:
                    cut -= 1
                if cut > 2:
                    self.put([plain[:cut] + "-"], x, font, size)
                    word, x, width = [plain[cut:], *word[1:]], self.left, 0
                    self.y -= self.leading
            if x + width > self.right:
                x = self.left
                self.y -= self.leading
            x = self.put([*word, " "], x, font, size)
        self.y -= self.leading

    def put(self, pieces: list[str | int], x: float, font: str, size: float) -> float:
        for piece in pieces:
            raised = isinstance(piece, int)
            self.canvas.setFont(font, 0.6 * size if raised else size)
            self.canvas.drawString(x, self.y + (0.35 * size if raised else 0), str(piece))
            x += self.canvas.stringWidth(str(piece), font, 0.6 * size if raised else size)
        return x


# Word


def write_word(document: Document, path: Path) -> None:
    """Headings in Word's styles, real footnotes, and page breaks as Word notes them when it saves."""
    import docx
    from docx.enum.text import WD_BREAK
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = docx.Document()
    made.core_properties.title = "Fiche"
    made.sections[0].header.paragraphs[0].text = HEADER
    made.sections[0].footer.paragraphs[0].text = "Pagina 1"
    styles = {"title": "Title", "item": "List Bullet"}
    page, paragraph = 1, None
    for block in blocks(document):
        if block.kind != "more" or paragraph is None:
            name = f"Heading {block.level}" if block.kind == "heading" else styles.get(block.kind, "Normal")
            paragraph = made.add_paragraph(style=name)
        for i, piece in enumerate(block.pieces):
            run = paragraph.add_run()
            if block.page > page:
                page = block.page
                if block.kind == "more":
                    run._r.append(OxmlElement("w:lastRenderedPageBreak"))
                else:
                    run.add_break(WD_BREAK.PAGE)
            if isinstance(piece, int):
                mark = OxmlElement("w:footnoteReference")
                mark.set(qn("w:id"), str(piece + 1))
                run._r.append(mark)
            else:
                run.add_text(piece.removeprefix("- ") if i == 0 and block.kind == "item" else piece)
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    told = "".join(
        f'<w:footnote w:id="{number + 1}"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t xml:space="preserve"> '
        f"{escape(text)}</w:t></w:r></w:p></w:footnote>"
        for number, _, text in notes(document)
    )
    separator = '<w:footnote w:type="separator" w:id="0"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>'
    blob = f'<?xml version="1.0" encoding="UTF-8"?><w:footnotes {names}>{separator}{told}</w:footnotes>'.encode()
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(PackURI("/word/footnotes.xml"), kind, blob, made.part.package)
    made.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    made.save(str(path))


# ODT


def write_odt(document: Document, path: Path) -> None:
    """Headings with their levels, real footnotes, bullets, and pages begun by a style or a soft break."""
    from odf import text as odf
    from odf.opendocument import OpenDocumentText
    from odf.style import ParagraphProperties, Style

    made = OpenDocumentText()
    broken = Style(name="Broken", family="paragraph", parentstylename="Standard")
    broken.addElement(ParagraphProperties(breakbefore="page"))
    made.automaticstyles.addElement(broken)
    bullets = odf.ListStyle(name="Bullets")
    bullets.addElement(odf.ListLevelStyleBullet(level="1", bulletchar="•"))
    made.automaticstyles.addElement(bullets)
    title = Style(name="Title", family="paragraph")
    made.styles.addElement(title)
    said = {number: text for number, _, text in notes(document)}
    page, paragraph, listed = 1, None, None
    for block in blocks(document):
        if block.kind == "more" and paragraph is not None:
            paragraph.addElement(odf.SoftPageBreak())
            page = block.page
        else:
            begins = {"stylename": broken} if block.page > page else {}
            page = block.page
            if block.kind == "heading":
                paragraph = odf.H(outlinelevel=block.level, **begins)
            else:
                paragraph = odf.P(stylename=title) if block.kind == "title" else odf.P(**begins)
            if block.kind == "item":
                if listed is None:
                    listed = odf.List(stylename=bullets)
                    made.text.addElement(listed)
                entry = odf.ListItem()
                entry.addElement(paragraph)
                listed.addElement(entry)
            else:
                listed = None
                made.text.addElement(paragraph)
        for i, piece in enumerate(block.pieces):
            if isinstance(piece, int):
                note = odf.Note(noteclass="footnote", id=f"ftn{piece}")
                note.addElement(odf.NoteCitation(text=str(piece)))
                body = odf.NoteBody()
                body.addElement(odf.P(text=said[piece]))
                note.addElement(body)
                paragraph.addElement(note)
            else:
                paragraph.addText(piece.removeprefix("- ") if i == 0 and block.kind == "item" else piece)
    made.save(str(path))


# web pages and Markdown


def write_html(document: Document, path: Path) -> None:
    """As a site shows it: navigation around it, headings, a list, and linked notes below."""
    path.write_text(
        "<!DOCTYPE html><html lang='nl'><head><meta charset='utf-8'><title>Fiche | Rijksoverheid.nl</title>"
        "<style>p{color:red}</style></head><body><header><a href='/'>Rijksoverheid</a></header>"
        "<nav><ul><li>Onderwerpen</li></ul></nav><main>"
        + "".join(_html(blocks(document)))
        + "<section class='footnotes'>"
        "<h2>Voetnoten</h2><ol>"
        + "".join(f"<li id='fn{n}'><p>{escape(t)} <a href='#fnref{n}'>↩</a></p></li>" for n, _, t in notes(document))
        + "</ol></section></main><footer>Over deze site</footer><script>alert(1)</script></body></html>",
        encoding="utf-8",
    )


def _html(found: list[Block]) -> Iterator[str]:
    whole: list[Block] = []
    for block in found:  # a web page has no pages
        if block.kind == "more":
            whole[-1] = Block(whole[-1].kind, 1, (*whole[-1].pieces, *block.pieces), whole[-1].level)
        else:
            whole.append(block)
    for i, block in enumerate(whole):
        inner = "".join(
            f"<sup><a href='#fn{p}' id='fnref{p}'>{p}</a></sup>" if isinstance(p, int) else escape(p)
            for p in block.pieces
        )
        if block.kind == "item":
            first, last = (i == 0 or whole[i - 1].kind != "item"), (i + 1 == len(whole) or whole[i + 1].kind != "item")
            yield f"{'<ul>' * first}<li>{inner.removeprefix('- ')}</li>{'</ul>' * last}"
        else:
            tag = {"title": "h1", "heading": f"h{block.level + 1}"}.get(block.kind, "p")
            yield f"<{tag}>{inner}</{tag}>\n"


def write_markdown(document: Document, path: Path) -> None:
    """Headings with number signs, a list, and footnotes as GitHub writes them."""
    lines = []
    for block in blocks(document):
        text = "".join(f"[^{p}]" if isinstance(p, int) else p.replace("*", r"\*") for p in block.pieces)
        if block.kind == "more":
            lines[-1] = lines[-1][:-1] + text + "\n"
            continue
        sign = {"title": "# ", "heading": "#" * (block.level + 1) + " "}.get(block.kind, "")
        lines.append(f"{sign}{text}\n")
    path.write_text("\n".join([*lines, *(f"[^{n}]: {t}" for n, _, t in notes(document))]), encoding="utf-8")


WRITERS: dict[str, Callable[[Document, Path], None]] = {
    "pdf": write_pdf,
    "docx": write_word,
    "odt": write_odt,
    "html": write_html,
    "md": write_markdown,
}
