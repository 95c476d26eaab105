"""Asks documents alone, in the company of others, and in company with the document named.

    python -m evals.company [--write]

The company is the shipped fiche, the invented fiches of the training data and those of
`datasets/unseen`. Of the shipped fiche only the dev questions are asked; on the unseen fiches nothing
is tuned. `--write` keeps the figures in `evals/company.json`.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evals.reader.corpus import read_corpus
from evals.reader.documents import documents_of
from evals.sets import Question, read_set
from index.build import build_index, shipped_document
from index.encoder import Encoder, load_encoder
from index.reader import field_name
from index.records import Document
from index.settings import load_settings
from rag.engine import Engine, open_engine

__all__ = ["company", "main", "named"]

_HERE = Path(__file__).parent
_EACH = 6
"""Pairs of questions of each invented fiche."""
_BOILERPLATE = re.compile(
    r"^(?:voorstel voor een )?(?:gezamenlijke )?(?:verordening|richtlijn|mededeling|aanbeveling)\b"
    r"(?: van (?:het europees parlement en )?de (?:raad|commissie)(?: en de hoge vertegenwoordiger)?)?"
    r"(?: aan het europees parlement.*?regio.s\b)?[\s:–-]*(?:(?:betreffende|inzake|over|tot vaststelling van) )?"
    r"|,? en tot (?:wijziging|intrekking|oprichting) van .*|\.$",
    re.IGNORECASE,
)
Figures = dict[str, float]


def company() -> dict[str, list[tuple[Document, list[Question]]]]:
    """The documents with their answerable questions, by kind: `fiche`, `invented`, `unseen`."""
    own = shipped_document()
    questions, _ = read_set(_HERE / "datasets" / "fiche.jsonl")
    found = {"fiche": [(own, [q for q in questions if q.split == "dev"])]}
    for kind, folder in (("invented", "training/invented"), ("unseen", "datasets/unseen")):
        found[kind] = [(_titled(d), _drawn(asked)) for d, asked in documents_of(read_corpus([_HERE / folder]))]
    return {kind: [(d, [q for q in asked if q.answerable]) for d, asked in texts] for kind, texts in found.items()}


def _titled(document: Document) -> Document:
    """The document with the metadata that its fields give, as a fiche that was read has them."""
    metadata: dict[str, str] = {}
    for passage in document.passages:
        name = field_name(document.section_title(passage.section))
        if passage.kind == "field" and name:
            metadata.setdefault(name, document.text[passage.start : passage.end])
    return replace(document, title=metadata.get("title", document.title), metadata=metadata)


def _drawn(questions: Sequence[Question]) -> list[Question]:
    answerable = {q.pair for q in questions if q.answerable}
    chosen = sorted(answerable, key=lambda pair: hashlib.sha256(pair.encode()).digest())[:_EACH]
    return [q for q in questions if q.pair in chosen]


def named(question: Question, document: Document) -> Iterator[str]:
    """The question with its document named: by its subject, by its number, before it and after it."""
    topic = _BOILERPLATE.sub("", document.metadata.get("title", document.title)).strip()
    number = document.metadata.get("number", document.id)
    bare = question.question
    if question.lang == "nl":
        yield f"In de fiche over {topic}: {bare[0].lower()}{bare[1:]}"
        yield f"{bare.rstrip('?')} volgens {number}?"
    else:
        yield f"In the fiche on “{topic}”: {bare[0].lower()}{bare[1:]}"
        yield f"{bare.rstrip('?')} according to {number}?"


def _measure(engine: Engine, asked: Sequence[tuple[str, Document, Question]]) -> Figures:
    """Shares of questions: right passage first and among five, right sentence quoted, refused."""
    sums = dict.fromkeys(("success@1", "success@5", "right quote", "refused", "right document"), 0.0)
    for text, document, question in asked:
        answer = engine.ask(text, question.lang)
        hits = [hit.document.id == document.id and question.evidence_in(hit.text) for hit in answer.passages]
        sums["success@1"] += any(hits[:1])
        sums["success@5"] += any(hits[:5])
        sums["right document"] += answer.passages[0].document.id == document.id
        sums["refused"] += answer.abstained
        cited = [c for c in answer.citations if c.document.id == document.id]
        sums["right quote"] += any(question.evidence_in(c.quote) for c in cited)
    return {name: round(value / len(asked), 3) for name, value in sums.items()} if asked else {}


def _alone(encoder: Encoder, document: Document, asked: Sequence[tuple[str, Document, Question]]) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        return _measure(_engine(encoder, Path(folder), [document]), asked)


def _engine(encoder: Encoder, folder: Path, documents: Sequence[Document]) -> Engine:
    settings = load_settings(home=folder)
    build_index(settings, encoder, documents)
    return open_engine(settings)


def main(
    write: Annotated[bool, typer.Option("--write", help="Keep the figures in evals/company.json.")] = False,
    kinds: Annotated[str, typer.Option(help="Which of fiche,invented,unseen to ask.")] = "fiche,invented,unseen",
) -> None:
    """Ask every kind of document in company, and show how much the company costs."""
    encoder = load_encoder(load_settings())
    texts = company()
    everyone = [document for found in texts.values() for document, _ in found]
    figures: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = _engine(encoder, Path(folder), everyone)
        for kind in track(kinds.split(","), "asking", console=Console(stderr=True), transient=True):
            for lang in ("nl", "en"):
                pairs = [(d, q) for d, asked in texts[kind] for q in asked if q.lang == lang]
                plain = [(q.question, d, q) for d, q in pairs]
                if kind == "fiche":
                    figures[f"{kind} alone, {lang}"] = _alone(encoder, texts[kind][0][0], plain)
                figures[f"{kind} in company, {lang}"] = _measure(engine, plain)
                for way, how in (("subject", 0), ("number", 1)):
                    asked = [(list(named(q, d))[how], d, q) for d, q in pairs]
                    figures[f"{kind} named by {way}, {lang}"] = _measure(engine, asked)
    _show(figures)
    if write:
        kept = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "documents": len(everyone), "figures": figures}
        (_HERE / "company.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _show(figures: dict[str, Figures]) -> None:
    table = Table("", *next(iter(figures.values())))
    for name, found in figures.items():
        table.add_row(name, *(f"{value:.3f}" for value in found.values()))
    Console(highlight=False, width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
