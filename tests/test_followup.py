"""Questions that lean on the one before are completed, all others left as they are."""

import json
from pathlib import Path

import pytest

from evals.sets import read_set
from index.errors import QuestionError
from rag.engine import Engine
from rag.followup import complete, readings

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


def test_a_question_is_read_of_what_was_asked_last_and_of_the_first_topic() -> None:
    history = ["Wat doet de NLAIC?", "Hoeveel subsidie krijgt ROBUST?"]
    assert readings("Tot wanneer loopt die?", history) == [
        "Tot wanneer loopt die?",
        "Tot wanneer loopt die (ROBUST)?",
        "Tot wanneer loopt die (NLAIC)?",
    ]
    assert readings("Wie evalueert de regeling?", history[:1])[1:] == ["Wie evalueert de regeling (NLAIC)?"]
    assert readings("Welke rol speelt GenAI4EU?", history) == ["Welke rol speelt GenAI4EU?"]
    assert readings("Wie betaalt?", []) == ["Wie betaalt?"]
    assert readings("Wie betaalt?", ["", " "]) == ["Wie betaalt?"]


@pytest.mark.model
def test_of_its_readings_a_question_is_asked_as_the_index_speaks_for_it(engine: Engine) -> None:
    history = ["Wat is ROBUST?"]
    assert engine.understand("Hoeveel promovendi zijn dat?", history) in readings(
        "Hoeveel promovendi zijn dat?", history
    )
    assert engine.understand("And who hosts it?", ["What is ALT-EDIC?"]) == "And who hosts it (ALT-EDIC)?"
    assert engine.understand("Welk ministerie is eerstverantwoordelijk?", history) == (
        "Welk ministerie is eerstverantwoordelijk?"
    )
    assert engine.understand("Wat is GenAI4EU?", []) == "Wat is GenAI4EU?"
    with pytest.raises(QuestionError):
        engine.understand("?!", history)


@pytest.mark.model
def test_what_stands_alone_is_answered_as_well_after_another_question(engine: Engine) -> None:
    asked, _ = read_set(Path("evals/datasets/fiche.jsonl"))
    dev = [question for question in asked if question.split == "dev" and question.answerable][::3]

    def right(history: list[str]) -> int:
        answers = [engine.ask(engine.understand(q.question, history, q.lang), q.lang) for q in dev]
        return sum(any(q.evidence_in(c.quote) for c in a.citations) for q, a in zip(dev, answers, strict=True))

    assert right([ALT]) >= right([]) - 0.03 * len(dev)
