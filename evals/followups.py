"""Measures questions that lean on the ones before them: asked as typed, completed, and written out in full.

    python -m evals.followups

Two sets: `training/followups.jsonl`, dialogues on invented documents, by which the rules of
`rag.followup` were chosen; and `datasets/fiche-chat.jsonl`, on the fiche, which they are measured on.
A question counts as right where the evidence is quoted, or where it is rightly refused.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from evals.corpora import document_of_passages
from evals.reader.corpus import read_corpus
from evals.sets import Question, read_set
from index.build import known_translations, shipped_document
from index.encoder import load_encoder
from index.records import Document
from index.settings import Settings, load_settings
from index.snapshot import Snapshot, write_snapshot
from index.store import Manifest
from rag.engine import Engine

__all__ = ["main", "texts"]

_HERE = Path(__file__).parent
Ask = Callable[[Engine, Question], str]


def texts() -> Iterator[tuple[str, Document, list[Question]]]:
    """Each set's name, a document of it, and the questions on that document."""
    asked, _ = read_set(_HERE / "training" / "followups.jsonl")
    corpus = read_corpus([_HERE / "training" / "invented"])
    for name in dict.fromkeys(question.document for question in asked):
        own = [text for text in corpus.texts if text.id.startswith(f"{name}-")]
        passages = [(text.id, text.title, text.text) for text in own]
        document = document_of_passages(name, passages, {text.id for text in own if text.field})
        yield "invented documents", document, [question for question in asked if question.document == name]
    yield "the fiche", shipped_document(), read_set(_HERE / "datasets" / "fiche-chat.jsonl")[0]


def _understood(engine: Engine, question: Question) -> str:
    """The question as it is meant after those before it, each of which was understood in its turn."""
    before: list[str] = []
    for asked in (*question.history, question.question):
        before.append(engine.understand(asked, before, question.lang))
    return before[-1]


_WAYS: dict[str, Ask] = {
    "as typed": lambda _, question: question.question,
    "completed": _understood,
    "written out": lambda _, question: str(question.extra.get("standalone", "")),
}


def is_right(engine: Engine, question: Question, asked: str) -> bool:
    """Whether the evidence is quoted, or an unanswerable question refused."""
    answer = engine.ask(asked, question.lang)
    if not question.answerable:
        return answer.abstained
    return any(question.evidence_in(citation.quote) for citation in answer.citations)


def main() -> None:
    """Ask both sets in every way, and show how many were right."""
    table = Table("", "language", *_WAYS)
    settings = load_settings()
    right: dict[tuple[str, str], dict[str, list[bool]]] = {}
    for name, document, questions in texts():
        with tempfile.TemporaryDirectory() as folder:
            engine = _engine(settings, Path(folder), document)
            for question in questions:
                if not question.history:
                    continue
                for way, make in _WAYS.items():
                    if asked := make(engine, question):
                        found = right.setdefault((name, question.lang), {})
                        found.setdefault(way, []).append(is_right(engine, question, asked))
    for (name, lang), found in right.items():
        cells = [f"{sum(found[way])} of {len(found[way])}" if way in found else "–" for way in _WAYS]
        table.add_row(name, lang, *cells)
    Console(highlight=False).print(table)


def _engine(settings: Settings, folder: Path, document: Document) -> Engine:
    encoder = load_encoder(settings)
    counts = write_snapshot(folder, [document], encoder, None, known_translations(settings))
    manifest = Manifest("followups", "", encoder.name, encoder.fingerprint, encoder.dim, counts, {})
    return Engine(Snapshot(folder, manifest), encoder)


if __name__ == "__main__":
    typer.run(main)
