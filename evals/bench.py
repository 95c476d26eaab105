"""The benchmark: fiche with its reader, with the general model, and a plain pipeline of that, in the same run.

    python -m evals.bench [--write]

All answer the test split of `datasets/fiche.jsonl`; the plain pipeline's chunks are as long on
average as fiche's passages. Time and memory of building and asking are those of fresh processes.
`--write` keeps the figures, with date and settings, in `evals/bench.json`.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from evals.engines import Candidate, FicheCandidate, KeywordCandidate, PlainCandidate, matching_chunk_size
from evals.intervals import percentile
from evals.measures import MEASURES, Measure, Row, estimate
from evals.relevance import retrieval
from evals.sets import Question, read_set
from index.build import build_index, shipped_document
from index.encoder import load_encoder
from index.settings import GENERAL_MODEL, load_settings
from rag.engine import open_engine

__all__ = ["main"]

_HERE = Path(__file__).parent
_WORDINGS: dict[str, Callable[[Row], bool]] = {
    "": lambda row: True,
    ", worded plainly": lambda row: row.question.pair.startswith("plain_"),
}
"""All questions, and those that use the fiche's own terms; most of the others avoid them on purpose."""
_CANDIDATES = ("fiche", "general", "plain", "keywords")
"""fiche; the same with the general model that its reader was made from; the two baselines."""
_SHOWN = ("success@1", "success@5", "right quote", "quotes")
_MEANINGS = {
    "success@1": "the first passage is right",
    "success@5": "among the first five",
    "right quote": "the right sentence quoted (fiche: at most three)",
}
_MARKS = ("<!-- figures -->", "<!-- /figures -->")


