"""The reader on the shipped fiche, and on texts of the same family that look different."""

import json
import time
from pathlib import Path

import pytest

from index.errors import DocumentError
from index.reader import MAX_DOCUMENT_BYTES, document_id, read_document, read_text
from index.records import Document

ROOT = Path(__file__).parent.parent
OUTLINE = "1 1a 1b 1c 1d 1e 1f 1g 2 3 3a 3b 3c 4 4a 4b 4c 4d 4e"


def quoted(document: Document, number: int) -> str:
    note = next(n for n in document.footnotes if n.number == number)
    return document.text[note.start : note.end]


def before_mark(document: Document, number: int) -> str:
    anchor = next(n.anchor for n in document.footnotes if n.number == number)
    assert anchor is not None
    return document.text[max(0, anchor - 30) : anchor].split()[-1]


def test_outline_of_the_shipped_fiche(fiche: Document) -> None:
    assert " ".join(section.id for section in fiche.sections) == OUTLINE
    titles = {section.id: section.title for section in fiche.sections}
    assert titles["1f"] == "Behandelingstraject Raad"
    assert titles["3b"] == "Beoordeling + inzet ten aanzien van dit voorstel"
    assert titles["4"].startswith("Grondhouding ten aanzien van")
    assert titles["4"].endswith("geopolitieke aspecten")


def test_metadata_of_the_shipped_fiche(fiche: Document) -> None:
    metadata = dict(fiche.metadata)
    assert metadata.pop("title").endswith("betrouwbare artificiële intelligentie.")
    assert metadata == {
        "date": "24 januari 2024",
        "number": "COM(2024) 28",
        "eurlex": "EUR-Lex – 52024DC0028 – NL – EUR-Lex (europa.eu)",
        "impact_assessment": "N.v.t.",
        "council": "Raad Vervoer, Telecommunicatie en Energie (Telecom)",
        "ministry": "Ministerie van Economische Zaken en Klimaat",
    }


def test_pages_of_the_shipped_fiche(fiche: Document) -> None:
    assert fiche.pages == 8
    for words, page in {
        "Fiche: Mededeling": 1,
        "general purpose AI-modellen. In het oprichtingsbesluit": 2,
        "Frankrijk host de wettelijke zetel": 5,
        "De positie van het Europees Parlement is nog onbekend.": 6,
        "door High-Performance Computing": 7,
        "publieke en private investeringen in AI-startups en scale-ups aan te": 8,
        "Dit zijn AI-modellen en systemen": 2,
        "Overheidsbrede visie Generatieve AI, Kamerstuk": 3,
    }.items():
        assert fiche.page_at(fiche.text.index(words)) == page, words


def test_every_footnote_is_tied_to_its_place(fiche: Document) -> None:
    assert [note.number for note in fiche.footnotes] == list(range(1, 18))
    marks = {1: "AI-innovatiepakket.", 2: "Office", 5: "AI-modellen", 9: "(DIGITAL)", 10: "(SAPAI)", 11: "AI"}
    assert {number: before_mark(fiche, number) for number in marks} == marks
    assert quoted(fiche, 2).endswith("C(2024) 390, 24 januari 2024.")
    assert quoted(fiche, 10).startswith("Strategisch Actieplan")
    assert quoted(fiche, 10).endswith("nr. 1082.")
    body_end = min(note.start for note in fiche.footnotes)
    assert all(note.anchor is not None and note.anchor < body_end for note in fiche.footnotes)


@pytest.mark.parametrize(
    "words",
    [
        "Een inhoudelijke beoordeling van het takenpakket",
        "zoals AI-startups. Volgens".replace(" Volgens", ""),
        "European Digital Infrastructure Consortium, ALT-EDIC)",
        "kennisinstellingen en andere organisaties",  # over a page end and eight footnotes
        "onderwijsprogramma’s waarin",
        "modellen en -systemen, ziet het kabinet",
        "behoefte/mogelijkheid",
        "niet-Europese producten",
        "midden- en kleinbedrijven (mkb)",
        "begroting 2021–2027",
        "realisatie van 17 nieuwe AI onderzoekslabs",
        "Verordening (EU)2021/1173",
        "toegankelijk te maken voor startups, door publieke en private",
    ],
)
def test_the_text_is_as_a_person_reads_it(fiche: Document, words: str) -> None:
    assert words in fiche.text


def test_nothing_of_the_page_is_left_in_the_text(fiche: Document) -> None:
    assert "vergaderjaar" not in fiche.text
    assert "  " not in fiche.text
    assert not any(ch in fiche.text for ch in "\t\f\r")
    for paragraph in fiche.text.split("\n\n"):
        assert paragraph == paragraph.strip()
        assert paragraph
        assert "\n" not in paragraph


def test_passages_are_slices_that_cover_the_text(fiche: Document) -> None:
    covered = [False] * len(fiche.text)
    for passage in fiche.passages:
        assert 0 <= passage.start < passage.end <= len(fiche.text)
        assert len(fiche.text[passage.start : passage.end].split()) <= 250
        for span in passage.sentences:
            assert passage.start <= span.start < span.end <= passage.end
        covered[passage.start : passage.end] = [True] * (passage.end - passage.start)
    for section in fiche.sections:
        covered[section.start : section.end] = [True] * (section.end - section.start)
    left = "".join(char for char, is_covered in zip(fiche.text, covered, strict=True) if not is_covered)
    assert not left.strip()
    assert len({passage.id for passage in fiche.passages}) == len(fiche.passages)


