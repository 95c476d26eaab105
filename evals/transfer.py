"""Measures fiche on texts that its reader never learnt from, by kind of text, beside the general model.

    python -m evals.transfer [--write]

The texts are the invented fiches of `datasets/unseen` and the held-out documents of the training
data; each is asked as an index of its own. `--write` keeps the figures in `evals/transfer.json`.
"""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evals.compare import Difference, differences
from evals.engines import FicheCandidate
from evals.measures import Row
from evals.reader.documents import unlearnt
from evals.relevance import retrieval
from evals.sets import Question
from index.encoder import Encoder, load_encoder
from index.records import Document
from index.settings import GENERAL_MODEL, load_settings
from index.snapshot import Snapshot, write_snapshot
from index.store import Manifest
from rag.engine import Engine

__all__ = ["ask_alone", "main"]

_HERE = Path(__file__).parent
_KINDS = {
    "unseen": "four invented fiches, kept apart",
    "fic": "invented fiches, held out",
    "brf": "a letter to parliament, held out",
    "rap": "an inspectorate's report, held out",
    "ak": "government guidance, held out",
    "dk": "ministers' answers, held out",
    "aia": "the AI Act, held out",
    "gdpr": "the GDPR, held out",
    "dora": "DORA, held out",
}
_PAIRS = 150
_SHOWN = ("success@1", "success@5", "right quote", "quotes", "refused", "false refusals")


def ask_alone(document: Document, questions: Sequence[Question], encoder: Encoder) -> list[Row]:
    """Ask the questions over an index of that document alone."""
    with tempfile.TemporaryDirectory() as folder:
        counts = write_snapshot(Path(folder), [document], encoder)
        manifest = Manifest("transfer", "", encoder.name, encoder.fingerprint, encoder.dim, counts, {})
        candidate = FicheCandidate(Engine(Snapshot(Path(folder), manifest), encoder))
        results = [candidate.ask(question.question) for question in questions]
    scores = retrieval(questions, results, [document.text[p.start : p.end] for p in document.passages])
    return [Row(*entry) for entry in zip(questions, results, scores, strict=True)]


def main(
    write: Annotated[bool, typer.Option("--write", help="Keep the figures in evals/transfer.json.")] = False,
) -> None:
    """Ask everything with both models, and show what changed by kind of text and language."""
    console = Console(highlight=False)
    settings = load_settings()
    encoders = {"fiche": load_encoder(settings), "general": load_encoder(load_settings(model=GENERAL_MODEL))}
    rows: dict[str, dict[str, list[Row]]] = {name: {kind: [] for kind in _KINDS} for name in encoders}
    texts = _sample(list(unlearnt()))
    for kind, document, questions in track(texts, "asking", console=Console(stderr=True), transient=True):
        for name, encoder in encoders.items():
            rows[name][kind] += ask_alone(document, questions, encoder)
    figures: dict[str, Any] = {}
    for kind in _KINDS:
        for lang in ("nl", "en"):
            general, own = ([r for r in rows[name][kind] if r.question.lang == lang] for name in ("general", "fiche"))
            if own:
                figures[f"{kind}, {lang}"] = _show(console, kind, lang, differences(general, own), len(own))
    if write:
        kept = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "kinds": _KINDS, "figures": figures}
        (_HERE / "transfer.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _sample(texts: list[tuple[str, Document, list[Question]]]) -> list[tuple[str, Document, list[Question]]]:
    """At most `_PAIRS` pairs of each kind, drawn by a digest of their names."""
    drawn: dict[str, set[str]] = {}
    for kind in _KINDS:
        pairs = {q.pair for other, _, questions in texts if other == kind for q in questions}
        drawn[kind] = set(sorted(pairs, key=lambda name: hashlib.sha256(name.encode()).digest())[:_PAIRS])
    kept = [(kind, document, [q for q in asked if q.pair in drawn[kind]]) for kind, document, asked in texts]
    return [(kind, document, asked) for kind, document, asked in kept if asked]


def _show(console: Console, kind: str, lang: str, found: Sequence[Difference], count: int) -> dict[str, list[float]]:
    table = Table("", "general", "fiche", "change [95 %]", title=f"{_KINDS[kind]}, {lang} ({count} questions)")
    kept = {}
    for entry in (d for d in found if d.name in _SHOWN):
        change = entry.change
        span = f"{change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"
        table.add_row(entry.name, f"{entry.before:.3f}", f"{entry.after:.3f}", span)
        kept[entry.name] = [round(v, 3) for v in (entry.before, entry.after, change.low, change.high)]
    console.print(table)
    return kept


if __name__ == "__main__":
    typer.run(main)
