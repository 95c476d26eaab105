"""Measures fiche by size: how long an index takes to make, how large it is, how fast and how well it finds.

    python -m evals.scale [SIZE…] [--write] [--folder FOLDER]

The passages are synthetic (`evals/synthetic.py`), the questions are real ones of the training set, in both
languages. Recall is the share of the ten best passages of a search that scores every sentence of the index
that are among the ten that are found. `--write` keeps the figures in `evals/scale.json`, the curve in
`evals/scale.svg` and a table in the README. Indexes stay in FOLDER, where one is given.
"""

import json
import multiprocessing
import os
import random
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from evals.plots import growth
from evals.reader.corpus import Corpus, read_corpus
from evals.synthetic import make_pool, write_synthetic
from index.build import extend_index, index_store, known_translations, open_snapshot, shipped_document
from index.encoder import Encoder, load_encoder
from index.settings import Settings, load_settings
from index.snapshot import Snapshot, View, choose_codec
from index.update import memory_digest
from rag.candidates import Candidates
from rag.language import Language
from rag.matching import Matched, Matcher
from rag.retriever import Retriever
from rag.searching import searching

__all__ = ["Exhaustive", "main", "recall"]

_HERE = Path(__file__).parent
_README = _HERE.parent / "README.md"
_MARKS = ("<!-- scale -->", "<!-- /scale -->")
SIZES = (1_000, 10_000, 100_000, 1_000_000)
_SEGMENT = 100_000
"""Passages in a segment: a bulk addition leaves ones of about this size."""
_TEXTS = 800
_ASKED, _WARM = 60, 10
_COMPARED = {1_000: 40, 10_000: 40, 100_000: 40}
"""Questions that are compared with the exhaustive search, which takes hours for a million passages."""
_TOP = 10
Asked = tuple[str, Language]


class _Matched(Matcher):
    """The matches of a few questions with every text, found in one pass over them."""

    def __init__(self, snapshot: Snapshot, questions: Sequence[np.ndarray]) -> None:
        super().__init__(snapshot, in_memory=False)
        self._asked = {tokens.tobytes(): i for i, tokens in enumerate(questions)}
        views = (snapshot.sentence_views, snapshot.passage_views)
        self._found = {id(view): self._all(questions, view) for view in views}

    def _all(self, questions: Sequence[np.ndarray], views: Mapping[Language, View]) -> list[np.ndarray]:
        rows = np.arange(len(views["nl"].tokens.lengths))
        found = super().similarities(np.concatenate(questions), views, rows)
        return np.split(found, np.cumsum([len(tokens) for tokens in questions])[:-1])

    def similarities(
        self, question: np.ndarray, views: Mapping[Language, View], rows: np.ndarray, matched: Matched | None = None
    ) -> np.ndarray:
        """What was found before."""
        return self._found[id(views)][self._asked[question.tobytes()]][:, rows]


class _Every(Candidates):
    """Every passage."""

    def passages(self, question: np.ndarray, *_: Any) -> tuple[np.ndarray, None]:
        """Rows of them all."""
        return np.arange(len(self._snapshot.passages)), None


class Exhaustive(Retriever):
    """The same scores for every sentence of an index, however large, of a few questions at once."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder, questions: Sequence[Asked]) -> None:
        super().__init__(snapshot, encoder)
        encoded = encoder.encode([question for question, _ in questions], query=True)
        tokens = [self.question_tokens(e, *asked) for e, asked in zip(encoded, questions, strict=True)]
        self.matcher = _Matched(snapshot, tokens)
        self._candidates = _Every(snapshot, searching(snapshot), self.matcher)


def recall(snapshot: Snapshot, encoder: Encoder, questions: Sequence[Asked]) -> float:
    """The share of the exhaustive search's ten best passages that are found, averaged over the questions."""
    exact, fast = Exhaustive(snapshot, encoder, questions), Retriever(snapshot, encoder)
    shares = []
    for question, lang in questions:
        best, found = ({hit.row for hit in r.retrieve(question, lang, _TOP).hits} for r in (exact, fast))
        shares.append(len(best & found) / len(best))
    return float(np.mean(shares))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an index is, and what it is asked."""

    home: Path
    questions: tuple[Asked, ...]
    compared: int


def _measure(place: _Place) -> dict[str, Any]:
    """Everything that is measured of one index, in a process of its own."""
    settings = load_settings(home=place.home)
    encoder = load_encoder(settings)
    began = time.perf_counter()
    snapshot = open_snapshot(settings)
    retriever = Retriever(snapshot, encoder)
    figures: dict[str, Any] = {"open_s": time.perf_counter() - began}
    walls, works = [], []
    for question, lang in place.questions[-_WARM:] + place.questions:
        wall, work = time.perf_counter(), time.process_time()
        retriever.retrieve(question, lang)
        walls.append(1000 * (time.perf_counter() - wall))
        works.append(1000 * (time.process_time() - work))
    for name, values in (("ms", walls[_WARM:]), ("cpu_ms", works[_WARM:])):
        figures |= {f"p50_{name}": float(np.median(values)), f"p95_{name}": float(np.quantile(values, 0.95))}
    figures["resident_gb"] = _resident()
    figures["search"] = searching(snapshot).to_json()
    if place.compared:
        figures["recall@10"] = recall(snapshot, encoder, place.questions[: place.compared])
    return figures | _add_one(settings, encoder, snapshot)


def _add_one(settings: Settings, encoder: Encoder, snapshot: Snapshot) -> dict[str, float]:
    """How long one more document takes until it is found, and how much of that is reading it with the model."""
    reading = 0.0

    class Timed:
        name, fingerprint, dim = encoder.name, encoder.fingerprint, encoder.dim

        def encode(self, texts: Sequence[str], *, query: bool) -> Any:
            nonlocal reading
            began = time.perf_counter()
            found = encoder.encode(texts, query=query)
            reading += time.perf_counter() - began
            return found

    began = time.perf_counter()
    extend_index(settings, Timed(), [shipped_document()])
    grown = open_snapshot(settings, known=snapshot)
    hit = Retriever(grown, encoder).retrieve("Hoeveel lidstaten zijn waarnemer bij ALT-EDIC?", "nl").hits[0]
    seconds = time.perf_counter() - began
    if hit.document.id != shipped_document().id:
        raise RuntimeError(f"the document that was added is not found, but {hit.document.id}")
    return {"add_one_s": seconds, "add_one_reading_s": reading}


def _resident() -> float:
    """Gigabytes of memory that the process holds now, mapped files that it has read included."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1e6


