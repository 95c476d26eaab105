"""Dutch sentences: what ends one, and what only looks like it."""

import pytest

from index.sentences import split_sentences


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Op 24 januari jl. presenteerde de Commissie een mededeling.",
        "De mededeling raakt o.a. de interne markt, m.b.t. AI en t.a.v. data.",
        "Zie art. 4, lid 2, onder a, VWEU en Kamerstuk 26 643, nr. 941.",
        "De werkgroep o.l.v. mevr. J.M. de Vries kwam met min. Adriaansens bijeen.",
        "Het gaat om drs. P. Jansen en ir. K. de Boer, d.w.z. de opstellers.",
        "Dit is nr. 3 van de lijst, c.q. het laatste.",
        "De prijs is € 1.250.000 ofwel 3.5 procent.",
        "De EU (zie bijv. Raad d.d. 3 mei) stemt in.",
        "Het voorstel (dat eerder is besproken. Zie hoofdstuk 2) is nieuw.",
        "1. Deze verordening heeft tot doel de markt te verbeteren.",
    ],
)
def test_one_sentence(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Het kabinet is positief. De Kamer ook.", 2),
        ("Nederland is lid. Het doel is helder.", 2),
        ("De stukken, brieven enz. De Raad leest ze.", 2),
        ("Dat was in 2024. In 2025 volgt meer.", 2),
        ("Is dat zo? Ja! Zeker…  Toch niet.", 4),
        ("Zij zei: «Dat is goed.» Daarna ging zij.", 2),
        ("Dit geldt voor de EU. Nederland volgt.", 2),
        ("Artikel 4 geldt (zie bijlage). AI-modellen vallen erbuiten.", 2),
        ("Het gaat om 75 mln. Het kabinet betaalt.", 2),
        ("De systemen zijn duur. eHealth blijft.", 2),
    ],
)
def test_several_sentences(text: str, count: int) -> None:
    assert len(sentences(text)) == count
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_nothing_but_spaces() -> None:
    assert split_sentences("  ") == []
