"""What kind of thing a question wants, and whether a text holds one."""

import pytest

from rag.kinds import Kind, expected_kinds, holds


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("Hoeveel lidstaten doen mee?", {"number"}),
        ("How many member states take part?", {"number"}),
        ("Hoeveel geld is er?", {"money"}),
        ("How much does it cost?", {"money"}),
        ("Wanneer begint het?", {"date"}),
        ("What year did it start?", {"date"}),
        ("Wie betaalt dat?", {"actor"}),
        ("Which ministry is in charge?", {"actor"}),
        ("Waarom is dat zo?", {"reason"}),
        ("Why?", {"reason"}),
        ("Where is it based?", {"place"}),
        ("Wat is GenAI4EU?", {"definition"}),
        ("Is het kabinet het ermee eens?", set()),
    ],
)
def test_what_is_asked_for(question: str, kinds: set[Kind]) -> None:
    assert expected_kinds(question) == kinds


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("Er doen 14 lidstaten mee.", "number", True),
        ("Zeven regionale hubs helpen.", "number", True),
        ("Zie COM(2024) en verordening 2021/1173.", "number", False),
        ("Het is EUR 75 miljoen.", "money", True),
        ("Er doen 14 lidstaten mee.", "money", False),
        ("Op 21 februari begint het.", "date", True),
        ("Het begint spoedig.", "date", False),
        ("Dat komt doordat het regent.", "reason", True),
        ("Het regent.", "reason", False),
        ("Dit staat in artikel 4, lid 2.", "reference", True),
        ("Het is gevestigd in Frankrijk.", "place", True),
    ],
)
def test_what_a_text_holds(text: str, kind: Kind, expected: bool) -> None:
    assert holds(text, kind) is expected
