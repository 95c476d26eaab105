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
_HEAD = 4096
_HTML = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_OFFICE = "it is a {what}, which fiche does not read: save it as {better}"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", _OFFICE.format(what="rich text file (RTF)", better=".docx or .odt")),
    (b"\x89PNG", "it is a picture: have its text recognised (OCR) first"),
    (b"\xff\xd8\xff", "it is a picture: have its text recognised (OCR) first"),
    (b"GIF8", "it is a picture: have its text recognised (OCR) first"),
    (b"II*\0", "it is a picture: have its text recognised (OCR) first"),
    (b"MM\0*", "it is a picture: have its text recognised (OCR) first"),
    (b"\x7fELF", "it is a program, not a document"),
    (b"MZ", "it is a program, not a document"),
    (b"\x1f\x8b", "it is compressed: unpack it first"),
    (b"7z\xbc\xaf", "it is compressed: unpack it first"),
    (b"Rar!", "it is compressed: unpack it first"),
)


def format_of(path: Path) -> Format:
    """The format of a file, by its content; the ending of its name must say the same.

    Raises:
        DocumentError: it is empty, of a kind that fiche does not read, or not what its name says.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise DocumentError("it is empty: give a document with text in it")
    named = SUFFIXES.get(path.suffix.lower())
    found = _by_content(path, head)
    if found == "text":
        if named in (None, "text", "markdown", "html"):
            return named or "text"  # a fragment of HTML has no head to know it by
        raise DocumentError(f"it is no {_article(named)}, whatever its name says: it is damaged, or rename it to .txt")
    if named not in (None, found):
        name, suffix = _NAMES[found]
        raise DocumentError(f"it is {name}, whatever its name says: rename it to {suffix}")
    return found


def _article(named: Format) -> str:
    return _NAMES[named][0].split(" ", 1)[1]


def _by_content(path: Path, head: bytes) -> Format:
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _in_package(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentError(_in_compound(path))
    for magic, reason in _MAGIC:
        if head.startswith(magic):
            raise DocumentError(reason)
    if _HTML.match(head):
        return "html"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError(
            "it is not text, nor any document that fiche reads: give .txt, .md, .pdf, .docx, .odt, .html"
        )
    return "text"


def _in_package(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as package:
            names = set(package.namelist())
            kind = package.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        raise DocumentError("it is damaged: save or download it again") from error
    if "word/document.xml" in names or any(re.fullmatch(r"word/document\d*\.xml", name) for name in names):
        return "word"
    if kind.startswith(b"application/vnd.oasis.opendocument.text"):
        return "odt"
    if any(name.startswith("xl/") for name in names) or b"spreadsheet" in kind:
        raise DocumentError(_OFFICE.format(what="spreadsheet", better=".pdf or .html"))
    if any(name.startswith("ppt/") for name in names) or b"presentation" in kind:
        raise DocumentError(_OFFICE.format(what="presentation", better=".pdf"))
    raise DocumentError("it is an archive and no document: unpack it first")


def _in_compound(path: Path) -> str:
    """Why a file of the old Office kind is not read: it is old, or encrypted."""
    with path.open("rb") as file:
        content = file.read(2_000_000)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return "it is protected with a password: save it without one"
    return _OFFICE.format(what="file of an old Office", better=".docx")
