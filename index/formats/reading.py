"""A file of any known format → a `Document`; loads the libraries of that format and no others.

Knows nothing of limits: whoever opens files that others made lets `intake` call it.
"""

from pathlib import Path

from index.errors import DocumentError
from index.formats.elements import Draft
from index.formats.sniff import Format, format_of
from index.reader import MAX_DOCUMENT_BYTES, read_draft, read_text
from index.records import Document

__all__ = ["read_file"]


def read_file(path: Path, identity: str) -> Document:
    """The document in a file, called `identity`.

    Raises:
        DocumentError: it cannot be read; the message says why, and not which file it is.
    """
    size = path.stat().st_size
    if size > MAX_DOCUMENT_BYTES:
        raise DocumentError(
            f"it has {size:,} bytes, more than {MAX_DOCUMENT_BYTES:,}: split it first",
            f"het is groter dan {MAX_DOCUMENT_BYTES // 1_000_000} MB. Splits het eerst.",
        )
    known = format_of(path)
    if known == "text":
        from index.formats.plain import read_utf8

        return read_text(read_utf8(path), identity, source="it")
    return read_draft(_draft(path, known), identity)


def _draft(path: Path, known: Format) -> Draft:
    if known == "pdf":
        from index.formats.pdf import read_pdf

        return read_pdf(path)
    if known == "word":
        from index.formats.word import read_word

        return read_word(path)
    if known == "odt":
        from index.formats.odt import read_odt

        return read_odt(path)
    if known == "markdown":
        from index.formats.markdown import read_markdown

        return read_markdown(path)
    if known == "html":
        from index.formats.webpage import read_webpage

        return read_webpage(path)
    raise DocumentError("it is of no kind that fiche reads")
