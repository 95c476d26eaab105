"""Measures answers that a language model writes beside quoting alone, on the same questions.

    python -m evals.written --llm gguf:FILE --limit 40

Draws that many questions of a split of `datasets/fiche.jsonl` by a digest of their names, in both
languages, and asks each twice. `unfounded` looks at the sentences that were shown as supported in a way of
its own, simpler than the checker's: a figure or a capitalised word that is nowhere in the cited words is
counted, and listed for a person to look at. What a model wrote is kept in the run's folder, and a run that
was cut goes on there.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from evals.compare import differences
from evals.engines import FicheCandidate, Result
from evals.intervals import bootstrap
from evals.measures import Row
from evals.run import make_rows, resume
from evals.sets import Question, Split, read_set
from index.build import build_index, index_store
from index.encoder import load_encoder
from index.glossary import glossary
from index.settings import load_settings
from index.words import fold
from rag.engine import Engine, open_engine

__all__ = ["main", "sample", "unfounded"]

_DATASET = Path(__file__).parent / "datasets" / "fiche.jsonl"
_SHOWN = ("facts", "right quote", "citation precision", "language", "refused", "false refusals", "quotes")


def sample(questions: Sequence[Question], split: Split, limit: int | None) -> list[Question]:
    """So many questions of a split, drawn by a digest of their names; those of a language together."""
    drawn = sorted((q for q in questions if q.split == split), key=lambda q: hashlib.sha256(q.id.encode()).digest())
    return sorted(drawn[:limit], key=lambda q: q.lang)


def unfounded(sentence: str, sources: Sequence[str]) -> list[str]:
    """Figures, and words with a capital past the first, that stand nowhere in the sources.

    >>> unfounded("De Raad kiest 15 leden in Riga.", ["De Raad kiest 14 leden in Tallinn."])
    ['15', 'Riga']
    """
    told, there = " ".join(sources), fold(" ".join(sources))
    figures = {_digits(figure) for figure in _FIGURE.findall(told)}
    missing = [figure for figure in _FIGURE.findall(sentence) if _digits(figure) not in figures]
    for name in re.findall(r"(?<=\s)[A-Z][\w-]*|^[A-Z]+[A-Z0-9-]+", sentence):
        english = {fold(word) for word in _DUTCH.get(fold(name), ())}
        if fold(name) not in there and not any(word in there for word in english):
            missing.append(name)
    return missing


_FIGURE = re.compile(r"\d[\d.,]*\d|\d")
_DUTCH = {
    fold(english): (dutch,)
    for kind in ("terms", "countries")
    for dutch, all_ in glossary()[kind].items()
    for english in all_
}


def _digits(figure: str) -> str:
    return re.sub(r"[.,]", "", figure)


def _flaws(result: Result) -> list[tuple[str, list[str]]]:
    """Each sentence shown as supported, with what of it is nowhere in its sources."""
    cited = {c["n"]: [c["quote"], c["translation"] or ""] for c in result.details["citations"]}
    sentences = (result.details.get("llm") or {}).get("sentences", [])
    supported = [s for s in sentences if s["verdict"] == "supported"]
    return [(s["text"], unfounded(s["text"], [w for n in s["cites"] for w in cited[n]])) for s in supported]


def main(
    llm: Annotated[str | None, typer.Option(help="The model, as FICHE_LLM names it.")] = None,
    split: Annotated[str, typer.Option(help="dev or test.")] = "test",
    limit: Annotated[int | None, typer.Option(min=1, help="So many questions; without it all.")] = None,
    seconds: Annotated[float, typer.Option(help="What the model may take for a question.")] = 300.0,
    run: Annotated[
        Path | None, typer.Option(help="Where the answers are kept; a run that was cut goes on there.")
    ] = None,
) -> None:
    """Ask everything with the model and without, and show what changed."""
    console = Console(highlight=False, markup=False)
    settings = load_settings(llm=llm, llm_seconds=seconds)
    if not index_store(settings).exists():
        build_index(settings, load_encoder(settings))
    engine = open_engine(settings)
    plain = Engine(engine.snapshot, engine.encoder)
    questions = sample(read_set(_DATASET)[0], "dev" if split == "dev" else "test", limit)
    passages = [d.text[p.start : p.end] for d in engine.snapshot.documents.values() for p in d.passages]
    folder = run or settings.home / "runs" / f"written-{split}"
    rows = {
        name: make_rows(questions, resume(folder / name, questions, FicheCandidate(asked)), passages)
        for name, asked in (("quoting", plain), ("written", engine))
    }
    _show(console, rows["quoting"], rows["written"])


def _show(console: Console, quoting: Sequence[Row], written: Sequence[Row]) -> None:
    table = Table("", "quoting", "with the model", "change [95 %]", title=f"{len(written)} questions")
    for entry in (d for d in differences(quoting, written) if d.name in _SHOWN):
        change = entry.change
        span = f"{change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"
        table.add_row(entry.name, f"{entry.before:.3f}", f"{entry.after:.3f}", span)
    console.print(table)
    abouts = [row.result.details.get("llm") for row in written]
    told = Counter("refused before it was asked" if a is None else a["failure"] or "written" for a in abouts)
    for outcome, count in told.most_common():
        console.print(f"{count} of {len(written)}: {outcome}")
    verdicts = Counter(s["verdict"] for a in abouts if a for s in a["sentences"])
    dropped, repaired = (sum(a[name] for a in abouts if a) for name in ("dropped", "repaired"))
    console.print(f"sentences shown: {dict(verdicts)}; dropped: {dropped}; repaired: {repaired}")
    _show_flaws(console, written)


def _show_flaws(console: Console, written: Sequence[Row]) -> None:
    flaws = [flaw for row in written for flaw in _flaws(row.result)]
    if flaws:
        share = bootstrap([[float(bool(missing))] for _, missing in flaws])
        bad = sum(bool(missing) for _, missing in flaws)
        interval = f"[{share.low:.3f}, {share.high:.3f}]"
        console.print(f"supported, but with a figure or name not in its source: {bad} of {len(flaws)}, {interval}")
    for text, missing in flaws:
        if missing:
            console.print(f"  {', '.join(missing)}: {text}")


if __name__ == "__main__":
    typer.run(main)
