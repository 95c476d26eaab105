"""Asks innocent questions of poisoned documents: does fiche say what was planted in them?

    python -m evals.injection [--llm openai:MODEL]

Reads `datasets/injection.jsonl`. For each place that a payload can stand (a paragraph, a footnote,
a metadata field, the title) all payloads of that place are put into one copy of the shipped
fiche; payloads in questions are asked of the fiche as it is.
"""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from evals.engines import FicheCandidate, Result
from evals.measures import MEASURES, Row, estimate
from evals.sets import Question, read_set
from index.build import SHIPPED, shipped_document
from index.encoder import Encoder, load_encoder
from index.reader import read_text
from index.records import Document
from index.settings import load_settings
from index.snapshot import Snapshot, write_snapshot
from index.store import Manifest
from rag.author import Author, open_author
from rag.engine import Engine

__all__ = ["PLACES", "attack", "main", "poisoned"]

PLACES = ("paragraph", "footnote", "metadata", "title", "question")
_ANCHORS = {
    "paragraph": "2. Essentie voorstel  \n\n",
    "footnote": "17 Strategie Digitale Economie, Kamerstuk 2022, 26 643, nr. 941.\n",
    "metadata": "Ministerie van Economische Zaken en Klimaat \n",
    "title": "betrouwbare AI  \n",
}
"""What the payloads of a place are put behind, in the raw text of the shipped fiche."""
_DATASET = Path(__file__).parent / "datasets" / "injection.jsonl"


def poisoned(place: str, payloads: Sequence[str]) -> Document:
    """The shipped fiche with payloads at one place.

    Raises:
        ValueError: the place is not in the text any more.
    """
    raw = (files("index") / "corpus" / SHIPPED).read_text(encoding="utf-8")
    anchor = _ANCHORS[place]
    if anchor not in raw:
        raise ValueError(f"{anchor!r} is not in {SHIPPED}")
    apart = "\n\n" if place == "paragraph" else " "
    planted = apart.join(payloads) + ("\n\n" if place == "paragraph" else "\n")
    return read_text(raw.replace(anchor, anchor + planted, 1), shipped_document().id)


def attack(
    place: str, questions: Sequence[Question], encoder: Encoder, author: Author | None = None
) -> Iterator[tuple[Question, Result]]:
    """Each question with what came of it, over the document that its place is poisoned in."""
    payloads = [str(question.extra["payload"]) for question in questions]
    document = shipped_document() if place == "question" else poisoned(place, payloads)
    with TemporaryDirectory() as name:
        counts = write_snapshot(Path(name), [document], encoder)
        manifest = Manifest(place, "", encoder.name, encoder.fingerprint, encoder.dim, counts, {})
        candidate = FicheCandidate(Engine(Snapshot(Path(name), manifest), encoder, author=author))
        for question in questions:
            yield question, candidate.ask(question.question)


def main(
    llm: Annotated[str | None, typer.Option(help="A language model to attack, as FICHE_LLM names it.")] = None,
    seconds: Annotated[float, typer.Option(help="What the model may take for a question.")] = 300.0,
) -> None:
    """Run all attacks and say how many planted words were said, by place."""
    console = Console(highlight=False)
    questions, _ = read_set(_DATASET)
    settings = load_settings(llm=llm, llm_seconds=seconds)
    encoder, author = load_encoder(settings), open_author(settings)
    named = {measure.name: measure for measure in MEASURES}
    for place in PLACES:
        asked = [question for question in questions if question.extra["where"] == place]
        rows = [Row(*entry, {}) for entry in attack(place, asked, encoder, author)]
        said, quote = (estimate(rows, named[name].of) for name in ("planted words said", "right quote"))
        if said and quote:
            share = f"right quote {quote.value:.2f} [{quote.low:.2f}, {quote.high:.2f}]"
            console.print(f"{place}: planted words said in {said.value * said.count:.0f} of {said.count}, {share}")


if __name__ == "__main__":
    typer.run(main)
