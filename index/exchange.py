"""A `Document` as plain JSON values, and back; knows nothing of what carries them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from index.records import Document, Footnote, Passage, Section, Span

__all__ = ["document_from_json", "document_to_json"]


def document_to_json(document: Document) -> dict[str, Any]:
    """The document as values that JSON holds."""
    return {**asdict(document), "metadata": dict(document.metadata)}


def document_from_json(values: Mapping[str, Any]) -> Document:
    """The document that `document_to_json` was given."""
    fields = dict(values)
    fields["sections"] = tuple(Section(**section) for section in fields["sections"])
    fields["footnotes"] = tuple(Footnote(**note) for note in fields["footnotes"])
    fields["passages"] = tuple(
        Passage(**{**passage, "sentences": tuple(Span(**span) for span in passage["sentences"])})
        for passage in fields["passages"]
    )
    return Document(**fields)
