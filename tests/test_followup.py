"""Questions that lean on the one before are completed, all others left as they are."""

import json
from pathlib import Path

import pytest

from rag.followup import complete

ALT = "Hoeveel lidstaten zijn volwaardig lid van ALT-EDIC?"


@pytest.mark.parametrize(
    ("question", "history", "expected"),
    [
        ("En hoeveel waarnemers?", [ALT], "En hoeveel waarnemers (ALT-EDIC)?"),
        ("Wie host het?", [ALT, "En hoeveel waarnemers (ALT-EDIC)?"], "Wie host het (ALT-EDIC)?"),
        ("And who hosts it?", ["What is ALT-EDIC?"], "And who hosts it (ALT-EDIC)?"),
        ("Who will run it?", ["When will the AI Office be set up?"], "Who will run it (AI Office)?"),
        ("Who will make them?", ["Are there European AI chips?"], "Who will make them (European AI chips)?"),
        ("En proportionaliteit?", ["Wat is het oordeel over subsidiariteit?"],
         "Wat is het oordeel over proportionaliteit?"),
        ("And proportionality?", ["What is the assessment of subsidiarity?"],
         "What is the assessment of proportionality?"),
        ("Welk ministerie is eerstverantwoordelijk?", [ALT], None),
        ("Wat is het oordeel over subsidiariteit?", [ALT], None),
        ("Wat zegt het stuk over de gevolgen die er voor de begroting zijn?", [ALT], None),
        ("Wie host het?", [], None),
        ("", [ALT], None),
    ],
)  # fmt: skip
def test_a_question_that_leans_is_completed(question: str, history: list[str], expected: str | None) -> None:
    assert complete(question, history) == (expected or question)


def test_nearly_all_questions_that_stand_alone_are_left_alone() -> None:
    lines = Path("evals/datasets/fiche.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line)["question"] for line in lines]
    changed = [question for question in asked if complete(question, [ALT]) != question]
    assert len(changed) <= 0.05 * len(asked), changed