def main(write: Annotated[bool, typer.Option("--write", help="Keep the figures in evals/bench.json.")] = False) -> None:
    """Run the benchmark and print its table."""
    console = Console(highlight=False)
    questions = [q for q in read_set(_HERE / "datasets" / "fiche.jsonl")[0] if q.split == "test" and q.answerable]
    with tempfile.TemporaryDirectory() as home:
        console.print(f"{len(questions)} questions of the test split; a fresh index in {home}")
        building = _build_in_a_process(home)
        cold = _cold(home)
        settings = load_settings(home=home)
        encoder = load_encoder(settings)
        warm = time.perf_counter()
        build_index(settings, encoder)
        building["again, model loaded"] = round(time.perf_counter() - warm, 1)
        document = shipped_document()
        size = matching_chunk_size([document])
        passages = [document.text[p.start : p.end] for p in document.passages]
        rows = {"fiche": _ask(FicheCandidate(open_engine(settings)), questions, passages)}
        general = load_settings(home=Path(home) / "general", model=GENERAL_MODEL)
        other = load_encoder(general)
        build_index(general, other)
        rows["general"] = _ask(FicheCandidate(open_engine(general)), questions, passages)
        plain = PlainCandidate([document], other, size)
        rows["plain"] = _ask(plain, questions, plain.chunks)
        rows["keywords"] = _ask(KeywordCandidate([document]), questions, passages)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = _figures(rows) | {
        "building, s": building,
        "cold fiche ask, s (median of five)": cold["seconds"],
        "peak memory of a cold fiche ask, MB": cold["peak, MB"],
        "peak memory of building, MB": building.pop("peak, MB"),
        "peak memory of the benchmark, MB": round(peak),
        "warm question, ms (median)": round(percentile([r.result.milliseconds for r in rows["fiche"]], 0.5), 1),
        "words in a passage": round(sum(len(p.split()) for p in passages) / len(passages), 1),
        "words in a chunk": round(sum(len(c.split()) for c in plain.chunks) / len(plain.chunks), 1),
    }
    _show(console, figures)
    if write:
        _into_readme(figures)
        kept = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "settings": _settings(encoder.name, size)} | figures
        (_HERE / "bench.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _cold(home: str) -> dict[str, float]:
    """Seconds from the start of `fiche ask` to its end, and its peak memory; the index is there."""
    runs = [_in_a_process(home, "ask", question) for question in ("Wie host ALT-EDIC?", "Who hosts ALT-EDIC?") * 3][1:]
    return {
        "seconds": round(percentile([seconds for seconds, _ in runs], 0.5), 2),
        "peak, MB": round(max(peak for _, peak in runs)),
    }


def _build_in_a_process(home: str) -> dict[str, float]:
    """Seconds and peak memory of `fiche index build` in an empty home, imports included."""
    seconds, peak = _in_a_process(home, "index", "build")
    return {"fresh": round(seconds, 1), "peak, MB": round(peak)}


def _in_a_process(home: str, *args: str) -> tuple[float, float]:
    """Seconds and peak memory, in MB, of one run of fiche."""
    script = (
        "import resource, sys; from ui.cli import main\n"
        f"sys.argv = {['fiche', *args]!r}\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    began = time.perf_counter()
    env = {**os.environ, "FICHE_HOME": home}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", script],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - began, int(done.stderr.split()[-1]) / 1024


def _ask(candidate: Candidate, questions: list[Question], passages: list[str]) -> list[Row]:
    results = [candidate.ask(question.question) for question in questions]
    scores = retrieval(questions, results, passages)
    return [Row(*entry) for entry in zip(questions, results, scores, strict=True)]


def _figures(rows: dict[str, list[Row]]) -> dict[str, Any]:
    """Each measure by language and candidate, and fiche's as a ratio to the plain pipeline's."""
    return {
        f"{measure.name}, {lang}{wording}": _entry(
            {name: [r for r in asked if r.question.lang == lang and belongs(r)] for name, asked in rows.items()},
            measure,
        )
        for measure in MEASURES
        if measure.name in _SHOWN
        for wording, belongs in _WORDINGS.items()
        for lang in ("nl", "en")
    }


def _entry(rows: dict[str, list[Row]], measure: Measure) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for name, asked in rows.items():
        figure = estimate(asked, measure.of)
        if figure:
            entry[name] = [round(v, 4) for v in (figure.value, figure.low, figure.high)]
    if entry["plain"][0]:
        entry["ratio"] = round(entry["fiche"][0] / entry["plain"][0], 2)
    return entry


def _show(console: Console, figures: dict[str, Any]) -> None:
    table = Table("", *(f"{name} [95 %]" for name in _CANDIDATES), "fiche / plain")
    for name, entry in figures.items():
        if isinstance(entry, dict) and "fiche" in entry:
            cells = [f"{v:.2f} [{low:.2f}, {high:.2f}]" for v, low, high in (entry[c] for c in _CANDIDATES)]
            table.add_row(name, *cells, str(entry.get("ratio", "")))
    console.print(table)
    for name, entry in figures.items():
        if not (isinstance(entry, dict) and "fiche" in entry):
            console.print(f"{name}: {entry}")


def _into_readme(figures: dict[str, Any]) -> None:
    """Put the table between the marks in the README."""
    rows = [
        "| Test split, share of answerable questions | fiche | with the general model | plain pipeline | keywords |",
        "|---|---|---|---|---|",
    ]
    for name, meaning in _MEANINGS.items():
        for wording in _WORDINGS:
            for lang, language in (("nl", "Dutch"), ("en", "English")):
                entry = figures[f"{name}, {lang}{wording}"]
                cells = [f"{v:.2f} ({low:.2f}–{high:.2f})" for v, low, high in (entry[c] for c in _CANDIDATES)]
                rows.append(f"| {meaning}, {language}{wording} | {' | '.join(cells)} |")
    readme = _HERE.parent / "README.md"
    text = readme.read_text(encoding="utf-8")
    start, end = text.index(_MARKS[0]) + len(_MARKS[0]), text.index(_MARKS[1])
    readme.write_text(f"{text[:start]}\n" + "\n".join(rows) + f"\n{text[end:]}", encoding="utf-8")


def _settings(model: str, chunk_size: int) -> dict[str, Any]:
    packages = ("faiss-cpu", "llama-index-core", "sentence-transformers", "torch")
    return {
        "model": model,
        "plain chunk size, tokens": chunk_size,
        "split": "test",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


if __name__ == "__main__":
    typer.run(main)