def test_reading_twice_gives_the_same_ids(fiche: Document) -> None:
    again = read_text((ROOT / "index/corpus/kst-22112-3908.nl.txt").read_text(encoding="utf-8"), fiche.id)
    assert again == fiche


@pytest.mark.parametrize("name", sorted(p.stem for p in (ROOT / "tests/data").glob("fictief-?.txt")))
def test_other_fiches_of_the_family(name: str) -> None:
    document = read_document((ROOT / "tests/data") / f"{name}.txt")
    expected = json.loads(((ROOT / "tests/data") / f"{name}.expected.json").read_text(encoding="utf-8"))
    assert [[s.id, s.title] for s in document.sections] == expected["outline"]
    fields = {
        p.section: document.text[p.sentences[0].start : p.sentences[0].end]
        for p in document.passages
        if p.kind == "field" and p.section
    }
    assert {key: fields.get(key) for key in expected["metadata"]} == expected["metadata"]
    assert [n.number for n in document.footnotes] == [number for number, *_ in expected["footnotes"]]
    for number, start, word in expected["footnotes"]:
        assert quoted(document, number).startswith(start)
        assert before_mark(document, number).endswith(word.split()[-1])
    if expected["pages"]:
        assert document.pages == expected["pages"]
    assert [words for words in expected["must_contain"] if words not in document.text] == []
    assert [words for words in expected["must_not_contain"] if words in document.text] == []


def test_a_mark_is_not_taken_from_a_name() -> None:
    raw = "1. Inleiding\n\nDe CO2-uitstoot en CO2 dalen.1 De Raad2 stemt in.\n\n1 Eerste noot.\n2 Tweede noot."
    document = read_text(raw, "x")
    assert "De CO2-uitstoot en CO2 dalen. De Raad stemt in." in document.text
    assert before_mark(document, 2) == "Raad"


def test_an_enumeration_is_no_outline() -> None:
    raw = "1. Inleiding\n\nEr zijn drie punten:\na) het eerste;\nb) het tweede;\n3. het derde.\n\n2. Slot\n\nKlaar."
    assert [s.id for s in read_text(raw, "x").sections] == ["1", "2"]


def test_a_list_stays_with_the_sentence_that_announces_it() -> None:
    document = read_text("1. Inleiding\n\nHet gaat om:\n- water;\n- lucht.\n\nVerder niets.", "x")
    first = document.passages[0]
    assert [document.text[s.start : s.end] for s in first.sentences] == ["Het gaat om:", "- water;", "- lucht."]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\f \n", "empty"),
        (b"\x00\x01\x02 tekst", "not text"),
        (b"caf\xe9", "not UTF-8"),
    ],
)
def test_a_document_that_cannot_be_read(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=reason):
        read_document(path)


def test_a_document_that_is_missing_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no document at"):
        read_document(tmp_path / "none.txt")
    with pytest.raises(DocumentError, match="no document at"):
        read_document(tmp_path)
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(MAX_DOCUMENT_BYTES + 1)
    with pytest.raises(DocumentError, match="split it"):
        read_document(large)


def test_escapes_and_hidden_signs_never_reach_the_text() -> None:
    text = read_text("1. In\x1b[31mlei\u202eding\n\nAan\u200bvraag\u00ad en be\u00adsluit.\x07", "x").text
    assert text == "1. Inleiding\n\nAanvraag en besluit."


def test_the_name_of_a_document() -> None:
    assert document_id(Path("/x/kst-22112-3908.nl.txt")) == "kst-22112-3908"
    assert document_id(Path("Mijn fiche (2).txt")) == "mijn-fiche-2"


ENDLESS = {
    "page numbers": "1\n" * 50_000,
    "two page numbers": "1\n2\n" * 25_000,
    "initials": "A. " * 33_000,
    "ordinals": "1. " * 33_000,
    "abbreviations": "Art. 1 " * 14_000,
    "open brackets": "(A. " * 25_000,
    "short lines": "a\n" * 50_000,
    "hyphens": "woord-\n" * 14_000,
    "soft hyphens": "be\u00ad\n" * 25_000,
    "slashes": "ab/\n" * 25_000,
    "dashes": "tekst\n\n" + "-" * 100_000,
    "rules": "a\n" + "_____\n" * 16_000,
    "letters of no outline": "1. A\n\n" + "a) b.\n" * 16_000,
    "a heading and no end": "1. Kop\n" + "woord\n" * 16_000,
    "paragraphs like notes": "tekst\n\n" + "1 noot\n\n" * 12_500,
    "marks": "w.1 " * 25_000 + "\n\n1 noot",
    "names like marks": "Abc1 " * 20_000 + "\n\n" + "\n".join(f"{i} Noot." for i in range(1, 90)),
    "rows of notes": "".join(f"w.{i} x\n\n{i} noot.\n\nTekst.\n\n" for i in range(1, 4_000)),
    "accents": "a" + "\u0301\u0323" * 100_000,
    "blank lines": "a" + "\n" * 1_000_000,
}
"""What repeats itself, in some 100,000 characters: time that grew with their square was minutes here."""


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_read_in_time(name: str) -> None:
    began = time.process_time()
    document = read_text("Woord hier.\n\n" + ENDLESS[name], "x")
    assert time.process_time() - began < 2
    assert document.text.startswith("Woord")
