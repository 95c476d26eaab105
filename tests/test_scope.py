"""Questions over many documents: filters, names in the question, and sentences that many documents share."""

from datetime import date
from pathlib import Path

import pytest

import rag.searching
from index.build import build_index, index_store, memory_folder
from index.dates import find_date
from index.errors import ScopeError
from index.memory import Segment, TranslationMemory
from index.reader import read_text
from index.records import Document
from index.settings import load_settings
from index.snapshot import Snapshot
from rag.retriever import Retriever
from rag.scope import Card, Scope, named_by_number, read_scope
from tests.conftest import WordHashEncoder

SUBJECTS = {
    "fietsaccu": ("Verordening hergebruik fietsaccu’s", "COM(2025) 114", "12 maart 2025", "Binnenlandse Zaken"),
    "zwemwater": ("Richtlijn schoon zwemwater", "COM(2024) 2077", "3 mei 2024", "Infrastructuur en Waterstaat"),
    "nachttrein": ("Mededeling nachttreinen", "COM(2023) 901", "9 oktober 2023", "Financiën"),
}


def identity(name: str) -> str:
    return f"kst-22112-{1001 + list(SUBJECTS).index(name)}"


def fiche(name: str) -> Document:
    title, number, day, ministry = SUBJECTS[name]
    text = (
        f"Fiche: {title}\n\n1. Algemene gegevens\n\na) Titel voorstel\n{title}\n\nb) Datum ontvangst\n{day}\n\n"
        f"c) Nr. Commissiedocument\n{number}\n\nd) Eerstverantwoordelijk ministerie\nMinisterie van {ministry}\n\n"
        f"2. Subsidiariteit\n\nHet oordeel over de subsidiariteit is positief.\n\n3. Overig\n\nVerder niets.\n"
    )
    return read_text(text, identity(name))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    settings = load_settings(home=tmp_path_factory.mktemp("shelf"))
    encoder = WordHashEncoder()
    build_index(settings, encoder, [fiche(name) for name in SUBJECTS])
    return Retriever(index_store(settings).read(Snapshot, encoder.fingerprint), encoder)


CARDS = [
    Card("kst-1", "Verordening", "COM(2025) 114", date(2025, 3, 12), "Ministerie van Infrastructuur en Waterstaat"),
    Card("kst-2", "Richtlijn", "COM(2024) 2077", date(2024, 5, 3), "Ministerie van Financiën"),
    Card("brief", "Brief", "", None, ""),
]


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        (Scope(), [0, 1, 2]),
        (Scope(documents=("KST-2", "brief")), [1, 2]),
        (Scope(since=date(2024, 5, 3)), [0, 1]),
        (Scope(since=date(2024, 5, 4)), [0]),
        (Scope(until=date(2024, 5, 3)), [1]),
        (Scope(ministry="financien"), [1]),
        (Scope(ministry="waterstaat infrastructuur", since=date(2025, 1, 1)), [0]),
    ],
)
def test_a_filter_leaves_what_it_says(scope: Scope, left: list[int]) -> None:
    assert scope.choose(CARDS) == left


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (Scope(documents=("kst-9",)), "no document 'kst-9' in the index: it holds kst-1, kst-2, brief"),
        (Scope(since=date(2030, 1, 1)), "no document dated since 2030-01-01"),
        (Scope(ministry="Defensie", until=date(2025, 1, 1)), "ministry with 'Defensie' in its name, dated until"),
    ],
)
def test_a_filter_that_leaves_nothing_says_so(scope: Scope, reason: str) -> None:
    with pytest.raises(ScopeError) as caught:
        scope.choose(CARDS)
    assert reason in str(caught.value)
    assert caught.value.dutch


@pytest.mark.parametrize("since", ["gisteren", "2024-13-01", "2024-1", "01-02-2024"])
def test_a_date_that_is_none(since: str) -> None:
    with pytest.raises(ScopeError, match="which is no date: write it as"):
        read_scope([], since, "", "")
    with pytest.raises(ScopeError, match="turn them round"):
        read_scope([], "2025-01-01", "2024-01-01", "")


def test_dates_as_people_write_them() -> None:
    assert find_date("24 januari 2024") == date(2024, 1, 24)
    assert find_date("the 3rd of May") is None
    assert find_date("3 May 2024 en 4 juni 2023") == date(2024, 5, 3)
    assert find_date("2024-02-30") is None
    assert find_date("ontvangen op 1-2-2024") == date(2024, 2, 1)


