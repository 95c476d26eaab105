"""What a question names that the document lacks."""

from pathlib import Path

import pytest

from index.reader import read_text
from rag.confidence import unknown_names
from rag.language import detect_language
from tests.conftest import WordHashEncoder
from tests.test_retriever import snapshot_of


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("Geldt de wet in Noorwegen?", ["Noorwegen"]),
        ("Geldt de wet in Duitsland sinds 2018?", []),
        ("Wat vindt Brussel daarvan, en Den Haag?", []),
        ("Kosten. Wanneer dan? Hoeveel?", []),
        ("Does the GDPR apply in Germany?", []),
        ("Does it apply in Norway?", ["Norway"]),
        ("Did it apply in 2015?", ["2015"]),
        ("What does Bits of Freedom think of it?", []),
    ],
)
def test_names_that_a_dutch_text_lacks(
    question: str, unknown: list[str], tmp_path: Path, fake: WordHashEncoder
) -> None:
    text = read_text("1. Kop\n\nDe AVG geldt in Duitsland sinds 2018.\n", "x")
    assert unknown_names(question, detect_language(question), snapshot_of(tmp_path, text, fake)) == unknown
