"""Answers and refusals in words: what is quoted, how it is marked, what is escaped."""

from dataclasses import replace

import pytest

from index.reader import read_text
from index.records import Document
from rag.answer import compose, escape_markdown, refuse, where
from rag.records import Citation, Hit

TEXT = """1. Algemene gegevens

a) Titel voorstel
Mededeling over <b>water</b> en *lucht*

2. Essentie

De Raad beslist in mei. The Council decides in May.
"""


@pytest.fixture(scope="module")
def document() -> Document:
    return read_text(TEXT, "x")


def citation(document: Document, words: str, n: int = 1) -> Citation:
    start = document.text.index(words)
    return Citation(n, document, 1, "2", words, start, start + len(words))


def hit(document: Document, kind: str) -> Hit:
    row, passage = next((i, p) for i, p in enumerate(document.passages) if p.kind == kind)
    return Hit(1, document, passage, passage.sentences[0], 0.5, row)


def test_a_dutch_answer_quotes_with_markers(document: Document) -> None:
    found = compose([citation(document, "De Raad beslist in mei.")], "nl")
    assert found == "De Raad beslist in mei. [1]"


def test_an_english_answer_is_the_translation_and_says_so(document: Document) -> None:
    dutch = replace(citation(document, "De Raad beslist in mei."), translation="The Council decides in May.")
    note = "(Translated; the Dutch text is authoritative.)"
    assert compose([dutch], "en") == f"The Council decides in May. [1] {note}"
    untranslated = citation(document, "The Council decides in May.", 2)
    assert compose([dutch, untranslated], "en") == (
        f"The Council decides in May. [1] The document says, in English: “The Council decides in May.” [2] {note}"
    )


def test_a_translation_that_nobody_read_is_marked_so(document: Document) -> None:
    cited = replace(
        citation(document, "De Raad beslist in mei."), translation="The Council decides.", machine_made=True
    )
    assert compose([cited], "en") == (
        "The Council decides. [1] (Translated by machine and not reviewed; the Dutch text is authoritative.)"
    )


def test_without_a_translation_the_dutch_is_quoted_and_nothing_guessed(document: Document) -> None:
    dutch = citation(document, "De Raad beslist in mei.")
    assert compose([dutch], "en") == (
        "No translation of this is known; the document says, in Dutch: “De Raad beslist in mei.” [1]"
    )


def test_a_translated_field_comes_after_its_translated_label(document: Document) -> None:
    field = citation(document, "Mededeling over <b>water</b> en *lucht*")
    found = compose([replace(field, translation="Communication", section_translation="Title")], "en")
    assert found.startswith("Title: Communication [1]")


def test_a_field_comes_after_its_label_and_markup_is_escaped(document: Document) -> None:
    found = compose([citation(document, "Mededeling over <b>water</b> en *lucht*")], "nl")
    assert found == r"Titel voorstel: Mededeling over \<b\>water\</b\> en \*lucht\* [1]"
    assert escape_markdown("[1](http://x) `a` #") == r"\[1\](http://x) \`a\` \#"


def test_a_citation_cannot_be_other_than_the_document(document: Document) -> None:
    with pytest.raises(ValueError, match="does not quote"):
        Citation(1, document, 1, "2", "De Raad besluit in mei.", 0, 23)


def test_a_refusal_names_what_came_nearest(document: Document) -> None:
    nearest = hit(document, "paragraph")
    assert where(nearest, "nl") == "onderdeel 2 («Essentie»), pagina 1"
    assert refuse([nearest], "nl").startswith("Het antwoord op deze vraag staat niet in het document.")
    assert refuse([nearest], "en").endswith("What comes nearest is section 2 (“Essentie”), page 1.")
    assert refuse([], "en") == "The document does not say."
