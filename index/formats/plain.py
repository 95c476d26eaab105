"""Reads the bytes of a text file as UTF-8; knows nothing of what is in it."""

from pathlib import Path

from index.errors import DocumentError

__all__ = ["read_utf8"]


def read_utf8(path: Path) -> str:
    """The text of a file.

    Raises:
        DocumentError: it is not text, or not UTF-8.
    """
    raw = path.read_bytes()
    if b"\0" in raw[:65536]:
        raise DocumentError(
            "it is not text: give a UTF-8 text file", "het is geen tekst. Kies een tekstbestand in UTF-8."
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"it is not UTF-8 (byte {error.start}): save it as UTF-8 text",
            f"het is geen UTF-8 (byte {error.start}). Sla het op als tekst in UTF-8.",
        ) from error
