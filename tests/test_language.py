"""Which language a question is in, short ones and names included."""

import pytest

from rag.language import detect_language


@pytest.mark.parametrize(
    "question",
    [
        "Welk ministerie?",
        "wat is het budget",
        "wie leidt de AI Office",
        "Wat is GenAI4EU?",
        "Rechtsbasis",
        "is Nederland lid",
        "AI in de EU",
        "hoeveel geld",
        "regeldruk",
        "waarom",
        "subsidiariteit?",
        "Wat vindt het kabinet van the European Chips Act?",
        "wanneer is ie ontvangen",
    ],
)
def test_dutch(question: str) -> None:
    assert detect_language(question) == "nl"


@pytest.mark.parametrize(
    "question",
    [
        "which ministry",
        "what's the budget",
        "who leads the AI Office?",
        "What is GenAI4EU?",
        "subsidiarity?",
        "proportionality assessment",
        "why",
        "position of European Parliament",
        "What does the kabinet think of it?",
        "how many lidstaten are observers?",
        "legal basis of the proposal",
    ],
)
def test_english(question: str) -> None:
    assert detect_language(question) == "en"


@pytest.mark.parametrize("question", ["ALT-EDIC", "COM(2024) 28", "EuroHPC?", "2024", "26 643", "NLAIC AiNed", "€ 75"])
def test_names_and_numbers_leave_the_choice_to_the_caller(question: str) -> None:
    assert detect_language(question) == "nl"
    assert detect_language(question, default="en") == "en"
