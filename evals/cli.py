"""The command `fiche eval`: runs a set, shows where it fails, compares it and holds it to its gates.

Found by the command line through the entry point `fiche.commands`, so that `ui` needs to know
nothing of this folder.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evals.sets import Question, read_set
from index.errors import InputError
from index.settings import GENERAL_MODEL, Settings, load_settings

__all__ = ["evaluate"]

EngineName = Literal["fiche", "keywords", "plain"]


def evaluate(
    target: Annotated[str, typer.Argument(help="A set (JSON Lines), or 'beir' before a folder.", metavar="SET")],
    folder: Annotated[Path | None, typer.Argument(help="With 'beir': its folder.")] = None,
    engine: Annotated[EngineName, typer.Option(help="What is measured.")] = "fiche",
    compare: Annotated[Path | None, typer.Option(help="An earlier run's folder: show what flipped.")] = None,
    gate: Annotated[Path | None, typer.Option(help="Floors (TOML); exit status 1 where one is broken.")] = None,
    run: Annotated[Path | None, typer.Option(help="Where the run is kept; a run that was cut goes on there.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many questions.")] = None,
) -> None:
    """Run an evaluation set and keep the figures, the report and every answer."""
    settings = load_settings()
    console = Console(highlight=False, markup=False, emoji=False)
    if target == "beir":
        if folder is None:
            raise InputError("name the folder of the BEIR set, as in fiche eval beir FOLDER")
        _run_beir(settings, console, folder, limit)
        return
    _run_set(settings, console, Path(target), engine, compare, gate, run, limit)


def _run_set(
    settings: Settings,
    console: Console,
    path: Path,
    engine: EngineName,
    compare: Path | None,
    gate: Path | None,
    folder: Path | None,
    limit: int | None,
) -> None:
    from evals import report
    from evals import run as runs
    from evals.compare import differences, flips
    from evals.gate import broken_gates

    questions, problems = read_set(path)
    for problem in problems:
        Console(stderr=True, highlight=False, markup=False).print(
            f"fiche: {path}, line {problem.line}: {problem.reason}"
        )
    if not questions:
        raise InputError(f"{path} holds no question that can be asked: see the lines above")
    questions = questions[:limit]
    earlier = runs.load_run(compare) if compare else None
    candidate, passages, about = _candidate(settings, engine)
    where = folder or runs.new_folder(settings.home / "runs", path.stem, engine)
    with _bar(console, "asking") as (bar, task):
        results = runs.resume(
            where, questions, candidate, lambda done, total: bar.update(task, completed=done, total=total)
        )
    rows = runs.make_rows(questions, results, passages)
    about |= {"set": path.name, "engine": engine, "questions": len(questions), "broken lines": len(problems)}
    finished = runs.write_summary(where, rows, about)
    page = report.write_report(finished, earlier)
    console.print(report.headline_table(finished))
    if earlier:
        better, worse = flips(earlier.rows, rows)
        console.print(report.difference_table(differences(earlier.rows, rows)))
        _show_flips(console, "became right", [row.question for row in better])
        _show_flips(console, "became wrong", [row.question for row in worse])
    console.print(f"every answer, with plots: {page}")
    broken = broken_gates(gate, finished.summary["groups"]) if gate else []
    for reason in broken:
        Console(stderr=True, highlight=False, markup=False).print(f"fiche: gate broken: {reason}")
    if broken:
        raise typer.Exit(1)


def _candidate(settings: Settings, name: EngineName) -> tuple[Any, list[str], dict[str, Any]]:
    """What is measured, the passages that it can find, and what the report says of them."""
    from evals.engines import FicheCandidate, KeywordCandidate, PlainCandidate
    from index.build import build_index, index_exists
    from index.encoder import load_encoder
    from rag.engine import Engine, open_engine

    if not index_exists(settings):
        build_index(settings, load_encoder(settings))
    engine: Engine = open_engine(settings)
    documents = list(engine.snapshot.documents.values())
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "model": engine.encoder.name,
        "snapshot": engine.snapshot.manifest.snapshot,
        "documents": [document.id for document in documents],
    }
    if name == "fiche":
        return FicheCandidate(engine), [d.text[p.start : p.end] for d in documents for p in d.passages], about
    if name == "keywords":
        other: KeywordCandidate | PlainCandidate = KeywordCandidate(documents)
    else:
        general = load_encoder(load_settings(home=settings.home, model=GENERAL_MODEL))
        other, about["model"] = PlainCandidate(documents, general), general.name
    return other, other.chunks, about


class _bar:  # noqa: N801 - used like a function
    """A progress bar on standard error for as long as a `with` lasts."""

    def __init__(self, console: Console, label: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        error = Console(stderr=True)
        self._progress = Progress(*columns, console=error, transient=True, disable=not error.is_terminal)
        self._task = self._progress.add_task(label, total=None)

    def __enter__(self) -> tuple[Progress, Any]:
        self._progress.start()
        return self._progress, self._task

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _show_flips(console: Console, what: str, questions: list[Question]) -> None:
    console.print(f"{len(questions)} {what}")
    for question in questions:
        console.print(f"  {question.id}: {question.question}")


def _run_beir(settings: Settings, console: Console, folder: Path, limit: int | None) -> None:
    """Index a BEIR corpus in a place of its own and score retrieval."""
    import tempfile

    from rich.table import Table

    from evals.beir import read_beir
    from evals.corpora import document_of_passages
    from evals.relevance import score_run
    from index.encoder import load_encoder
    from index.snapshot import Snapshot, write_snapshot
    from index.store import Manifest
    from rag.language import detect_language
    from rag.retriever import Retriever

    found = read_beir(folder, limit)
    encoder = load_encoder(settings)
    document = document_of_passages(folder.name, found.passages)
    with tempfile.TemporaryDirectory() as place, _bar(console, "embedding") as (bar, task):
        counts = write_snapshot(
            Path(place), [document], encoder, lambda done, total: bar.update(task, completed=done, total=total)
        )
        manifest = Manifest(folder.name, "", encoder.name, encoder.fingerprint, encoder.dim, counts, {})
        retriever = Retriever(Snapshot(Path(place), manifest), encoder)
        ranked = {
            key: [hit.passage.id for hit in retriever.retrieve(text, detect_language(text)).hits]
            for key, text in found.queries.items()
        }
    table = Table(
        "", "mean", "95 %", title=f"{folder.name}: {len(found.queries)} questions, {counts['passages']} passages"
    )
    for name, figure in score_run(found.qrels, ranked).items():
        table.add_row(name, f"{figure.value:.3f}", f"[{figure.low:.3f}, {figure.high:.3f}]")
    console.print(table)
