"""What must hold of every answer, whoever asks for it: `conftest` puts all answers of all tests through here."""

import re
from collections.abc import Mapping
from typing import Any

from index.records import Document
from rag.records import Answer

__all__ = ["check_answer", "check_json"]

MARKER = re.compile(r"(?<!\\)\[(\d+)\]")
"""A marker; brackets of the document's own words are escaped."""


def check_answer(answer: Answer) -> None:
    """An answer as the engine made it: all that `check_json` wants, and all of it from one snapshot."""
    documents: dict[str, Document] = {}
    for entry in (*answer.citations, *answer.passages):
        known = documents.setdefault(entry.document.id, entry.document)
        assert known is entry.document or known == entry.document, f"{known.id} comes from two snapshots"
    check_json(answer.to_json(), documents)
    for citation in answer.citations:
        assert citation.page == citation.document.page_at(citation.start)
        assert any(
            passage.start <= span.start == citation.start < citation.end == span.end <= passage.end
            for passage in citation.document.passages
            for span in passage.sentences
        ), f"citation {citation.n} is no whole sentence of {citation.document.id}"


def check_json(told: Mapping[str, Any], documents: Mapping[str, Document]) -> None:
    """An answer as programs get it: numbers in range and in order, quotes that are slices, passages too."""
    marks = [int(number) for number in MARKER.findall(told["answer"])]
    cited = told["citations"]
    numbers = [citation["n"] for citation in cited]
    assert numbers == list(range(1, len(numbers) + 1)), numbers
    assert list(dict.fromkeys(marks)) == numbers, f"{marks} in the answer, {numbers} cited"
    assert told["abstained"] == (not cited), "an answer cites, a refusal does not"
    assert told["answer"].strip()
    assert told["lang"] in ("nl", "en")
    assert 0 <= told["confidence"] <= 1
    if told["mode"] == "extractive":
        assert len(cited) <= 3
    for citation in cited:
        document = documents[citation["document"]]
        start, end = citation["start"], citation["end"]
        assert 0 <= start < end <= len(document.text)
        assert document.text[start:end] == citation["quote"], f"citation {citation['n']} is not at {start}"
        assert 1 <= citation["page"] <= document.pages
        assert citation["section"] == "" or citation["section"] in {s.id for s in document.sections}
    texts = [document.text for document in documents.values()]
    assert [hit["rank"] for hit in told["passages"]] == list(range(1, len(told["passages"]) + 1))
    assert len(told["passages"]) <= 10
    for hit in told["passages"]:
        assert hit["best"] in hit["text"]
        assert any(hit["text"] in text for text in texts), hit["id"]
