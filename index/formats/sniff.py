"""Tells what a file is by its first bytes, and whether its name says the same.

Knows nothing of how a format is read.
"""

import re
import zipfile
from pathlib import Path
from typing import Literal

from index.errors import DocumentError

__all__ = ["SUFFIXES", "Format", "format_of"]

Format = Literal["text", "markdown", "pdf", "word", "odt", "html"]
SUFFIXES: dict[str, Format] = {
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".pdf": "pdf",
    ".docx": "word",
    ".odt": "odt",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
"""The endings of the names of files that fiche reads."""
_NAMES: dict[Format, tuple[str, str]] = {
    "text": ("plain text", ".txt"),
    "markdown": ("Markdown", ".md"),
    "pdf": ("a PDF", ".pdf"),
    "word": ("a Word document", ".docx"),
    "odt": ("an OpenDocument text", ".odt"),
    "html": ("a web page", ".html"),
}
_DUTCH: dict[Format, str] = {
    "text": "gewone tekst",
    "markdown": "Markdown",
    "pdf": "een PDF",
    "word": "een Word-document",
    "odt": "een OpenDocument-tekst",
    "html": "een webpagina",
}
_HEAD = 4096
_HTML = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_OFFICE = "it is a {what}, which fiche does not read: save it as {better}"
_OFFICE_DUTCH = "het is een {what}; dat leest fiche niet. Sla het op als {better}."
_Reason = tuple[str, str]
_PICTURE = (
    "it is a picture: have its text recognised (OCR) first",
    "het is een afbeelding. Laat de tekst eerst herkennen (OCR).",
)
_PROGRAM = ("it is a program, not a document", "het is een programma en geen document.")
_PACKED = ("it is compressed: unpack it first", "het is ingepakt. Pak het eerst uit.")


def _of_office(english: str, dutch: str, better: str, beter: str) -> _Reason:
    return _OFFICE.format(what=english, better=better), _OFFICE_DUTCH.format(what=dutch, better=beter)


_RTF = _of_office("rich text file (RTF)", "RTF-bestand", ".docx or .odt", ".docx of .odt")
_OLD = _of_office("file of an old Office", "bestand van een oude Office", ".docx", ".docx")
_SHEET = _of_office("spreadsheet", "rekenblad", ".pdf or .html", ".pdf of .html")
_SLIDES = _of_office("presentation", "presentatie", ".pdf", ".pdf")
_LOCKED = (
    "it is protected with a password: save it without one",
    "het is beveiligd met een wachtwoord. Sla het zonder wachtwoord op.",
)
_MAGIC: tuple[tuple[bytes, _Reason], ...] = (
    (b"{\\rtf", _RTF),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"II*\0", _PICTURE),
    (b"MM\0*", _PICTURE),
    (b"\x7fELF", _PROGRAM),
    (b"MZ", _PROGRAM),
    (b"\x1f\x8b", _PACKED),
    (b"7z\xbc\xaf", _PACKED),
    (b"Rar!", _PACKED),
)


def format_of(path: Path) -> Format:
    """The format of a file, by its content; the ending of its name must say the same.

    Raises:
        DocumentError: it is empty, of a kind that fiche does not read, or not what its name says.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise DocumentError("it is empty: give a document with text in it", "het is leeg. Kies een document met tekst.")
    named = SUFFIXES.get(path.suffix.lower())
    found = _by_content(path, head)
    if found == "text":
        if named in (None, "text", "markdown", "html"):
            return named or "text"  # a fragment of HTML has no head to know it by
        raise DocumentError(
            f"it is no {_article(named)}, whatever its name says: it is damaged, or rename it to .txt",
            f"het is niet {_DUTCH[named]}, al zegt de naam dat. Het is beschadigd, of de naam moet op .txt eindigen.",
        )
    if named not in (None, found):
        name, suffix = _NAMES[found]
        raise DocumentError(
            f"it is {name}, whatever its name says: rename it to {suffix}",
            f"het is {_DUTCH[found]}, al zegt de naam iets anders. Geef het een naam op {suffix}.",
        )
    return found


def _article(named: Format) -> str:
    return _NAMES[named][0].split(" ", 1)[1]


def _by_content(path: Path, head: bytes) -> Format:
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _in_package(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentError(*_in_compound(path))
    for magic, reason in _MAGIC:
        if head.startswith(magic):
            raise DocumentError(*reason)
    if _HTML.match(head):
        return "html"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError(
            "it is not text, nor any document that fiche reads: give .txt, .md, .pdf, .docx, .odt, .html",
            "het is geen tekst, en geen document dat fiche leest. Kies .txt, .md, .pdf, .docx, .odt of .html.",
        )
    return "text"


def _in_package(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as package:
            names = set(package.namelist())
            kind = package.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        raise DocumentError(
            "it is damaged: save or download it again", "het is beschadigd. Bewaar of download het opnieuw."
        ) from error
    if "word/document.xml" in names or any(re.fullmatch(r"word/document\d*\.xml", name) for name in names):
        return "word"
    if kind.startswith(b"application/vnd.oasis.opendocument.text"):
        return "odt"
    if any(name.startswith("xl/") for name in names) or b"spreadsheet" in kind:
        raise DocumentError(*_SHEET)
    if any(name.startswith("ppt/") for name in names) or b"presentation" in kind:
        raise DocumentError(*_SLIDES)
    raise DocumentError(
        "it is an archive and no document: unpack it first", "het is een archief en geen document. Pak het eerst uit."
    )


def _in_compound(path: Path) -> _Reason:
    """Why a file of the old Office kind is not read: it is old, or encrypted."""
    with path.open("rb") as file:
        content = file.read(2_000_000)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return _LOCKED
    return _OLD
