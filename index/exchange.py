"""A `Document` as JSON, and back; knows nothing of what carries it."""

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from index.records import Document

__all__ = ["document_from_json", "document_from_line", "document_to_json"]

_DOCUMENTS = TypeAdapter(Document)


def document_to_json(document: Document) -> dict[str, Any]:
    """The document as values that JSON holds."""
    return {**asdict(document), "metadata": dict(document.metadata)}


def document_from_json(values: object) -> Document:
    """The document that `document_to_json` was given.

    Raises:
        ValueError: the values are not those of a document.
    """
    return _DOCUMENTS.validate_python(values)


def document_from_line(line: bytes) -> Document:
    """The same from their JSON: a question may need a dozen documents, and this takes half the time.

    Raises:
        ValueError: the line is not a document.
    """
    return _DOCUMENTS.validate_json(line)