@pytest.mark.parametrize(
    ("question", "met", "rest"),
    [
        ("Wat kost het volgens COM(2024) 2077?", [1], "Wat kost het?"),
        ("Wie betaalt er in fiche COM(2025) 114 mee?", [0], "Wie betaalt er mee?"),
        ("Wat staat er in 2024 over 5000 treinen?", [], "Wat staat er in 2024 over 5000 treinen?"),
        ("COM(2024) 2077", [1], "COM(2024) 2077"),
    ],
)
def test_a_number_names_its_document(question: str, met: list[int], rest: str) -> None:
    assert named_by_number(question, CARDS) == (met, rest)


def test_a_document_that_is_named_comes_first(shelf: Retriever) -> None:
    for name, (title, number, _, _) in SUBJECTS.items():
        own = identity(name)
        for question in (
            f"Wat is het oordeel over de subsidiariteit in de fiche over {title}?",
            f"Wat is het oordeel over de subsidiariteit volgens {number}?",
            f"Wat is het oordeel over de subsidiariteit ({own})?",
        ):
            best = shelf.retrieve(question, "nl").hits[0]
            assert best.document.id == own, question
            assert best.text == "Het oordeel over de subsidiariteit is positief.", question


def test_an_english_question_names_a_document_by_its_translated_title(
    tmp_path: Path, fake: WordHashEncoder, shelf: Retriever
) -> None:
    settings = load_settings(home=tmp_path)
    english = {
        "fietsaccu": "Regulation on the reuse of bicycle batteries",
        "zwemwater": "Directive on clean bathing water",
        "nachttrein": "Communication on night trains",
    }
    memory_folder(settings).mkdir()
    memory = TranslationMemory(Segment(SUBJECTS[name][0], words) for name, words in english.items())
    memory.write(memory_folder(settings) / "titles.tmx")
    build_index(settings, fake, [fiche(name) for name in SUBJECTS])
    translated = Retriever(index_store(settings).read(Snapshot, fake.fingerprint), fake)
    for place, topic in enumerate(("reuse of bicycle batteries", "clean bathing water", "night trains")):
        question = f"In the fiche on {topic}: what is the opinion on subsidiarity?"
        aim = translated.shelf.aim(question)
        assert aim.named.tolist() == [place]
        assert aim.question == "What is the opinion on subsidiarity?"
        assert not len(shelf.shelf.aim(question).named)
        assert translated.retrieve(question, "en").hits[0].document.id == translated.shelf.cards[place].id
    for none in ("What is the opinion on subsidiarity?", "What does the regulation on trout cost?"):
        assert not len(translated.shelf.aim(none).named), none


def test_a_filter_keeps_to_its_documents(shelf: Retriever, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = read_scope([], "2024-01-01", "", "waterstaat")
    found = shelf.retrieve("Wat is het oordeel over de subsidiariteit?", "nl", scope=scope)
    assert {hit.document.id for hit in found.hits} == {identity("zwemwater")}
    assert len(found.hits) > 5
    monkeypatch.setattr(rag.searching, "ALL_ROWS", 10)
    monkeypatch.setattr(rag.searching, "CANDIDATES", 5)
    large = Retriever(shelf.snapshot, shelf.encoder)
    again = large.retrieve("Wat is het oordeel over de subsidiariteit?", "nl", scope=scope)
    assert {hit.document.id for hit in again.hits} == {identity("zwemwater")}
    named = large.retrieve("Wat zegt de Mededeling nachttreinen over subsidiariteit?", "nl")
    assert named.hits[0].document.id == identity("nachttrein")


def test_standard_sentences_leave_room(tmp_path: Path, fake: WordHashEncoder) -> None:
    """Thirty fiches say the same; the one that says something else is among the first all the same."""
    many = [read_text(f"Deel {i}\n\nHet oordeel over de subsidiariteit is positief.", f"stuk-{i}") for i in range(30)]
    other = read_text("Het oordeel over de subsidiariteit van dit voorstel is echter negatief.", "anders")
    settings = load_settings(home=tmp_path)
    build_index(settings, fake, [*many, other])
    shelf = Retriever(index_store(settings).read(Snapshot, fake.fingerprint), fake)
    hits = shelf.retrieve("Wat is het oordeel over de subsidiariteit?", "nl").hits
    assert "anders" in [hit.document.id for hit in hits[:3]]
    assert len(hits) == 10


def test_one_document_is_asked_as_before(tmp_path: Path, fake: WordHashEncoder) -> None:
    settings = load_settings(home=tmp_path)
    build_index(settings, fake, [fiche("zwemwater")])
    alone = Retriever(index_store(settings).read(Snapshot, fake.fingerprint), fake)
    aim = alone.shelf.aim("Wat is het oordeel volgens COM(2024) 2077?")
    assert aim.question == "Wat is het oordeel volgens COM(2024) 2077?"
    assert not aim.lift.any()
