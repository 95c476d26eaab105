"""Two engines over the same documents give the same answers: the same passages, quotes and verdicts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evals.sets import Question, read_set
from rag.engine import Engine

FICHE_SET = Path(__file__).parent.parent / "evals" / "datasets" / "fiche.jsonl"


def dev_questions() -> list[Question]:
    """The dev split of the questions about the shipped fiche, in both languages."""
    return [question for question in read_set(FICHE_SET)[0] if question.split == "dev"]


def agree(mine: Engine, theirs: Engine, questions: Sequence[Question]) -> None:
    """Ask both everything; figures may differ by a rounding, and nothing else at all."""
    assert questions
    for question in questions:
        one, other = (_told(engine, question.question) for engine in (mine, theirs))
        assert one["words"] == other["words"], question.question
        assert one["figures"] == pytest.approx(other["figures"], abs=1e-4), question.question


def _told(engine: Engine, question: str) -> dict[str, Any]:
    answer = engine.ask(question).to_json()
    del answer["timings_ms"]
    figures = [answer.pop("confidence"), *(passage.pop("score") for passage in answer["passages"])]
    return {"words": answer, "figures": figures}
