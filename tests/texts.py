"""Texts that look like documents, and texts that look like nothing: what Hypothesis and fuzzers read.

`check_document` says what must hold of any document, whatever it was read from.
"""

from hypothesis import strategies as st

from index.records import Document
from index.sentences import split_sentences

__all__ = ["anything", "check_document", "check_sentences", "likely"]

_PIECES = [
    *("\n", "\n\n", "\f", " ", "  ", "\r\n", "\t", "\u00a0", "\u00ad", "\u200b", "\u2028", "\x1b[31m", "\ufeff", "\0"),
    *(
        "1. Inleiding",
        "2. Slot",
        "a) Titel voorstel",
        "3b. Beoordeling",
        "Fiche 1: Mededeling",
        "1",
        "12",
        "2024",
        "- ",
    ),
    *(
        "grens-",
        "overschrijdende",
        "AI-",
        "en scale-ups",
        "midden- en",
        "Kabinet",
        "kabinet.",
        "De Raad",
        "art.",
        "o.a.",
    ),
    *(
        "(zie",
        ")",
        "«Dat",
        "is.»",
        "nr. 3",
        "J.M. de Vries",
        "€ 1.250.000",
        "…",
        "!?",
        "1 Eerste noot.",
        "2 Tweede noot.",
    ),
    *(
        "mei.1",
        "Raad2",
        "¹",
        "²",
        "\ue000",
        "\ue001",
        "\uf8ff",
        "ﬁ",
        "é",
        "e\u0301",
        "\U0001f600",
        "\u202e",
        "中",
        "’s",
    ),
    *(
        "Tweede Kamer, vergaderjaar 2023–2024, 22 112, nr. 3908 1",
        "kst-22112-3908",
        "ISSN 0921 - 7371",
        "pagina 2 van 3",
    ),
    *(
        "Algemene gegevens",
        "Behandelingstraject Raad",
        "N.v.t.",
        "behoefte/",
        "mogelijkheid",
        "2021–",
        "2027",
        "x" * 60,
    ),
]


def likely(largest: int = 60) -> st.SearchStrategy[str]:
    """Pieces of fiches in any order."""
    return st.lists(st.sampled_from(_PIECES), max_size=largest).map("".join)


def anything(largest: int = 400) -> st.SearchStrategy[str]:
    """Any text, lone surrogates among it, or pieces of fiches, or both."""
    text = st.text(st.characters(codec=None), max_size=largest)
    return st.one_of(likely(), text, st.tuples(likely(), text, likely()).map("".join))


def as_text(raw: bytes) -> str:
    """Any bytes as a text: with lone surrogates where they begin with one, else with signs for what is none."""
    return raw.decode("utf-8", "surrogatepass" if raw[:1] == b"\xed" else "replace")


def check_sentences(text: str, spans: list[tuple[int, int]]) -> None:
    """In order, not overlapping, and covering all but spaces."""
    left = 0
    for start, end in spans:
        assert left <= start < end <= len(text)
        assert not text[left:start].strip()
        assert text[start:end].strip()
        left = end
    assert not text[left:].strip()


def check_document(document: Document) -> None:
    """Every passage an exact slice, every offset on a page, everything that can be cited within its passage."""
    text, length = document.text, len(document.text)
    assert "\f" not in text
    assert "  " not in text
    assert not any("\ue000" <= char <= "\uf8ff" for char in text), "a footnote's mark is left"
    assert not any("\ud800" <= char <= "\udfff" for char in text)
    text.encode("utf-8")
    assert list(document.page_starts) == sorted(set(document.page_starts))
    assert document.page_starts[0] == 0
    assert len(document.page_starts) == len(document.page_numbers)
    for offset in {0, length // 2, max(0, length - 1), *document.page_starts}:
        assert 1 <= document.page_at(offset) <= document.pages
    assert len({passage.id for passage in document.passages}) == len(document.passages)
    sections = {section.id for section in document.sections}
    for section in document.sections:
        assert 0 <= section.start < section.end <= length
    for passage in document.passages:
        assert 0 <= passage.start < passage.end <= length
        assert passage.section in sections | {""}
        assert passage.sentences
        before = passage.start
        for span in passage.sentences:
            assert before <= span.start < span.end <= passage.end
            assert text[span.start : span.end].strip()
            before = span.end
        if passage.kind == "paragraph":
            words = text[passage.start : passage.end]
            assert words == words.strip()
            check_sentences(words, [(s.start - passage.start, s.end - passage.start) for s in passage.sentences])
    for note in document.footnotes:
        assert 0 <= note.start < note.end <= length
        assert note.anchor is None or 0 <= note.anchor <= length
    check_sentences(text, split_sentences(text))
