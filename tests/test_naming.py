"""An English question finds the document that it names, though its title is Dutch, and none where it names none."""

import pytest

from index.build import build_index, open_snapshot
from index.encoder import Encoder
from index.reader import read_text
from index.settings import load_settings
from rag.retriever import Retriever

_OF = "van het Europees Parlement en de Raad"
NAMED = {
    f"Voorstel voor een verordening {_OF} betreffende het welzijn van honden en katten en de traceerbaarheid daarvan": (
        "Who keeps the database in the regulation on the welfare of dogs and cats?",
        "Who keeps the database?",
    ),
    "Mededeling van de Commissie aan het Europees Parlement en de Raad: Een Europese strategie voor betaalbaar wonen": (
        "What does the communication on affordable housing say about short-term rental?",
        "",
    ),
    "Voorstel voor een richtlijn inzake bodemmonitoring en bodemveerkracht": (
        "How often must they be measured under the directive on soil monitoring?",
        "How often must they be measured?",
    ),
    "Aanbeveling over rookvrije ruimten buitenshuis": (
        "Is the cabinet in favour of the recommendation on smoke-free outdoor spaces?",
        "Is the cabinet in favour?",
    ),
    "Verordening luchtreizigersrechten bij overstappen tussen vervoerswijzen": (
        "What compensation is there in the proposal on passenger rights?",
        "What compensation is there?",
    ),
    "Mededeling Visie op landbouw en voedsel": (
        "In the fiche on the vision for agriculture and food: who pays for it?",
        "Who pays for it?",
    ),
    "Voorstel voor een besluit van de Raad betreffende de toetreding van Bulgarije tot de eurozone": (
        "What does the decision on Bulgaria joining the euro cost?",
        "",
    ),
    "Richtlijn bescherming van klokkenluiders bij de krijgsmacht": (
        "Which authority is set up by the directive on whistleblowers in the armed forces?",
        "",
    ),
    "Verordening inzake het terugdringen van methaanemissies in de energiesector": (
        "What does the regulation about methane emissions require of importers?",
        "",
    ),
    "Mededeling Europees actieplan staal en metalen": ("What tariff does the action plan on steel mention?", ""),
    "Voorstel voor een verordening tot vaststelling van minimumeisen voor kinderopvang op de werkplek": (
        "What does the fiche on childcare at work say about proportionality?",
        "",
    ),
    "Voorstel voor een verordening betreffende het verbod op in dwangarbeid vervaardigde producten": (
        "Who may stop goods under the proposal on products made with forced labour?",
        "Who may stop goods?",
    ),
}
"""Titles with a question that names each, and what is left of it without the name, where that is sure."""
ELSEWHERE = [
    "What does the regulation on fishing quotas for cod say?",
    "Who enforces the directive on toy safety?",
    "What does the fiche on artificial intelligence liability say?",
    "When does the proposal on tobacco taxation apply?",
    "In the fiche on the European defence fund: what does the cabinet think?",
    "What does the communication on migration and Africa propose?",
    "What does the decision on the enlargement of Schengen change?",
    "How much money is in the regulation on the common agricultural policy?",
    "What are the rules in the regulation on animal transport?",
    "What must banks do under the directive on mortgage credit?",
]
NONE = [
    "What does the proposal say about subsidiarity?",
    "What is the opinion of the Dutch government on the proposal?",
    "Which role do the Member States play in the implementation of the regulation?",
    "What are the consequences of the regulation for developing countries?",
    "What does the cabinet think of the proposal for the national budget?",
    "What is the expected position of the European Parliament on the proposal?",
    "What does the government think of the decision of the Council on voting?",
    "What does the proposal for small businesses cost?",
]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Retriever:
    settings = load_settings(home=tmp_path_factory.mktemp("naming"))
    texts = (
        f"Fiche: {title}\n\n1. Algemene gegevens\n\na) Titel voorstel\n{title}\n\nb) Datum ontvangst\n3 mei 2025\n\n"
        "2. Subsidiariteit\n\nHet oordeel over de subsidiariteit is positief.\n\n"
        "3. Financiën\n\nDe kosten worden gedragen door de Unie.\n"
        for title in NAMED
    )
    build_index(settings, encoder, [read_text(text, f"kst-22112-{4001 + i}") for i, text in enumerate(texts)])
    return Retriever(open_snapshot(settings), encoder)


@pytest.mark.model
def test_most_that_are_named_are_known_and_none_is_taken_for_another(shelf: Retriever) -> None:
    met = {}
    for place, (question, _) in enumerate(NAMED.values()):
        aim = shelf.shelf.aim(question)
        assert aim.named.tolist() in ([], [place]), question
        met[question] = len(aim.named)
        if aim.named.tolist():
            assert shelf.retrieve(question, "en").hits[0].document.id == shelf.shelf.cards[place].id
    assert sum(met.values()) >= 8


@pytest.mark.model
@pytest.mark.parametrize("question", [*ELSEWHERE, *NONE])
def test_a_question_that_names_no_document_is_left_alone(shelf: Retriever, question: str) -> None:
    aim = shelf.shelf.aim(question)
    assert aim.question == question
    assert not aim.lift.any()


@pytest.mark.model
def test_the_name_and_nothing_else_is_taken_out(shelf: Retriever) -> None:
    for question, rest in NAMED.values():
        if rest:
            assert shelf.shelf.aim(question).question == rest