def _build(home: Path, size: int, kept: Path, corpus: Corpus) -> dict[str, Any]:
    settings = load_settings(home=home)
    encoder = load_encoder(settings)
    pool = make_pool(corpus, encoder, choose_codec(3 * size), kept)
    began, work = time.perf_counter(), time.process_time()
    with index_store(settings).writing() as writing:
        parts = [
            writing.add(lambda folder, seed=first: write_synthetic(folder, pool, min(_SEGMENT, size - seed), seed))  # type: ignore[misc]
            for first in range(0, size, _SEGMENT)
        ]
        about = {"memory": memory_digest(known_translations(settings))}
        manifest = writing.switch(
            parts, model=encoder.name, fingerprint=encoder.fingerprint, dim=encoder.dim, about=about
        )
    return {
        "passages": size,
        "sentences": manifest.counts["sentences"],
        "segments": len(parts),
        "build_s": time.perf_counter() - began,
        "build_cpu_s": time.process_time() - work,
        "disk_gb": sum(entry["bytes"] for entry in manifest.files.values()) / 1e9,
    }


def _sample() -> tuple[Corpus, tuple[Asked, ...]]:
    """Some training passages, and questions about them, drawn once and for all."""
    whole = read_corpus([_HERE / "training", _HERE / "training" / "invented"])
    rows = sorted(random.Random(1).sample(range(len(whole.texts)), _TEXTS))  # noqa: S311 (a seeded draw is wanted)
    chosen = set(rows)
    pairs = [pair for pair in whole.pairs if pair.text in chosen and pair.sentence is not None]
    random.Random(2).shuffle(pairs)  # noqa: S311
    langs: tuple[Language, Language] = ("nl", "en")
    asked = tuple((pair.questions[lang], lang) for pair, lang in zip(pairs, langs * len(pairs), strict=False))
    return Corpus(tuple(whole.texts[row] for row in rows), ()), asked[:_ASKED]


def main(
    sizes: Annotated[list[int] | None, typer.Argument(help="Passages; all sizes of the curve without them.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Keep the figures.")] = False,
    folder: Annotated[Path | None, typer.Option("--folder", help="Make the indexes here, and leave them.")] = None,
) -> None:
    """Make an index of each size, measure it, and show the curve."""
    console = Console(highlight=False)
    corpus, questions = _sample()
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        for size in sizes or SIZES:
            figures = _one(place, size, corpus, questions)
            console.print_json(data=figures)
            if write:
                _keep(figures)
    if write:
        _publish(console)


def _one(place: Path, size: int, corpus: Corpus, questions: tuple[Asked, ...]) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")  # a process of its own, so that memory is the index's own
    with context.Pool(1) as pool:
        made = pool.apply(_build, (place / str(size), size, place / "sentences.npz", corpus))
    with context.Pool(1) as pool:
        found = pool.apply(_measure, (_Place(place / str(size), questions, _COMPARED.get(size, 0)),))
    return made | found | {"load": round(os.getloadavg()[0], 1)}


def _keep(figures: dict[str, Any]) -> None:
    path = _HERE / "scale.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"sizes": {}}
    rounded = {name: round(v, 4) if isinstance(v, float) else v for name, v in figures.items()}
    kept["sizes"][str(figures["passages"])] = rounded | {"date": f"{datetime.now(UTC):%Y-%m-%d}"}
    kept["sizes"] = dict(sorted(kept["sizes"].items(), key=lambda item: int(item[0])))
    kept["cores"] = os.cpu_count()
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _publish(console: Console) -> None:
    sizes = json.loads((_HERE / "scale.json").read_text(encoding="utf-8"))["sizes"]
    (_HERE / "scale.svg").write_text(growth(sizes), encoding="utf-8")
    columns: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "passages": lambda f: f"{f['passages']:,}",
        "made in": lambda f: f"{f['build_s']:.0f} s",
        "on disk": lambda f: f"{f['disk_gb']:.2f} GB",
        "in memory": lambda f: f"{f['resident_gb']:.2f} GB",
        "a question, p50 / p95": lambda f: f"{f['p50_ms']:.0f} / {f['p95_ms']:.0f} ms",
        "of that, processor": lambda f: f"{f['p50_cpu_ms']:.0f} / {f['p95_cpu_ms']:.0f} ms",
        "recall@10": lambda f: f"{f['recall@10']:.3f}" if "recall@10" in f else "–",
        "one more document": lambda f: f"{f['add_one_s']:.1f} s ({f['add_one_reading_s']:.1f} s reading)",
    }
    rows = [[shown(figures) for shown in columns.values()] for figures in sizes.values()]
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    lines = ["| " + " | ".join(row) + " |" for row in ([*columns], ["---"] * len(columns), *rows)]
    text = _README.read_text(encoding="utf-8")
    before, after = text.split(_MARKS[0])[0], text.split(_MARKS[1])[1]
    _README.write_text(before + "\n".join([_MARKS[0], *lines, _MARKS[1]]) + after, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
